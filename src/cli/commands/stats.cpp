#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "agentos/base/text.hpp"
#include "cli/agent_view.hpp"
#include "cli/answers.hpp"
#include "cli/json_text.hpp"
#include "cli/report.hpp"
#include "cli/table.hpp"

namespace agentos::cli {
namespace {

std::string counted(const std::optional<std::int64_t>& number) {
  return number ? std::to_string(*number) : "-";
}

std::string sized(const std::optional<std::int64_t>& bytes) {
  return bytes ? format_bytes(static_cast<std::uint64_t>(std::max<std::int64_t>(0, *bytes))) : "-";
}

class Stats final : public Command {
 public:
  void declare(Options& options) override {
    options.flag("-a,--all", all_, "Also agents that have ended");
    options.positionals("AGENT", wanted_, "Ids or names (default: those that run)", 0);
    options.examples(
        "  agentos stats builder\n"
        "  agentos stats -a --json | jq '.[] | select(.activity.connects > 0) | .id'");
  }

  Result<int> run(Context& context) override {
    boost::json::array found;
    int status = exit_status::ok;
    if (wanted_.empty()) {
      const auto target = context.with_tenant("/v1/agents", all_ ? "all=true" : "all=false");
      const auto answer = AGENTOS_TRY(context.client().call({.target = target}));
      const auto* list = answer.body.is_object() ? answer.body.get_object().if_contains("agents") : nullptr;
      if (list != nullptr && list->is_array()) found = list->get_array();
    } else {
      const auto look = [&](const std::string& agent) -> Result<> {
        found.push_back(AGENTOS_TRY(context.client().call({.target = context.agent_target(agent)})).body);
        return {};
      };
      status = AGENTOS_TRY(for_each_agent(context, wanted_, look));
    }
    AGENTOS_TRY(print(context.json ? json_pretty(json(found)) : table(found)));
    return status;
  }

 private:
  static std::string table(const boost::json::array& agents) {
    Table table({"AGENT", "STATUS", "PROCESSES", "THREADS", "PROGRAMS", "CONNECTIONS", "SENT", "RECEIVED"});
    for (const auto& value : agents) {
      const AgentView agent(value);
      table.add({agent.label(), agent.status(), counted(agent.activity("forks")), counted(agent.activity("threads")),
                 counted(agent.activity("execs")), counted(agent.activity("connects")),
                 sized(agent.activity("sent", "bytes")), sized(agent.activity("received", "bytes"))});
    }
    return table.text();
  }

  static boost::json::array json(const boost::json::array& agents) {
    boost::json::array rows;
    for (const auto& value : agents) {
      const auto& agent = value.as_object();
      boost::json::object row;
      for (const auto* key : {"id", "name", "status"}) row[key] = agent.contains(key) ? agent.at(key) : nullptr;
      const auto* usage = agent.if_contains("usage");
      const auto* activity =
          usage != nullptr && usage->is_object() ? usage->get_object().if_contains("activity") : nullptr;
      row["activity"] = activity != nullptr ? *activity : nullptr;
      rows.push_back(std::move(row));
    }
    return rows;
  }

  bool all_{};
  std::vector<std::string> wanted_;
};

}  // namespace

std::unique_ptr<Command> make_stats() {
  return std::make_unique<Stats>();
}

}  // namespace agentos::cli
