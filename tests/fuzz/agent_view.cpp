#include "cli/agent_view.hpp"

#include <boost/json/parse.hpp>

#include "agentos/base/text.hpp"
#include "cli/doctor_report.hpp"
#include "cli/top_model.hpp"
#include "fuzz.hpp"

namespace {

using namespace agentos;
using namespace agentos::cli;

bool is_safe(std::string_view shown) {
  return printable(shown, true) == shown;
}

void look(const AgentView& view) {
  (void)view.text("goal");
  (void)view.number("pid");
  (void)view.usage("cpu_usec");
  (void)view.activity("sent", "bytes");
  (void)view.owner();
  (void)view.command_line();
  (void)view.workspace_path();
  (void)view.workspace_mode();
  (void)view.not_enforced();
  (void)view.changed();
  (void)view.ended();
  const int status = view.shell_status();
  AGENTOS_ASSERT(status >= 0 && status <= 255);
  for (const auto* key : {"created", "started"}) {
    if (const auto time = view.time(key)) AGENTOS_ASSERT(is_safe(format_time(*time)));
  }
}

}  // namespace

// Answers of an agentosd, perhaps of another version, with texts that agents chose: the CLI reads them whatever their
// members are, and what it shows is safe.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  boost::system::error_code error;
  const auto body = boost::json::parse(fuzz::text_of(data, size), error);
  if (error) return 0;
  look(AgentView(body));
  const auto agents = agents_of(body);
  for (const auto& agent : agents) look(agent);
  TopModel top;
  const Time now{std::chrono::seconds(1'700'000'000)};
  const std::chrono::steady_clock::time_point start{std::chrono::seconds(100)};
  top.sample(agents, start, now);
  top.sample(agents, start + std::chrono::seconds(1), now);
  for (const auto order : {TopModel::Order::cpu, TopModel::Order::memory, TopModel::Order::pids, TopModel::Order::age})
    top.order_by(order);
  AGENTOS_ASSERT(is_safe(top.table().text()) && is_safe(top.summary()));
  DoctorReport report;
  report.add_features(body);
  AGENTOS_ASSERT(is_safe(report.text()));
  return 0;
}
