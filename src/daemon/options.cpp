#include "daemon/options.hpp"

#include <CLI/CLI.hpp>

namespace agentos::daemon {

std::optional<int> parse_options(int count, char** arguments, Options& options) {
  CLI::App app(
      "The control plane of agentos: serves the API that the agentos command uses, and keeps the agents' records.\n"
      "Runs as an ordinary user without privileges; agentos-spawnd starts the agents.");
  app.set_version_flag("--version", std::string("agentosd " AGENTOS_VERSION));
  app.add_option("--socket", options.socket, "Where the API is served")->capture_default_str();
  app.add_option("--spawnd-socket", options.spawnd_socket, "Where agentos-spawnd listens")->capture_default_str();
  app.add_option("--state-dir", options.state_dir, "Records, logs and exit statuses of agents")->capture_default_str();
  app.add_option("--run-dir", options.run_dir, "Sockets of the agents that run")->capture_default_str();
  app.add_option("--config", options.config, "Tenants and roles; read again on SIGHUP")->capture_default_str();
  app.add_option("--policies-dir", options.folders.policies, "Administrators' policies")->capture_default_str();
  app.add_option("--tenants-dir", options.folders.tenants, "Ceilings of tenants")->capture_default_str();
  app.add_option("--profiles-dir", options.folders.profiles, "Policies of the package")->capture_default_str();
  app.add_option("--user", options.user, "Started as root: become this user first");
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return std::nullopt;
}

}  // namespace agentos::daemon
