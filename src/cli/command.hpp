#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "agentos/base/result.hpp"
#include "agentos/client/client.hpp"
#include "cli/options.hpp"

namespace agentos::cli {

// What every command knows.
struct Context {
  std::string socket;
  std::string tenant;  // empty: the caller's first
  bool json{};

  [[nodiscard]] client::Client client() const { return client::Client(socket); }
  // "/v1/agents/REF/action?tenant=T&...": `query` without '?', already escaped.
  [[nodiscard]] std::string agent_target(std::string_view ref, std::string_view action = {},
                                         std::string query = {}) const;
  [[nodiscard]] std::string with_tenant(std::string_view path, std::string query = {}) const;
};

class Command {
 public:
  Command() = default;
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;
  virtual ~Command() = default;
  virtual void declare(Options& options) = 0;
  // The exit status.
  virtual Result<int> run(Context& context) = 0;
};

struct CommandInfo {
  const char* name;
  const char* group;
  const char* summary;
  std::unique_ptr<Command> (*make)();
  bool program_status{};  // its exit status is a program's, so an error of agentos itself is always 125
  bool has_json{true};    // takes --json
  bool has_tenant{true};  // takes --tenant
};

// In the order of `agentos --help`.
[[nodiscard]] std::span<const CommandInfo> commands();
[[nodiscard]] const CommandInfo* command_named(std::string_view name);

// Declares the options that commands share, then the command's own.
void declare(const CommandInfo& info, Command& command, Context& context, Options& options);

std::unique_ptr<Command> make_run();
std::unique_ptr<Command> make_exec();
std::unique_ptr<Command> make_attach();
std::unique_ptr<Command> make_ps();
std::unique_ptr<Command> make_stats();
std::unique_ptr<Command> make_top();
std::unique_ptr<Command> make_inspect();
std::unique_ptr<Command> make_logs();
std::unique_ptr<Command> make_diff();
std::unique_ptr<Command> make_commit();
std::unique_ptr<Command> make_discard();
std::unique_ptr<Command> make_pause();
std::unique_ptr<Command> make_resume();
std::unique_ptr<Command> make_terminate();
std::unique_ptr<Command> make_wait();
std::unique_ptr<Command> make_rm();
std::unique_ptr<Command> make_prune();
std::unique_ptr<Command> make_policy();
std::unique_ptr<Command> make_why();
std::unique_ptr<Command> make_audit();
std::unique_ptr<Command> make_doctor();
std::unique_ptr<Command> make_selftest();
std::unique_ptr<Command> make_version();

}  // namespace agentos::cli
