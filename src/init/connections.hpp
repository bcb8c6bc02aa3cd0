#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "agentos/base/fd.hpp"
#include "conversation.hpp"
#include "process.hpp"

namespace agentos::init {

// One client. A slot of a fixed table: free while it has no socket.
struct Connection {
  UniqueFd socket;
  Conversation conversation;
  Process* process{};       // whose input it feeds and, unless it is a control connection, whose output it gets
  bool runs_it{};           // the process is an exec of this client, hung up with it
  std::string held;         // input that its process has no room for yet
  bool end_held{};          // and the end of input
  bool owes_taken{};        // the word that its input was taken
  std::string last_words;   // `exited` or `refused`, sent after all output; then the connection closes
  std::int64_t hello_by{};  // monotonic ms, while waiting

  [[nodiscard]] bool is(Conversation::Kind kind) const { return socket && conversation.kind() == kind; }
};

// The clients and what they are owed. Sends never wait: what a socket does not take now is sent when poll says so.
class Connections {
 public:
  // Index of the new one. Only while not full().
  std::size_t add(UniqueFd socket, Conversation::Kind kind);
  [[nodiscard]] bool full() const;
  [[nodiscard]] std::size_t count(Conversation::Kind kind) const;
  [[nodiscard]] Connection& operator[](std::size_t index) { return table_[index]; }

  [[nodiscard]] bool watches(std::size_t index, const Process& process) const;  // gets its output

  // The chunk in `stream` goes to all who watch `process`; who cannot take it now is marked in stream.owed.
  void broadcast(Process& process, Stream& stream);
  // Bytes for the stdin of its process, kept until there is room. One frame at most: who sends another before `taken`
  // is dropped. So a program that does not read its stdin stops the input of its clients, never their signals.
  void take_input(std::size_t index, std::string_view data);
  void end_input(std::size_t index);
  void deliver_held();  // where there is room now

  // Continues what is owed to one client.
  void flush(std::size_t index);
  [[nodiscard]] bool owes(std::size_t index) const;
  // A frame that is the first on its way to this client, whose socket is therefore empty.
  void send(std::size_t index, const Frame& frame);
  // The last frame to all clients of a process that has ended; they no longer belong to it.
  void finish(Process& process, const Frame& frame);

  // Says why, as far as the socket takes it, and closes.
  void drop(std::size_t index, int number, std::string_view reason);
  static void refuse(int socket, int number, std::string_view reason);
  // Forgets it; the exec that it ran is hung up.
  void close(std::size_t index);

  [[nodiscard]] bool progressed() {
    return std::exchange(progressed_, false);
  }  // something was sent since the last call

 private:
  void deliver(std::size_t index);
  enum class Sent : std::uint8_t { all, later, gone };
  [[nodiscard]] Sent try_send(const Connection& connection, std::string_view packet);

  std::array<Connection, connections_max> table_;
  bool progressed_{};
};

}  // namespace agentos::init
