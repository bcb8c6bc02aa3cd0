#include "workspace/change.hpp"

namespace agentos::workspace {

std::string_view name(Kind kind) {
  switch (kind) {
    case Kind::none:
      return "none";
    case Kind::file:
      return "file";
    case Kind::directory:
      return "directory";
    case Kind::symlink:
      return "symlink";
    case Kind::fifo:
      return "fifo";
    case Kind::special:
      return "special";
  }
  return "none";
}

std::string_view name(What what) {
  switch (what) {
    case What::same:
      return "same";
    case What::added:
      return "added";
    case What::modified:
      return "modified";
    case What::deleted:
      return "deleted";
  }
  return "same";
}

}  // namespace agentos::workspace
