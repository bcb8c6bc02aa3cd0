#include "daemon/http/json.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>

namespace agentos::http {
namespace {

using boost::json::error_code;
using boost::json::string_view;

// Builds the value as boost::json::parser does, and looks at what that one lets pass.
class Builder {
 public:
  constexpr static std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  constexpr static std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  constexpr static std::size_t max_key_size = std::numeric_limits<std::size_t>::max();
  constexpr static std::size_t max_string_size = std::numeric_limits<std::size_t>::max();

  bool on_document_begin(error_code&) {
    stack_.reset();
    return true;
  }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) {
    keys_.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t count, error_code& error) {
    keys_.pop_back();
    stack_.push_object(count);
    return counted(error);
  }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t count, error_code& error) {
    stack_.push_array(count);
    return counted(error);
  }
  bool on_key_part(string_view part, std::size_t, error_code& error) {
    key_.append(part);
    stack_.push_chars(part);
    return clean(part, error);
  }
  bool on_key(string_view part, std::size_t, error_code& error) {
    key_.append(part);
    // An ordered set: nobody can choose keys that make it slow.
    if (!keys_.back().insert(std::move(key_)).second) return refuse("a key stands twice in one object", error);
    key_.clear();
    stack_.push_key(part);
    return clean(part, error);
  }
  bool on_string_part(string_view part, std::size_t, error_code& error) {
    stack_.push_chars(part);
    return clean(part, error);
  }
  bool on_string(string_view part, std::size_t, error_code& error) {
    stack_.push_string(part);
    return clean(part, error) && counted(error);
  }
  bool on_number_part(string_view, error_code&) { return true; }
  bool on_int64(std::int64_t number, string_view, error_code& error) {
    stack_.push_int64(number);
    return counted(error);
  }
  bool on_uint64(std::uint64_t number, string_view, error_code& error) {
    stack_.push_uint64(number);
    return counted(error);
  }
  bool on_double(double number, string_view, error_code& error) {
    stack_.push_double(number);
    return counted(error);
  }
  bool on_bool(bool value, error_code& error) {
    stack_.push_bool(value);
    return counted(error);
  }
  bool on_null(error_code& error) {
    stack_.push_null();
    return counted(error);
  }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }

  [[nodiscard]] const char* refusal() const { return refusal_; }
  [[nodiscard]] boost::json::value release() { return stack_.release(); }

 private:
  bool refuse(const char* why, error_code& error) {
    refusal_ = why;
    error = boost::json::error::exception;
    return false;
  }
  bool clean(string_view part, error_code& error) {
    return part.find('\0') == string_view::npos || refuse("a string holds a NUL", error);
  }
  bool counted(error_code& error) {
    return ++values_ <= max_json_values || refuse("more values than a request may hold", error);
  }

  boost::json::value_stack stack_;
  std::vector<std::set<std::string>> keys_;  // of each open object
  std::string key_;
  std::size_t values_{0};
  const char* refusal_{nullptr};
};

}  // namespace

Result<boost::json::value> parse_json(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = max_json_depth;
  boost::json::basic_parser<Builder> parser(options);
  error_code error;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (!error && used < text.size()) error = boost::json::error::extra_data;
  if (!error) return parser.handler().release();

  const auto before = text.substr(0, used);
  const auto line = std::ranges::count(before, '\n') + 1;
  const auto column = before.size() - (before.rfind('\n') + 1) + 1;  // npos + 1 is 0
  const char* refusal = parser.handler().refusal();
  return fail(ErrorKind::invalid, "the body is not JSON that can be read: line " + std::to_string(line) + ", column " +
                                      std::to_string(column) + ": " + (refusal ? refusal : error.message()));
}

}  // namespace agentos::http
