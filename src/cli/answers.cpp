#include "cli/answers.hpp"

#include "cli/report.hpp"

namespace agentos::cli {
Result<int> for_each_agent(const Context& context, const std::vector<std::string>& refs,
                           const std::function<Result<>(const std::string&)>& action) {
  int status = exit_status::ok;
  for (const auto& ref : refs) {
    const auto done = action(ref);
    if (done) continue;
    report(done.error(), context.json);
    if (status == exit_status::ok) status = status_of(done.error().kind());
    if (done.error().kind() == ErrorKind::unavailable) break;  // the others would only say the same
  }
  return status;
}

}  // namespace agentos::cli
