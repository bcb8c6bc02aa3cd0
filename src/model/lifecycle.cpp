#include "agentos/model/lifecycle.hpp"

namespace agentos {
namespace {

constexpr std::array<std::string_view, 11> status_names{"submitted", "admitted",          "starting", "running",
                                                        "paused",    "waiting_for_human", "stopping", "completed",
                                                        "failed",    "terminated",        "rejected"};
constexpr std::array<std::string_view, 13> event_names{
    "admit",     "reject",         "start",     "started",     "start_failed",   "pause", "resume",
    "ask_human", "human_answered", "terminate", "exited_zero", "exited_nonzero", "killed"};

}  // namespace

std::string_view name(Status status) {
  return status_names.at(static_cast<std::size_t>(status));
}
std::string_view name(Event event) {
  return event_names.at(static_cast<std::size_t>(event));
}

std::optional<Status> status_named(std::string_view text) {
  for (std::size_t i = 0; i < status_names.size(); ++i) {
    if (status_names[i] == text) return static_cast<Status>(i);
  }
  return std::nullopt;
}

}  // namespace agentos
