#include <unistd.h>

#include <algorithm>
#include <array>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "cli/agent_view.hpp"
#include "cli/command.hpp"
#include "cli/json_text.hpp"
#include "cli/report.hpp"

namespace agentos::cli {
namespace {

class Prune final : public Command {
 public:
  void declare(Options& options) override {
    options.flag("-f,--force", force_, "Do not ask");
    options.examples("  agentos prune -f");
  }

  Result<int> run(Context& context) override {
    if (!force_ && !AGENTOS_TRY(agreed(context))) return exit_status::error;
    boost::json::object body;
    if (!context.tenant.empty()) body["tenant"] = context.tenant;
    const auto answer =
        AGENTOS_TRY(context.client().call({.method = "POST", .target = "/v1/prune", .body = std::move(body)}));
    if (context.json) {
      AGENTOS_TRY(print(json_pretty(answer.body)));
      return exit_status::ok;
    }
    std::string lines;
    for (const auto& id : ids(answer.body, "removed")) lines += id + "\n";
    AGENTOS_TRY(print(lines));
    for (const auto& id : ids(answer.body, "kept")) {
      note(id + " is kept: it has written what nobody has committed ('agentos diff " + id + "')");
    }
    return exit_status::ok;
  }

 private:
  static std::vector<std::string> ids(const boost::json::value& answer, std::string_view key) {
    std::vector<std::string> found;
    const auto* list = answer.is_object() ? answer.get_object().if_contains(key) : nullptr;
    if (list == nullptr || !list->is_array()) return found;
    for (const auto& id : list->get_array()) {
      if (id.is_string()) found.emplace_back(id.get_string());
    }
    return found;
  }

  static Result<bool> agreed(const Context& context) {
    if (::isatty(STDIN_FILENO) != 1)
      return fail(ErrorKind::invalid, "prune: there is nobody to ask", "give -f to remove without asking");
    const auto answer = AGENTOS_TRY(context.client().call({.target = context.with_tenant("/v1/agents", "all=true")}));
    const auto agents = agents_of(answer.body);
    const auto count = std::ranges::count_if(agents, [](const AgentView& agent) { return agent.ended(); });
    if (count == 0) {
      note("no agent has ended");
      return false;
    }
    note("this removes " + std::to_string(count) + (count == 1 ? " agent that has" : " agents that have") +
         " ended, with their logs. Go on? [y/N]");
    std::array<char, 256> typed{};
    const ssize_t size = ::read(STDIN_FILENO, typed.data(), typed.size());
    return size > 0 && (typed[0] == 'y' || typed[0] == 'Y');
  }

  bool force_{};
};

}  // namespace

std::unique_ptr<Command> make_prune() {
  return std::make_unique<Prune>();
}

}  // namespace agentos::cli
