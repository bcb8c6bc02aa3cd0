#include "cli/policy_choice.hpp"

#include <fcntl.h>

#include "agentos/base/text.hpp"
#include "os/file.hpp"

namespace agentos::cli {

void PolicyChoice::declare(Options& options) {
  options.value("--policy", "NAME", name_, "Policy it is held to (default: the one named default)");
  options.value("--policy-file", "PATH", file_, "A policy of your own, which may only ask for less");
}

Result<> PolicyChoice::put(boost::json::object& body) const {
  if (!name_.empty()) body["policy"] = name_;
  if (file_.empty()) return {};
  auto text = read_policy(file_);
  if (!text) return std::unexpected(std::move(text).error().within("--policy-file"));
  body["policy_file"] = boost::json::object{{"name", file_}, {"text", std::move(*text)}};
  return {};
}

Result<std::string> read_policy(const std::string& file) {
  constexpr std::size_t most = 64 << 10;
  auto text = AGENTOS_TRY(os::read_file(AT_FDCWD, file, most + 16384));
  if (utf8_prefix(text) != text.size()) return fail(ErrorKind::invalid, file + " is not UTF-8", "save it as UTF-8");
  if (text.size() > most) text.resize(most + 1);
  return text;
}

}  // namespace agentos::cli
