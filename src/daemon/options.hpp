#pragma once

#include <optional>
#include <string>

#include "daemon/policies.hpp"

namespace agentos::daemon {

struct Options {
  std::string socket{"/run/agentos/agentos.sock"};
  std::string spawnd_socket{"/run/agentos-spawnd/spawnd.sock"};
  std::string state_dir{"/var/lib/agentos"};
  std::string run_dir{"/run/agentos"};
  std::string config{"/etc/agentos/agentos.yaml"};
  PolicyFolders folders;
  std::string user;  // to become when started as root
};

// The exit status where there is nothing more to do (--help, --version, a wrong option).
[[nodiscard]] std::optional<int> parse_options(int count, char** arguments, Options& options);

}  // namespace agentos::daemon
