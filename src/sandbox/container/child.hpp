#pragma once

#include <sys/types.h>

#include <span>

#include "agentos/model/plan.hpp"
#include "sandbox/container/root_fs.hpp"

namespace agentos::container {

struct ChildInput {
  const Plan* plan;
  int go;        // a byte arrives when the id maps are written
  int go_write;  // its other end: closed first, so that the child ends when the parent does
  int report;    // ChildReport
  int init_binary;
  RootParts root;
  std::span<const int> init_fds;  // for init_fd::spec and up; -1: none
};

// The life of the child from clone3 to exec of agentos-init: root file system, network, limits, confinement. Runs with
// every capability in its own user namespace and none on the host. Plain data only; nothing here allocates.
[[noreturn]] void run_child(const ChildInput& input);

}  // namespace agentos::container
