#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"
#include "os/cgroup.hpp"
#include "spawnd/tenants.hpp"

namespace agentos::spawnd {

// The BPF programs that count what agents do (bpf/include/agentos/meter.h). They, their maps and their links are pinned
// below /sys/fs/bpf, so that nothing is missed while spawnd is not there: it finds them again. One program serves every
// agent: a start costs two updates of maps.
class Meter {
 public:
  // For agents two levels below the cgroup `slice` of the hierarchy mounted at `cgroup_root`. ErrorKind::unsupported:
  // this kernel cannot, or this is not its first cgroup namespace.
  static Result<Meter> open(const std::string& cgroup_root, const std::string& slice);
  Meter(Meter&&) noexcept;
  Meter& operator=(Meter&&) noexcept;
  ~Meter();

  // From now on the agent with this cgroup is counted in the row (its number of uid range), from zero on; one that is
  // counted already goes on.
  [[nodiscard]] Result<> begin(std::uint32_t row, const os::Cgroup& agent);
  // After a restart: those that are there are counted, and nobody else.
  [[nodiscard]] Result<> adopt(const std::vector<Tenants::Adopted>& agents);
  // What was counted stays until the row is somebody else's.
  void end(std::uint32_t row);

  // The accounts, only to be read, and the ring buffer of events.
  struct Readers {
    UniqueFd accounts, events;
  };
  [[nodiscard]] Result<Readers> readers() const;

  // Whether scripts are known by their file, not only by the name they were asked for by.
  [[nodiscard]] bool knows_scripts() const;

  // Where no agent is counted: takes the programs out of the kernel.
  void leave();

 private:
  struct State;
  explicit Meter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace agentos::spawnd
