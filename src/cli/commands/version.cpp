#include <boost/json/object.hpp>

#include "cli/command.hpp"
#include "cli/json_text.hpp"
#include "cli/report.hpp"

namespace agentos::cli {
namespace {

class Version final : public Command {
 public:
  void declare(Options&) override {}

  Result<int> run(Context& context) override {
    boost::json::object self{{"version", AGENTOS_VERSION}, {"api", client::api_version}};
    if (!context.json)
      AGENTOS_TRY(print("agentos  " AGENTOS_VERSION " (API " + std::string(client::api_version) + ")\n"));
    const auto answer = context.client().call({.target = "/v1/version"});
    if (context.json) {
      boost::json::object both{{"client", self}};
      both["server"] = answer ? answer->body : boost::json::value();
      AGENTOS_TRY(print(json_pretty(both)));
    }
    if (!answer) return std::unexpected(answer.error());
    const auto text = [&](const char* key) {
      const auto* value = answer->body.is_object() ? answer->body.get_object().if_contains(key) : nullptr;
      return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string("unknown");
    };
    if (!context.json) AGENTOS_TRY(print("agentosd " + text("version") + " (API " + text("api") + ")\n"));
    if (text("api") != client::api_version) {
      return fail(
          ErrorKind::unsupported,
          "agentosd speaks version " + text("api") + " of the API, this agentos " + std::string(client::api_version),
          "install the same version of both and restart agentosd");
    }
    if (text("version") != AGENTOS_VERSION && !context.json)
      note("the versions differ; after an upgrade restart agentosd (agents go on)");
    return exit_status::ok;
  }
};

}  // namespace

std::unique_ptr<Command> make_version() {
  return std::make_unique<Version>();
}

}  // namespace agentos::cli
