#include "daemon/fields.hpp"

#include <algorithm>

#include "agentos/base/text.hpp"

namespace agentos::daemon {

namespace json = boost::json;

Fields::Fields(const json::value& value, std::string_view where) : where_(where) {
  if (value.is_object()) {
    object_ = &value.get_object();
  } else if (!value.is_null()) {
    reasons_.push_back((where.empty() ? "the body" : std::string(where)) + " must be a JSON object");
  }
}

Fields Fields::inside(std::string_view key) {
  static const json::value nothing;
  const auto* value = take(key);
  return Fields(value == nullptr ? nothing : *value, where_ + std::string(key));
}

bool Fields::has(std::string_view key) const {
  const auto* value = object_ == nullptr ? nullptr : object_->if_contains(key);
  return value != nullptr && !value->is_null();
}

std::string Fields::text(std::string_view key) {
  const auto* value = take(key);
  if (value == nullptr) return {};
  if (value->is_string()) return std::string(value->get_string());
  wrong(key, "must be a string");
  return {};
}

bool Fields::flag(std::string_view key) {
  const auto* value = take(key);
  if (value == nullptr) return false;
  if (value->is_bool()) return value->get_bool();
  wrong(key, "must be true or false");
  return false;
}

std::vector<std::string> Fields::texts(std::string_view key) {
  std::vector<std::string> list;
  const auto* value = take(key);
  if (value == nullptr) return list;
  const auto* array = value->if_array();
  if (array == nullptr ||
      !std::ranges::all_of(*array, [](const json::value& element) { return element.is_string(); })) {
    wrong(key, "must be a list of strings");
    return list;
  }
  for (const auto& element : *array) list.emplace_back(element.get_string());
  return list;
}

std::vector<std::string> Fields::variables(std::string_view key) {
  std::vector<std::string> list;
  const auto* value = take(key);
  if (value == nullptr) return list;
  const auto* object = value->if_object();
  if (object == nullptr || !std::ranges::all_of(*object, [](const auto& member) {
        return member.value().is_string() && !member.key().contains('=');
      })) {
    wrong(key, "must be an object of names and strings");
    return list;
  }
  for (const auto& member : *object)
    list.push_back(std::string(member.key()) + "=" + std::string(member.value().get_string()));
  return list;
}

std::vector<std::string> Fields::reasons() const {
  auto all = reasons_;
  if (object_ == nullptr) return all;
  for (const auto& member : *object_) {
    if (std::ranges::find(known_, member.key()) != known_.end()) continue;
    all.push_back("unknown member '" + (where_.empty() ? "" : where_ + ".") +
                  printable(std::string_view(member.key()).substr(0, 64)) + "'");
  }
  return all;
}

const json::value* Fields::take(std::string_view key) {
  known_.emplace_back(key);
  const auto* value = object_ == nullptr ? nullptr : object_->if_contains(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::optional<std::uint64_t> Fields::whole_number(std::string_view key, std::uint64_t least, std::uint64_t most) {
  const auto* value = take(key);
  if (value == nullptr) return std::nullopt;
  std::optional<std::uint64_t> number;
  if (value->is_uint64()) number = value->get_uint64();
  if (value->is_int64() && value->get_int64() >= 0) number = static_cast<std::uint64_t>(value->get_int64());
  if (number && *number >= least && *number <= most) return number;
  wrong(key, "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

void Fields::wrong(std::string_view key, std::string_view what) {
  reasons_.push_back((where_.empty() ? "" : where_ + ".") + std::string(key) + " " + std::string(what));
}

}  // namespace agentos::daemon
