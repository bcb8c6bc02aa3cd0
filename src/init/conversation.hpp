#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include "agentos/model/attach.hpp"

namespace agentos::init {

// What one packet of a client asks for.
namespace ask {
struct Attach {
  std::uint16_t rows{}, columns{};  // 0: as it is
};
struct Exec {
  Program program;
};
struct Control {};
struct Input {
  std::string_view data;  // points into the packet
};
struct InputEnd {};
struct Resize {
  std::uint16_t rows{}, columns{};
};
struct Signal {
  int number{};
};
struct Drop {  // it misbehaves: refuse with these and close
  int number{};
  std::string_view reason;
};
}  // namespace ask

using Ask =
    std::variant<ask::Drop, ask::Attach, ask::Exec, ask::Control, ask::Input, ask::InputEnd, ask::Resize, ask::Signal>;

// The order of frames on one connection, without system calls: bytes in, what is to be done out. Whoever holds a
// connection may be hostile, so everything that is not expected just now is a Drop, and after a Drop everything is.
class Conversation {
 public:
  enum class Kind : std::uint8_t { over, waiting, attach, exec, control };

  Conversation() = default;
  explicit Conversation(Kind kind) : kind_(kind) {}

  [[nodiscard]] Ask receive(std::string_view packet);
  [[nodiscard]] Kind kind() const { return kind_; }

 private:
  [[nodiscard]] Ask receive_hello(std::string_view packet);
  [[nodiscard]] Ask drop(std::string_view reason);

  Kind kind_{Kind::over};
};

}  // namespace agentos::init
