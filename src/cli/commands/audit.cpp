#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "agentos/base/text.hpp"
#include "cli/agent_view.hpp"
#include "cli/command.hpp"
#include "cli/json_text.hpp"
#include "cli/report.hpp"
#include "observer/journal/verify.hpp"

namespace agentos::cli {
namespace {

class Audit final : public Command {
 public:
  void declare(Options& options) override {
    options.flag("-f,--follow", follow_, "Go on with what is recorded from now on");
    options.value("--since", "TIME", since_, "From this time on: 10m (ago), or 2026-11-23T15:00:00Z");
    options.value("--kind", "KIND", kind_, "Only this kind: agent.status, or agent for all that begin so");
    options.flag("-a,--all", all_, "Of all tenants and the host itself: takes the role admin in each tenant");
    options.value("--journal", "DIR", journal_, "verify: where the journal is (default: /var/lib/agentos/journal)");
    options.positionals("AGENT", agents_, "Id or name; or the word verify: hold the journal to its chain of hashes", 0);
    options.examples(
        "  agentos audit --since 1h builder\n"
        "  agentos audit --all --kind api.refused --json\n"
        "  sudo agentos audit verify");
  }

  Result<int> run(Context& context) override {
    if (agents_.size() > 1) return fail(ErrorKind::invalid, "audit: give one agent, or none");
    if (!agents_.empty()) agent_ = agents_.front();
    if (agent_ == "verify") return verify(context);
    std::string query = "limit=1000";
    if (!since_.empty()) query += "&since=" + client::escape(AGENTOS_TRY(since_time(since_)));
    if (!kind_.empty()) query += "&kind=" + client::escape(kind_);
    if (!agent_.empty()) query += "&agent=" + client::escape(agent_);
    if (all_) query += "&all=true";
    return follow_ ? follow(context, query) : list(context, query);
  }

 private:
  static Result<> show(const Context& context, const boost::json::value& record) {
    if (context.json) return print(json_line(record));
    const AgentView view(record);
    const auto* body = record.is_object() ? record.get_object().if_contains("body") : nullptr;
    const auto agent = view.text("agent");
    return print(printable(view.text("time") + "  " + view.text("kind") + "  " + (agent.empty() ? "-" : agent) + "  " +
                           (body != nullptr ? boost::json::serialize(*body) : "")) +
                 "\n");
  }

  static Result<int> list(const Context& context, const std::string& query) {
    for (std::string after;;) {
      const auto reply =
          AGENTOS_TRY(context.client().call({.target = context.with_tenant("/v1/audit", query + after)}));
      const AgentView page(reply.body);
      const auto* records = reply.body.is_object() ? reply.body.get_object().if_contains("records") : nullptr;
      if (records == nullptr || !records->is_array())
        return fail(ErrorKind::internal, "agentosd sent a malformed page of audit records");
      for (const auto& record : records->get_array()) AGENTOS_TRY(show(context, record));
      if (!page.flag("more")) return exit_status::ok;
      after = "&after=" + std::to_string(page.number("last").value_or(0));
    }
  }

  static Result<int> follow(const Context& context, const std::string& query) {
    Result<> shown;
    AGENTOS_TRY(context.client().follow(context.with_tenant("/v1/audit/follow", query), [&](const auto& event) {
      boost::system::error_code error;
      const auto record = boost::json::parse(event.data, error);
      shown = error ? fail(ErrorKind::internal, "agentosd sent a malformed audit record") : show(context, record);
      return shown.has_value();
    }));
    if (!shown) return std::unexpected(shown.error());
    return exit_status::ok;
  }

  Result<int> verify(const Context& context) const {
    const auto verdict = AGENTOS_TRY(journal::verify(journal_));
    if (context.json) {
      boost::json::array faults;
      for (const auto& [file, offset, sequence, what] : verdict.faults)
        faults.push_back(
            boost::json::object{{"file", file}, {"offset", offset}, {"sequence", sequence}, {"what", what}});
      AGENTOS_TRY(print(json_pretty(boost::json::object{{"whole", verdict.faults.empty()},
                                                        {"first", verdict.first},
                                                        {"records", verdict.records},
                                                        {"last", verdict.head.sequence},
                                                        {"hash", hex(verdict.head.hash)},
                                                        {"faults", std::move(faults)}})));
    } else {
      for (const auto& [file, offset, sequence, what] : verdict.faults) {
        AGENTOS_TRY(print(printable(file) + " at byte " + std::to_string(offset) + ", record " +
                          std::to_string(sequence) + ": " + printable(what) + "\n"));
      }
      AGENTOS_TRY(print((verdict.faults.empty() ? "whole: " : "DAMAGED: ") + std::to_string(verdict.records) +
                        " records, the last is " + std::to_string(verdict.head.sequence) + " " +
                        hex(verdict.head.hash) + "\n"));
    }
    return verdict.faults.empty() ? exit_status::ok : exit_status::damaged;
  }

  bool follow_{}, all_{};
  std::vector<std::string> agents_;
  std::string since_, kind_, agent_, journal_{"/var/lib/agentos/journal"};
};

}  // namespace

std::unique_ptr<Command> make_audit() {
  return std::make_unique<Audit>();
}

}  // namespace agentos::cli
