#include "daemon/witness.hpp"

#include <ctime>

#include "observer/meter/describe.hpp"

namespace agentos::daemon {
namespace {

std::int64_t ns_of(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

AuditEntry withheld_entry(std::uint64_t records) {
  return {std::string(audit_kind::audit_withheld), {}, {}, "{\"records\":" + std::to_string(records) + "}"};
}

// The event in these bytes, which are aligned for anything (a std::string's memory is).
const agentos_event& held_event(const std::string& bytes) {
  return *reinterpret_cast<const agentos_event*>(bytes.data());
}

}  // namespace

void Witness::began(std::uint64_t cgroup, const Agent& agent) {
  const auto now = now_();
  forget_old(now);
  const auto [at, added] = known_.try_emplace(cgroup, Known{agent.id, agent.tenant, observer::Share(terms_, now)});
  if (!added) return;
  cgroups_.insert_or_assign(agent.id, cgroup);
  std::erase_if(early_, [&](const Early& early) {
    if (held_event(early.bytes).cgroup != cgroup) return false;
    record(at->second, held_event(early.bytes));
    return true;
  });
}

void Witness::ended(const std::string& agent) {
  const auto found = cgroups_.find(agent);
  if (found == cgroups_.end()) return;
  const auto cgroup = found->second;
  cgroups_.erase(found);
  if (const auto known = known_.find(cgroup); known != known_.end()) say_withheld(known->second);
  leaving_.emplace_back(now_(), cgroup);
}

void Witness::heard(const agentos_event& event) {
  const auto now = now_();
  forget_old(now);
  const auto found = known_.find(event.cgroup);
  if (found != known_.end()) {
    record(found->second, event);
  } else if (early_.size() < early_max) {
    early_.push_back({now, std::string(reinterpret_cast<const char*>(&event), event.size)});
  } else {
    ++strange_;
  }
}

std::uint64_t Witness::withheld(std::uint64_t cgroup) const {
  const auto found = known_.find(cgroup);
  return found == known_.end() ? 0 : found->second.share.withheld();
}

void Witness::record(Known& known, const agentos_event& event) {
  if (!known.share.take(terms_, now_())) return;
  say_withheld(known);
  auto entry = observer::describe(event, ns_of(CLOCK_REALTIME) - ns_of(CLOCK_BOOTTIME));
  entry.agent = known.agent;
  entry.tenant = known.tenant;
  journal_.append(std::move(entry));
}

void Witness::say_withheld(Known& known) {
  const auto records = known.share.take_untold();
  if (records == 0) return;
  auto entry = withheld_entry(records);
  entry.agent = known.agent;
  entry.tenant = known.tenant;
  journal_.append(std::move(entry));
}

void Witness::forget_old(Clock::time_point now) {
  for (; !early_.empty() && now - early_.front().at > patience; early_.pop_front()) ++strange_;
  // Of an agent that was started and never became known, or too many at once: nobody's, and said.
  if (strange_ != 0 && early_.size() < early_max) journal_.append(withheld_entry(std::exchange(strange_, 0)));
  for (; !leaving_.empty() && now - leaving_.front().first > patience; leaving_.pop_front()) {
    const auto found = known_.find(leaving_.front().second);
    if (found == known_.end()) continue;
    say_withheld(found->second);
    known_.erase(found);
  }
}

}  // namespace agentos::daemon
