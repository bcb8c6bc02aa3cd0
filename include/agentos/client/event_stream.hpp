#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace agentos::client {

struct ServerEvent {
  std::string name;  // "message" when the stream names none
  std::string data;
};

// Takes a text/event-stream apart (WHATWG HTML 9.2.6), fed with pieces of any size.
class EventParser {
 public:
  static constexpr std::size_t pending_max = 8 * 1024 * 1024;  // bytes of one event

  void feed(std::string_view bytes);
  [[nodiscard]] std::optional<ServerEvent> next();
  // An event grew past pending_max: the stream is not worth reading on.
  [[nodiscard]] bool overflowed() const { return overflowed_; }

 private:
  void take_line(std::string_view line);

  std::string bytes_;
  std::size_t start_{};  // of the first line not yet taken
  std::string name_, data_;
  bool has_data_{}, overflowed_{}, begun_{};
  std::optional<ServerEvent> ready_;
};

}  // namespace agentos::client
