#pragma once

#include <cstdint>
#include <vector>

#include "agentos/base/result.hpp"
#include "agentos/model/init_spec.hpp"

namespace agentos::init {

// Who the agent is inside the sandbox.
struct Credentials {
  std::uint32_t uid{}, gid{};
  // This process is already the agent's user and has no capability (tests without root): there is nothing to drop, and
  // no right to drop it. Found by looking, never by being told.
  bool unprivileged{};
  std::vector<ProgramLimit> limits{};  // of its processes, none of init's own

  // ErrorKind::invalid for uid or gid 0: agents are never root, not even inside.
  static Result<Credentials> of_agent(std::uint32_t uid, std::uint32_t gid);
};

// In a child of init: gives up everything init has over the agent, for good, and then looks whether that is so. 0, or
// the errno of what could not be given up. Allocates nothing.
[[nodiscard]] int become(const Credentials& agent);

// While one of these lives, new files belong to the agent: its tty and pipes, which it can then open again by name
// (/dev/stdout, /dev/tty).
class FilesOfAgent {
 public:
  explicit FilesOfAgent(const Credentials& agent);
  FilesOfAgent(const FilesOfAgent&) = delete;
  FilesOfAgent& operator=(const FilesOfAgent&) = delete;
  ~FilesOfAgent();

  [[nodiscard]] bool ok() const { return ok_; }

 private:
  std::uint32_t uid_, gid_;  // before
  bool ok_{};
};

}  // namespace agentos::init
