#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include "fuzz.hpp"
#include "workspace/protected.hpp"
#include "workspace/selection.hpp"

namespace {

using namespace agentos::workspace;

// As the layer gives them: neither empty nor '.' nor '..' between slashes, no NUL.
bool is_path(std::string_view path) {
  if (path.empty() || path.find('\0') != path.npos) return false;
  for (;;) {
    const auto part = path.substr(0, path.find('/'));
    if (part.empty() || part == "." || part == "..") return false;
    if (part.size() == path.size()) return true;
    path.remove_prefix(part.size() + 1);
  }
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return result;
}

// How many folders below the workspace the text ends, following it one part after the other; -1: above it.
int depth_of(std::string_view text, int depth) {
  while (!text.empty()) {
    const auto part = text.substr(0, text.find('/'));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    if (part.empty() || part == ".") continue;
    depth += part == ".." ? -1 : 1;
    if (depth < 0) return -1;
  }
  return depth;
}

}  // namespace

// Names of files that an agent made, with the target of a link behind a zero byte.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = agentos::fuzz::text_of(data, size);
  const auto path = text.substr(0, text.find('\0'));
  const auto target = path.size() == size ? std::string_view() : text.substr(path.size() + 1);
  const auto selected = Selection::parse({std::string(path)}, "/home/alice/project");
  if (selected) {
    for (const auto& one : selected->paths()) AGENTOS_ASSERT(is_path(one) && selected->contains(one + "/below"));
  }
  if (!is_path(path)) return 0;
  for (const auto kind : {Kind::file, Kind::directory, Kind::symlink}) {
    const auto why = protection_of(path, kind);
    AGENTOS_ASSERT(protection_of(upper(path), kind) == why);
    if (!why.empty()) AGENTOS_ASSERT(!protection_of("deep/" + std::string(path), kind).empty());
  }
  if (target.find('\0') == target.npos && !leads_out(path, target)) {
    const auto slash = path.rfind('/');
    const int above = slash == path.npos ? 0 : depth_of(path.substr(0, slash), 0);
    AGENTOS_ASSERT(!target.starts_with('/') && depth_of(target, above) >= 0);
  }
  return 0;
}
