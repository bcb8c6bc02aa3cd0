#include "cli/command.hpp"
#include "cli/doctor_report.hpp"
#include "cli/json_text.hpp"
#include "cli/report.hpp"

namespace agentos::cli {
namespace {

class Doctor final : public Command {
 public:
  void declare(Options& options) override {
    options.examples(
        "  agentos doctor\n  agentos doctor --json | jq -r '.checks[] | select(.state == \"absent\").remedy'");
  }

  Result<int> run(Context& context) override {
    DoctorReport doctor;
    const auto version = context.client().call({.target = "/v1/version"});
    doctor.add_daemon(context.socket, version);
    if (version) {
      const auto who = context.client().call({.target = "/v1/whoami"});
      doctor.add_caller(who);
      const auto host = context.client().call({.target = "/v1/host"});
      if (host) {
        doctor.add_features(host->body);
      } else {
        doctor.add_failure("host", host.error());
      }
    }
    AGENTOS_TRY(print(context.json ? json_pretty(doctor.json()) : doctor.text()));
    return doctor.healthy() ? exit_status::ok : exit_status::error;
  }
};

}  // namespace

std::unique_ptr<Command> make_doctor() {
  return std::make_unique<Doctor>();
}

}  // namespace agentos::cli
