#include <algorithm>

#include <boost/json/array.hpp>

#include "agentos/base/text.hpp"
#include "cli/agent_view.hpp"
#include "cli/command.hpp"
#include "cli/json_text.hpp"
#include "cli/policy_choice.hpp"
#include "cli/report.hpp"
#include "cli/table.hpp"
#include "cli/workspace.hpp"

namespace agentos::cli {
namespace {

const boost::json::array& list_of(const boost::json::value& value, std::string_view key) {
  static const boost::json::array none;
  const auto* found = value.is_object() ? value.get_object().if_contains(key) : nullptr;
  return found != nullptr && found->is_array() ? found->get_array() : none;
}

std::string word(const boost::json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : std::string();
}

class Policy final : public Command {
 public:
  void declare(Options& options) override {
    options.positionals("VERB", arguments_, "check FILE..., list, show NAME, explain [NAME], diff A B, or reload");
    choice_.declare(options);
    options.flag("--ceiling", ceiling_, "check: the file is a tenant's, which may hold 'policies'");
    options.value("-w,--workspace", "DIR", workspace_,
                  "explain: the folder the agent would work in (default: this one)");
    options.examples(
        "  agentos policy list\n"
        "  agentos policy explain build\n"
        "  agentos policy check mine.yaml && agentos run --policy-file mine.yaml -- make\n"
        "  agentos policy diff default ./mine.yaml");
  }

  Result<int> run(Context& context) override {
    const std::string verb = arguments_.front();
    const auto rest = std::span<const std::string>(arguments_).subspan(1);
    struct Verb {
      std::string_view name;
      std::size_t least, most;
      Result<int> (Policy::*run)(const Context&, std::span<const std::string>) const;
    };
    static constexpr std::array verbs{
        Verb{"check", 1, 1000, &Policy::check}, Verb{"list", 0, 0, &Policy::list},
        Verb{"show", 1, 1, &Policy::show},      Verb{"explain", 0, 1, &Policy::explain},
        Verb{"diff", 2, 2, &Policy::diff},      Verb{"reload", 0, 0, &Policy::reload},
    };
    const auto found = std::ranges::find(verbs, std::string_view(verb), &Verb::name);
    if (found == verbs.end()) {
      return fail(ErrorKind::invalid, "policy: there is no '" + verb + "'",
                  "agentos policy check, list, show, explain, diff or reload");
    }
    if (rest.size() < found->least || rest.size() > found->most)
      return fail(ErrorKind::invalid, "policy " + verb + ": wrong number of arguments", "see agentos policy --help");
    return (this->*found->run)(context, rest);
  }

 private:
  static Result<boost::json::value> post(const Context& context, const char* path, boost::json::object body) {
    auto reply = AGENTOS_TRY(
        context.client().call({.method = "POST", .target = context.with_tenant(path), .body = std::move(body)}));
    return std::move(reply.body);
  }

  static std::string lines_text(const boost::json::value& body) {
    Table table({"KEY", "VALUE", "FROM"});
    for (const auto& line : list_of(body, "lines")) {
      const AgentView view(line);
      table.add({view.text("key"), view.text("value"), view.text("at")});
    }
    return table.text();
  }

  static void tell_notes(const boost::json::value& body) {
    for (const auto& one : list_of(body, "notes")) note(word(one));
  }

  Result<int> check(const Context& context, std::span<const std::string> files) const {
    bool good = true;
    boost::json::array all;
    for (const auto& file : files) {
      auto text = AGENTOS_TRY(read_policy(file));
      auto body = AGENTOS_TRY(post(context, "/v1/policies/check",
                                   {{"name", file}, {"text", std::move(text)}, {"tenant_ceiling", ceiling_}}));
      const auto& errors = list_of(body, "errors");
      good = good && errors.empty();
      if (context.json) {
        body.as_object()["file"] = file;
        all.push_back(std::move(body));
        continue;
      }
      for (const auto& error : errors) AGENTOS_TRY(print(printable(AgentView(error).text("text")) + "\n"));
      if (errors.empty()) AGENTOS_TRY(print(printable(file) + ": good\n"));
    }
    if (context.json) AGENTOS_TRY(print(json_pretty(all)));
    return good ? exit_status::ok : exit_status::error;
  }

