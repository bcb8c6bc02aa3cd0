#include "agentos/client/event_stream.hpp"

#include <utility>

namespace agentos::client {

void EventParser::feed(std::string_view bytes) {
  bytes_.erase(0, std::exchange(start_, 0));
  bytes_.append(bytes);
  if (bytes_.size() + data_.size() > pending_max) overflowed_ = true;
}

std::optional<ServerEvent> EventParser::next() {
  while (!ready_) {
    const auto end = bytes_.find_first_of("\r\n", start_);
    if (end == std::string::npos) return std::nullopt;
    // A CR at the end of what has come may be half of a CR LF.
    if (bytes_[end] == '\r' && end + 1 == bytes_.size()) return std::nullopt;
    const std::string_view line = std::string_view(bytes_).substr(start_, end - start_);
    start_ = end + (bytes_[end] == '\r' && bytes_[end + 1] == '\n' ? 2 : 1);
    take_line(line);
  }
  return std::exchange(ready_, std::nullopt);
}

void EventParser::take_line(std::string_view line) {
  if (!std::exchange(begun_, true) && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
  if (line.empty()) {
    if (std::exchange(has_data_, false)) {
      ready_ = ServerEvent{name_.empty() ? "message" : std::move(name_), std::move(data_)};
    }
    name_.clear();
    data_.clear();
    return;
  }
  const auto colon = line.find(':');
  const auto field = line.substr(0, colon);
  auto value = colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "data") {
    if (std::exchange(has_data_, true)) data_ += '\n';
    data_ += value;
  } else if (field == "event") {
    name_ = value;
  }
}

}  // namespace agentos::client
