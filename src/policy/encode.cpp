#include "policy/encode.hpp"

#include "agentos/base/codec.hpp"

namespace agentos::policy {
namespace {

constexpr std::uint8_t newest = 2;  // 1 had no grants, quotas of layers and limits.core

// One list of fields serves both directions, so that they cannot drift apart.
struct Put {
  Writer& to;
  std::uint8_t version{newest};
  void field(const std::string& value) { to.put(value); }
  void field(int value) { to.put(value); }
  void field(Bytes value) { to.put(value.count); }
  void field(Count value) { to.put(value.count); }
  void field(Percent value) { to.put(value.percent); }
  void field(Weight value) { to.put(value.weight); }
  void field(std::chrono::milliseconds value) { to.put(static_cast<std::int64_t>(value.count())); }
  template <class E>
    requires std::is_enum_v<E>
  void field(E value) {
    to.put(value);
  }
  void field(bool value) { to.put(value); }
  void field(const Variable& value) {
    field(value.name);
    field(value.value);
  }
  void field(const Grant& value) {
    field(value.path);
    field(value.access);
    field(value.optional);
    field(value.link);
  }
  template <class T>
  void field(const Stated<T>& value) {
    field(value.value);
    field(value.origin.file);
    field(value.origin.line);
    field(value.origin.column);
  }
  template <class T>
  void field(const std::vector<T>& list) {
    to.put(static_cast<std::uint32_t>(list.size()));
    for (const auto& element : list) field(element);
  }
  template <class T>
  void field(const std::optional<T>& value) {
    to.put(value.has_value());
    if (value) field(*value);
  }
};

struct Get {
  Reader& from;
  std::uint8_t version;
  void field(std::string& value) { value = from.get_string(); }
  void field(int& value) { value = from.get<int>(); }
  void field(Bytes& value) { value.count = from.get<std::uint64_t>(); }
  void field(Count& value) { value.count = from.get<std::uint64_t>(); }
  void field(Percent& value) { value.percent = from.get<std::uint32_t>(); }
  void field(Weight& value) { value.weight = from.get<std::uint32_t>(); }
  void field(std::chrono::milliseconds& value) { value = std::chrono::milliseconds(from.get<std::int64_t>()); }
  void field(Level& value) { value = from.get_enum(Level::container); }
  void field(User& value) { value = from.get_enum(User::agent); }
  void field(Seccomp& value) { value = from.get_enum(Seccomp::agent); }
  void field(OnMissing& value) { value = from.get_enum(OnMissing::warn); }
  void field(WorkspaceMode& value) { value = from.get_enum(WorkspaceMode::bind); }
  void field(bool& value) { value = from.get_bool(); }
  void field(Access& value) { value = from.get_enum(Access::write); }
  void field(Variable& value) {
    field(value.name);
    field(value.value);
  }
  void field(Grant& value) {
    field(value.path);
    field(value.access);
    field(value.optional);
    field(value.link);
  }
  template <class T>
  void field(Stated<T>& value) {
    field(value.value);
    field(value.origin.file);
    field(value.origin.line);
    field(value.origin.column);
  }
  template <class T>
  void field(std::vector<T>& list) {
    list = from.get_list<T>([this](Reader&) {
      T element;
      field(element);
      return element;
    });
  }
  template <class T>
  void field(std::optional<T>& value) {
    if (from.get_bool()) field(value.emplace());
  }
};

template <class Direction, class Record>
void each_field(Direction direction, Record& policy) {
  const bool first_form = direction.version == 1;
  each_setting([&](std::string_view key, auto member) {
    if (!first_form || (!key.starts_with("filesystem.workspace.quota") && key != "process.limits.core"))
      direction.field(member(policy));
  });
  direction.field(policy.read_only);
  direction.field(policy.hidden);
  direction.field(policy.pass);
  direction.field(policy.set);
  if (!first_form) direction.field(policy.grants);
}

}  // namespace

std::string encode(const Policy& policy) {
  Writer to;
  to.put(newest);
  each_field(Put{to}, policy);
  return std::move(to).take();
}

Result<Policy> decode(std::string_view bytes) {
  Reader from(bytes);
  Policy policy;
  const auto version = from.get<std::uint8_t>();
  if (version < 1 || version > newest) from.refuse();
  each_field(Get{from, version}, policy);
  if (!from.finished()) return fail(ErrorKind::invalid, "the agent's policy is malformed, or of another version");
  return policy;
}

}  // namespace agentos::policy