  Result<int> list(const Context& context, std::span<const std::string>) const {
    const auto reply = AGENTOS_TRY(context.client().call({.target = context.with_tenant("/v1/policies")}));
    if (context.json) {
      AGENTOS_TRY(print(json_pretty(reply.body)));
      return exit_status::ok;
    }
    Table table({"POLICY", "STATE", "FILE"});
    for (const auto& policy : list_of(reply.body, "policies")) {
      const AgentView view(policy);
      table.add({view.text("name"), view.text("state"), view.text("path")});
    }
    for (const auto& tenant : list_of(reply.body, "tenants")) {
      const AgentView view(tenant);
      table.add({"tenant " + view.text("name"), view.text("state"), view.text("path")});
    }
    AGENTOS_TRY(print(table.text()));
    for (const auto* key : {"policies", "tenants"}) {
      for (const auto& file : list_of(reply.body, key)) {
        const AgentView view(file);
        const auto fault = view.text("fault"), read = view.text("read");
        if (!fault.empty())
          note(fault + (read.empty() ? "" : "; the last good version, read at " + read + ", is in force"));
      }
    }
    return exit_status::ok;
  }

  Result<int> show(const Context& context, std::span<const std::string> names) const {
    const auto reply =
        AGENTOS_TRY(context.client().call({.target = context.with_tenant("/v1/policies/" + client::escape(names[0]))}));
    const AgentView view(reply.body);
    if (const auto fault = view.text("fault"); !fault.empty() && !context.json)
      note("the last good version, read at " + view.text("read") +
           ", is in force, and shown; the file holds: " + fault);
    AGENTOS_TRY(print(context.json ? json_pretty(reply.body)
                                   : "# " + printable(view.text("path")) + "\n" + printable(view.text("text"), true)));
    return exit_status::ok;
  }

  Result<int> explain(const Context& context, std::span<const std::string> names) const {
    boost::json::object body;
    AGENTOS_TRY(choice_.put(body));
    if (!names.empty()) body["policy"] = names[0];
    body["workspace"] = AGENTOS_TRY(open_workspace(workspace_)).path;
    const auto answer = AGENTOS_TRY(post(context, "/v1/policies/explain", std::move(body)));
    if (context.json) {
      AGENTOS_TRY(print(json_pretty(answer)));
      return exit_status::ok;
    }
    tell_notes(answer);
    std::string text = "policy " + printable(AgentView(answer).text("policy")) + "\n\n" + lines_text(answer) +
                       "\nWhat the agent gets:\n" + printable(AgentView(answer).text("plan"), true);
    for (const auto& row : list_of(answer, "not_enforced")) {
      const AgentView view(row);
      text += "not enforced on this host: " + printable(view.text("feature")) + " (" + printable(view.text("remedy")) +
              ")\n";
    }
    AGENTOS_TRY(print(text));
    return exit_status::ok;
  }

  // NAME, or a file where it looks like one.
  static Result<boost::json::object> side(const std::string& given) {
    if (given.find('/') == std::string::npos && !given.ends_with(".yaml")) return boost::json::object{{"name", given}};
    return boost::json::object{{"name", given}, {"file", true}, {"text", AGENTOS_TRY(read_policy(given))}};
  }

  Result<int> diff(const Context& context, std::span<const std::string> names) const {
    auto from = AGENTOS_TRY(side(names[0]));
    auto to = AGENTOS_TRY(side(names[1]));
    const auto answer =
        AGENTOS_TRY(post(context, "/v1/policies/diff", {{"from", std::move(from)}, {"to", std::move(to)}}));
    if (context.json) {
      AGENTOS_TRY(print(json_pretty(answer)));
      return exit_status::ok;
    }
    for (const auto& line : list_of(answer, "differences")) AGENTOS_TRY(print(printable(word(line)) + "\n"));
    return exit_status::ok;
  }

  Result<int> reload(const Context& context, std::span<const std::string>) const {
    const auto answer = AGENTOS_TRY(post(context, "/v1/policies/reload", {}));
    const AgentView view(answer);
    const auto& faults = list_of(answer, "faults");
    if (context.json) {
      AGENTOS_TRY(print(json_pretty(answer)));
    } else {
      AGENTOS_TRY(print(std::to_string(view.number("policies").value_or(0)) + " policies, " +
                        std::to_string(view.number("tenants").value_or(0)) + " tenants with ceilings\n"));
      for (const auto& fault : faults) note(word(fault));
    }
    return faults.empty() ? exit_status::ok : exit_status::error;
  }

  std::vector<std::string> arguments_;
  PolicyChoice choice_;
  bool ceiling_{};
  std::string workspace_;
};

}  // namespace

std::unique_ptr<Command> make_policy() {
  return std::make_unique<Policy>();
}

}  // namespace agentos::cli
