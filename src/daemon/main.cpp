// agentosd: the control plane. See agentosd(8).
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "daemon/daemon.hpp"
#include "daemon/descriptors.hpp"
#include "daemon/options.hpp"
#include "daemon/privileges.hpp"

int main(int count, char** arguments) {
  using namespace agentos;
  daemon::Options options;
  if (const auto status = daemon::parse_options(count, arguments, options)) return *status;

  spdlog::set_default_logger(spdlog::stderr_logger_st("agentosd"));
  // The journal adds the time.
  spdlog::set_pattern(std::getenv("JOURNAL_STREAM") != nullptr ? "%l: %v" : "%Y-%m-%dT%H:%M:%S.%e %l: %v");

  daemon::raise_descriptor_limit();
  auto done = daemon::become(
      options.user, {options.state_dir, options.run_dir, std::filesystem::path(options.socket).parent_path().string()});
  if (done) done = daemon::run(options);
  if (done) return 0;
  std::fprintf(stderr, "agentosd: %s\n", done.error().message().c_str());
  if (!done.error().hint().empty()) std::fprintf(stderr, "hint: %s\n", done.error().hint().c_str());
  return 1;
}
