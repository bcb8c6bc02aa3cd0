#include "conversation.hpp"

#include <cerrno>

namespace agentos::init {
namespace {

constexpr int signal_last = 64;  // _NSIG of the kernel

}  // namespace

Ask Conversation::receive(std::string_view packet) {
  if (kind_ == Kind::waiting) return receive_hello(packet);
  if (kind_ == Kind::over) return drop("this connection is over");
  const auto frame = Frame::decode(packet);
  if (!frame) return drop("malformed frame, or a second hello");
  if (frame->type == FrameType::signal) {
    if (frame->number < 1 || frame->number > signal_last) return drop("no such signal");
    return ask::Signal{frame->number};
  }
  if (kind_ == Kind::control) return drop("only signals are sent here");
  switch (frame->type) {
    case FrameType::input:
      return ask::Input{frame->data};
    case FrameType::input_end:
      return ask::InputEnd{};
    case FrameType::resize:
      return ask::Resize{frame->rows, frame->columns};
    default:
      return drop("a frame that only agentos-init sends");
  }
}

Ask Conversation::receive_hello(std::string_view packet) {
  auto hello = Frame::decode_hello(packet);
  if (!hello) return drop("malformed hello, or one of another version");
  switch (hello->purpose) {
    case Hello::Purpose::attach:
      kind_ = Kind::attach;
      return ask::Attach{hello->program.rows, hello->program.columns};
    case Hello::Purpose::exec:
      kind_ = Kind::exec;
      return ask::Exec{std::move(hello->program)};
    case Hello::Purpose::control:
      kind_ = Kind::control;
      return ask::Control{};
  }
  return drop("unknown purpose");
}

Ask Conversation::drop(std::string_view reason) {
  kind_ = Kind::over;
  return ask::Drop{EPROTO, reason};
}

}  // namespace agentos::init
