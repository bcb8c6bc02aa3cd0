#include <algorithm>
#include <string_view>

#include "sandbox/container/templates.hpp"

namespace agentos::container {
namespace {

using Kind = MountStep::Kind;

// The first folder of a path that lies below it; else empty.
std::string_view folder_of(const MountStep& step) {
  const std::string_view target = step.target;
  const auto slash = target.find('/', 1);
  return slash == std::string_view::npos ? std::string_view() : target.substr(0, slash);
}

// Parts are built with the rights of root on the host, and device nodes of the host are bound writable: so nothing in
// one changes owner or mode of what is there already. What has such a step is built by the sandbox's own root instead.
bool is_static(const MountStep& step) {
  const bool changes = (step.flags & MountStep::of_agent) != 0 || step.mode > 0777;
  return (step.flags & MountStep::shared) != 0 && !changes &&
         (step.kind == Kind::directory || step.kind == Kind::symlink || step.kind == Kind::file ||
          step.kind == Kind::bind);
}

// What a built part cannot take: it is read-only, so a step that has to make something in it would fail.
bool makes_in(const MountStep& step, const std::string& folder, std::span<const MountStep> part) {
  if (step.kind == Kind::hide || step.kind == Kind::protect || step.kind == Kind::seal) return false;
  if (step.target == folder) return true;
  if (folder_of(step) != folder) return false;
  const auto is_target = [&](const MountStep& made) { return made.target == step.target; };
  return is_static(step) || std::ranges::none_of(part, is_target);
}

}  // namespace

std::vector<StaticPart> static_parts(const std::vector<MountStep>& steps) {
  std::vector<StaticPart> parts;
  for (std::size_t begin = 0; begin < steps.size();) {
    const std::string folder(folder_of(steps[begin]));
    const auto belongs = [&](const MountStep& step) {
      return !folder.empty() && is_static(step) && folder_of(step) == folder;
    };
    std::size_t end = begin;
    while (end < steps.size() && belongs(steps[end])) ++end;
    const auto part = std::span(steps).subspan(begin, end - begin);
    const auto makes = [&](const MountStep& step) { return makes_in(step, folder, part); };
    const bool alone = std::none_of(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(begin), makes) &&
                       std::none_of(steps.begin() + static_cast<std::ptrdiff_t>(end), steps.end(), makes);
    if (part.size() >= 2 && alone) parts.push_back({folder, begin, end});
    begin = std::max(end, begin + 1);
  }
  return parts;
}

}  // namespace agentos::container
