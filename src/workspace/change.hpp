#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "agentos/model/agent.hpp"

// What an agent wrote in its layer, compared with the directory below it.
namespace agentos::workspace {

// Where an agent's writes are. Both descriptors are borrowed and opened for reading; everything is done with the rights
// of the calling process and by steps that follow no link.
struct Layer {
  int lower{-1};        // the workspace
  int upper{-1};        // the overlay's upper directory
  std::string agent;    // id: names the temporary file of a commit
  TimePoint started{};  // what changed in the workspace since then is a conflict
};

enum class Kind : std::uint8_t { none, file, directory, symlink, fifo, special };  // special: socket or device
[[nodiscard]] std::string_view name(Kind kind);

struct Side {
  Kind kind{};
  std::uint32_t mode{};  // permission bits
  std::uint64_t size{};  // bytes, of a file or a link's target

  bool operator==(const Side&) const = default;
};

enum class What : std::uint8_t { same, added, modified, deleted };
[[nodiscard]] std::string_view name(What what);

enum class Conflict : std::uint8_t {
  none,
  changed,  // the workspace's was changed or made since the agent started, and is not what the agent left
  gone,     // the agent changed what has since been removed from the workspace
};

// Why a change cannot be committed whatever is asked.
enum class Obstacle : std::uint8_t {
  none,
  special,     // a socket or device: left out and dropped
  unreadable,  // its mode keeps the caller from reading it
  reserved,    // its name is the one that commit uses for temporary files
  too_deep,    // below more than max_depth folders
  foreign,     // marked by an overlay feature that agents' mounts do not have
};
constexpr std::size_t max_depth = 200;        // folders above a file; two descriptors for each are open at once
constexpr std::size_t max_entries = 1000000;  // of one layer, to be listed or committed

struct Change {
  std::string path;  // relative to the workspace, any bytes but NUL
  What what{};
  Side before, after;
  bool content{}, mode{}, times{}, xattrs{}, links{};  // of a modified one: what differs
  bool privileged{};                                   // has setuid, setgid or sticky bits that commit leaves out
  bool leads_out{};                                    // a link to a path that is not in the workspace
  bool binary{};                                       // a file that is no text, before or after
  std::string_view protection;                         // why it is protected; empty: it is not
  Conflict conflict{};
  Obstacle obstacle{};

  [[nodiscard]] bool only_times() const {
    return what == What::modified && times && !content && !mode && !xattrs && !links && before.kind == after.kind;
  }
};

// The permission bits that commit keeps: no setuid anywhere, setgid and sticky on directories only.
[[nodiscard]] constexpr std::uint32_t kept_mode(Kind kind, std::uint32_t mode) {
  return mode & (kind == Kind::directory ? 03777U : 0777U);
}

}  // namespace agentos::workspace
