#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "agentos/base/codec.hpp"
#include "agentos/base/result.hpp"
#include "agentos/model/init_spec.hpp"

// The stream between agentos-init and whoever is attached: a SOCK_SEQPACKET unix socket, one frame a packet, the first
// byte is the type. agentosd opens the connection, sends `hello`, and hands the descriptor to the CLI, so that an
// attached terminal goes on while agentosd restarts.
namespace agentos {

constexpr std::size_t attach_data_max = 32 * 1024;    // bytes of one data frame
constexpr std::size_t attach_frame_max = 160 * 1024;  // a hello with a command line is the largest

enum class FrameType : std::uint8_t {
  // to init
  hello,      // first, exactly once (the descriptor init_fd::client needs none: it is attached to the agent)
  input,      // bytes for stdin; the next only after `taken`, so that nothing else ever waits behind input
  input_end,  // end of file on stdin (pipes)
  resize,     // rows, columns
  signal,     // number, for the agent's foreground process group (tty) or main process; of an exec: of its process
  // from init
  started,       // the program was executed; for attach: it is running
  output,        // bytes of stdout, or of the tty
  error_output,  // bytes of stderr
  exited,        // wait status; the last frame
  refused,       // errno and words: no such program, too many clients, ...; the last frame
  taken,         // the last `input` has gone where it belongs
};

struct Hello {
  enum class Purpose : std::uint8_t {
    attach,   // output from now on, and input
    exec,     // run a further program in the sandbox
    control,  // nothing is relayed: only `signal` is sent
  };
  std::uint32_t version{init_protocol_version};
  Purpose purpose{};
  Program program;  // exec; attach uses rows and columns when not 0

  [[nodiscard]] std::string encode() const;  // with the type byte
};

struct Frame {
  FrameType type{};
  std::string_view data;  // input, output, error_output: bytes; refused: words. Points into the packet.
  std::uint16_t rows{}, columns{};
  std::int32_t number{};  // signal number; wait status as of waitpid(2); errno

  // A hello is given as its own message.
  static Result<Frame> decode(std::string_view packet);
  static Result<Hello> decode_hello(std::string_view packet);
  [[nodiscard]] std::string encode() const;
};

}  // namespace agentos
