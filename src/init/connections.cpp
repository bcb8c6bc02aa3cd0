#include "connections.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace agentos::init {

std::size_t Connections::add(UniqueFd socket, Conversation::Kind kind) {
  const auto slot = std::ranges::find_if(table_, [](const Connection& connection) { return !connection.socket; });
  AGENTOS_ASSERT(slot != table_.end());
#ifndef SO_PASSRIGHTS
  constexpr int SO_PASSRIGHTS = 83;
#endif
  // Descriptors that a client sends are never received (recv without control data drops them); from Linux 6.16 on they
  // do not even get into the queue. Older kernels refuse the option, which changes nothing.
  const int no = 0;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_PASSRIGHTS, &no, sizeof no);
  *slot = Connection{};
  slot->socket = std::move(socket);
  slot->conversation = Conversation(kind);
  return static_cast<std::size_t>(slot - table_.begin());
}

std::size_t Connections::count(Conversation::Kind kind) const {
  return static_cast<std::size_t>(std::ranges::count_if(table_, [kind](const Connection& c) { return c.is(kind); }));
}

bool Connections::full() const {
  return std::ranges::all_of(table_, [](const Connection& connection) { return static_cast<bool>(connection.socket); });
}

bool Connections::watches(std::size_t index, const Process& process) const {
  const auto& connection = table_[index];
  return connection.socket && connection.process == &process &&
         connection.conversation.kind() != Conversation::Kind::control;
}

Connections::Sent Connections::try_send(const Connection& connection, std::string_view packet) {
  if (::send(connection.socket.get(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
    progressed_ = true;
    return Sent::all;
  }
  return errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM || errno == EINTR ? Sent::later : Sent::gone;
}

void Connections::broadcast(Process& process, Stream& stream) {
  for (std::size_t i = 0; i < table_.size(); ++i) {
    if (!watches(i, process)) continue;
    const auto sent = try_send(table_[i], stream.frame());
    if (sent == Sent::later) stream.owed.set(i);
    if (sent == Sent::gone) close(i);
  }
}

bool Connections::owes(std::size_t index) const {
  const auto& connection = table_[index];
  if (!connection.socket) return false;
  if (connection.owes_taken || !connection.last_words.empty()) return true;
  return connection.process != nullptr &&
         std::ranges::any_of(connection.process->streams,
                             [index](const Stream& stream) { return stream.owed.test(index); });
}

void Connections::flush(std::size_t index) {
  auto& connection = table_[index];
  if (connection.process != nullptr) {
    for (auto& stream : connection.process->streams) {
      if (!stream.owed.test(index)) continue;
      const auto sent = try_send(connection, stream.frame());
      if (sent == Sent::gone) close(index);
      if (sent != Sent::all) return;
      stream.owed.reset(index);
    }
  }
  if (connection.owes_taken) {
    const auto sent = try_send(connection, Frame{.type = FrameType::taken, .data = {}}.encode());
    if (sent == Sent::gone) close(index);
    if (sent != Sent::all) return;
    connection.owes_taken = false;
  }
  if (!connection.last_words.empty() && try_send(connection, connection.last_words) != Sent::later) close(index);
}

void Connections::take_input(std::size_t index, std::string_view data) {
  auto& connection = table_[index];
  if (!connection.held.empty() || connection.end_held)
    return drop(index, EPROTO, "input before what came before it was taken");
  connection.held = data;
  deliver(index);
}

void Connections::end_input(std::size_t index) {
  table_[index].end_held = true;
  deliver(index);
}

void Connections::deliver_held() {
  for (std::size_t i = 0; i < table_.size(); ++i) deliver(i);
}

void Connections::deliver(std::size_t index) {
  auto& connection = table_[index];
  const auto has_room = [&] { return connection.process == nullptr || connection.process->has_room(); };
  if (!connection.held.empty() && has_room()) {
    if (connection.process != nullptr) connection.process->input(connection.held);
    connection.held.clear();
    connection.owes_taken = true;
  }
  if (connection.end_held && has_room()) {  // on a tty it is bytes, too
    if (connection.process != nullptr) connection.process->end_input();
    connection.end_held = false;
  }
  if (connection.owes_taken) flush(index);
}

void Connections::send(std::size_t index, const Frame& frame) {
  if (table_[index].socket && try_send(table_[index], frame.encode()) != Sent::all) close(index);
}

void Connections::finish(Process& process, const Frame& frame) {
  for (std::size_t i = 0; i < table_.size(); ++i) {
    if (!table_[i].socket || table_[i].process != &process) continue;
    table_[i].process = nullptr;
    table_[i].last_words = frame.encode();
    flush(i);
  }
}

void Connections::drop(std::size_t index, int number, std::string_view reason) {
  if (!table_[index].socket) return;
  refuse(table_[index].socket.get(), number, reason);
  close(index);
}

void Connections::refuse(int socket, int number, std::string_view reason) {
  const auto packet = Frame{.type = FrameType::refused, .data = reason, .number = number}.encode();
  [[maybe_unused]] const auto sent = ::send(socket, packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void Connections::close(std::size_t index) {
  Connection connection = std::exchange(table_[index], Connection{});
  if (connection.process == nullptr) return;
  for (auto& stream : connection.process->streams) stream.owed.reset(index);
  if (connection.runs_it) connection.process->hang_up();
}

}  // namespace agentos::init
