#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

// The life cycle of an agent as a table. Manager, man page, API and tests read this one.
namespace agentos {

enum class Status : std::uint8_t {
  submitted,
  admitted,
  starting,
  running,
  paused,
  waiting_for_human,
  stopping,
  completed,
  failed,
  terminated,
  rejected,
};
enum class Event : std::uint8_t {
  admit,
  reject,
  start,
  started,
  start_failed,
  pause,
  resume,
  ask_human,
  human_answered,
  terminate,
  exited_zero,
  exited_nonzero,
  killed,  // ended while stopping, or by the kernel (out of memory), or lost with its host
};

struct Transition {
  Status from;
  Event event;
  Status to;
};

constexpr std::array transitions{
    Transition{Status::submitted, Event::admit, Status::admitted},
    Transition{Status::submitted, Event::reject, Status::rejected},
    Transition{Status::submitted, Event::terminate, Status::terminated},
    Transition{Status::admitted, Event::start, Status::starting},
    Transition{Status::admitted, Event::terminate, Status::terminated},
    Transition{Status::starting, Event::started, Status::running},
    Transition{Status::starting, Event::start_failed, Status::failed},
    Transition{Status::starting, Event::terminate, Status::stopping},
    Transition{Status::starting, Event::killed, Status::failed},
    Transition{Status::running, Event::pause, Status::paused},
    Transition{Status::running, Event::ask_human, Status::waiting_for_human},
    Transition{Status::running, Event::terminate, Status::stopping},
    Transition{Status::running, Event::exited_zero, Status::completed},
    Transition{Status::running, Event::exited_nonzero, Status::failed},
    Transition{Status::running, Event::killed, Status::failed},
    Transition{Status::paused, Event::resume, Status::running},
    Transition{Status::paused, Event::terminate, Status::stopping},
    Transition{Status::paused, Event::exited_zero, Status::completed},  // it ended as the freeze came
    Transition{Status::paused, Event::exited_nonzero, Status::failed},
    Transition{Status::paused, Event::killed, Status::failed},
    Transition{Status::waiting_for_human, Event::human_answered, Status::running},
    Transition{Status::waiting_for_human, Event::terminate, Status::stopping},
    Transition{Status::waiting_for_human, Event::exited_zero, Status::completed},
    Transition{Status::waiting_for_human, Event::exited_nonzero, Status::failed},
    Transition{Status::waiting_for_human, Event::killed, Status::failed},
    Transition{Status::stopping, Event::exited_zero, Status::terminated},
    Transition{Status::stopping, Event::exited_nonzero, Status::terminated},
    Transition{Status::stopping, Event::killed, Status::terminated},
};

[[nodiscard]] constexpr std::optional<Status> next(Status from, Event event) {
  for (const auto& transition : transitions) {
    if (transition.from == from && transition.event == event) return transition.to;
  }
  return std::nullopt;
}

[[nodiscard]] constexpr bool is_final(Status status) {
  for (const auto& transition : transitions) {
    if (transition.from == status) return false;
  }
  return true;
}

[[nodiscard]] std::string_view name(Status status);
[[nodiscard]] std::string_view name(Event event);
[[nodiscard]] std::optional<Status> status_named(std::string_view text);

}  // namespace agentos
