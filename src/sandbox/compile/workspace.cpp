#include <algorithm>
#include <string_view>

#include "agentos/base/text.hpp"
#include "agentos/model/places.hpp"
#include "sandbox/compile/compile.hpp"

namespace agentos::sandbox {
namespace {

constexpr std::size_t path_max = 1024;  // spawnd's limit for every path of a plan
constexpr std::size_t part_max = 255;   // of Linux file systems

std::unexpected<Error> refuse(ErrorKind kind, std::string_view path, std::string_view why) {
  return fail(kind, "workspace '" + printable(path) + "' " + std::string(why),
              "give a directory of your own, for example a checkout below your home");
}

// nullptr: absolute, and the only way to write this path.
const char* fault_of(std::string_view path) {
  if (!path.starts_with('/')) return "is not an absolute path";
  if (path.size() > path_max) return "is longer than 1024 bytes";
  if (std::ranges::any_of(path, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; })) {
    return "has a control character in its name";
  }
  if (path.size() > 1 && path.ends_with('/')) return "ends in '/'";
  while (path.size() > 1) {
    path.remove_prefix(1);
    const auto part = path.substr(0, path.find('/'));
    if (part.empty() || part == "." || part == "..") return "is not canonical";
    if (part.size() > part_max) return "has a name longer than 255 bytes in it";
    path.remove_prefix(part.size());
  }
  return nullptr;
}

}  // namespace

Result<> check_workspace(const std::string& path) {
  if (const char* fault = fault_of(path)) return refuse(ErrorKind::invalid, path, fault);
  if (const auto fault = fault_of_place(path); !fault.empty()) return refuse(ErrorKind::forbidden, path, fault);
  return {};
}

}  // namespace agentos::sandbox
