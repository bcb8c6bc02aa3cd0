#include "spawnd/tenant_unit.hpp"

#include <cerrno>
#include <chrono>
#include <memory>
#include <string_view>

#include <systemd/sd-bus.h>

namespace agentos::spawnd {
namespace {

using Bus = std::unique_ptr<sd_bus, decltype(&sd_bus_flush_close_unref)>;
using Message = std::unique_ptr<sd_bus_message, decltype(&sd_bus_message_unref)>;
using Slot = std::unique_ptr<sd_bus_slot, decltype(&sd_bus_slot_unref)>;

constexpr auto patience = std::chrono::seconds(10);

struct Job {
  std::string path;    // of the job that is waited for
  std::string result;  // "done" when it ended well
};

int on_job_removed(sd_bus_message* message, void* data, sd_bus_error*) {
  auto& job = *static_cast<Job*>(data);
  std::uint32_t id{};
  const char *path{}, *unit{}, *result{};
  if (sd_bus_message_read(message, "uoss", &id, &path, &unit, &result) >= 0 && job.path == path) job.result = result;
  return 0;
}

}  // namespace

Result<> start_tenant_unit(const std::string& tenant) {
  const std::string unit = "agentos-tenant@" + tenant + ".service";
  const auto hint = "see: systemctl status '" + unit + "'";
  sd_bus* raw_bus{};
  if (const int error = sd_bus_open_system(&raw_bus); error < 0) return fail_errno(-error, "connect to systemd");
  const Bus bus(raw_bus, sd_bus_flush_close_unref);
  constexpr auto service = "org.freedesktop.systemd1";
  constexpr auto object = "/org/freedesktop/systemd1";
  constexpr auto manager = "org.freedesktop.systemd1.Manager";
  Job job;
  sd_bus_slot* raw_slot{};
  if (const int error =
          sd_bus_match_signal(bus.get(), &raw_slot, service, object, manager, "JobRemoved", on_job_removed, &job);
      error < 0) {
    return fail_errno(-error, "watch systemd's jobs");
  }
  const Slot slot(raw_slot, sd_bus_slot_unref);
  sd_bus_error problem = SD_BUS_ERROR_NULL;
  sd_bus_message* raw_reply{};
  const int called = sd_bus_call_method(bus.get(), service, object, manager, "StartUnit", &problem, &raw_reply, "ss",
                                        unit.c_str(), "replace");
  const Message reply(raw_reply, sd_bus_message_unref);
  if (called < 0) {
    std::string why = problem.message == nullptr ? "no answer" : problem.message;
    sd_bus_error_free(&problem);
    return fail(ErrorKind::unavailable, "start " + unit + ": " + why, hint);
  }
  const char* path{};
  if (sd_bus_message_read(reply.get(), "o", &path) < 0)
    return fail(ErrorKind::internal, "unreadable answer of systemd");
  job.path = path;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (job.result.empty()) {
    const int processed = sd_bus_process(bus.get(), nullptr);
    if (processed < 0) return fail_errno(-processed, "wait for " + unit);
    if (processed > 0) continue;
    const auto left =
        std::chrono::duration_cast<std::chrono::microseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return fail(ErrorKind::unavailable, "start " + unit + ": still not there after 10 s", hint);
    if (const int error = sd_bus_wait(bus.get(), static_cast<std::uint64_t>(left.count()));
        error < 0 && error != -EINTR) {
      return fail_errno(-error, "wait for " + unit);
    }
  }
  if (job.result != "done") return fail(ErrorKind::unavailable, "start " + unit + ": " + job.result, hint);
  return {};
}

}  // namespace agentos::spawnd
