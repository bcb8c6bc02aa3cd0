#include "client/exchange.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace agentos::client {
namespace {

namespace http = boost::beast::http;

constexpr std::size_t fds_max = 65;                       // as agentosd takes them
constexpr std::uint64_t body_max = 256ULL * 1024 * 1024;  // a list of very many agents
constexpr std::chrono::milliseconds after_interrupt{2000};

Error cut_off() {
  return {ErrorKind::unavailable, "agentosd closed the connection before it had answered", "try again"};
}

// Waits until the socket is ready. An interrupt leaves the other side two more seconds, so that an answer that is on
// its way (an agent has started) is not lost.
class Waiter {
 public:
  Waiter(int socket, int interrupt, Deadline deadline) : socket_(socket), interrupt_(interrupt), deadline_(deadline) {}

  void restart() {
    if (!interrupted_) deadline_.restart();
  }
  Result<> wait(short events) {
    for (;;) {
      std::array<pollfd, 2> fds{pollfd{socket_, events, 0}, pollfd{interrupt_, POLLIN, 0}};
      const int ready = ::poll(fds.data(), fds.size(), deadline_.poll_timeout());
      if (ready < 0 && errno != EINTR) return fail_errno("poll");
      if (ready == 0 && interrupted_) return fail_errno(EINTR, "waiting for agentosd");
      if (ready == 0) {
        return fail(ErrorKind::unavailable, "agentosd does not answer", "look at its log: journalctl -u agentosd");
      }
      if (fds[0].revents != 0) return {};
      if (ready > 0 && fds[1].revents != 0) {
        interrupted_ = true;
        interrupt_ = -1;
        deadline_.at_most(after_interrupt);
      }
    }
  }

 private:
  int socket_, interrupt_;
  Deadline deadline_;
  bool interrupted_{};
};

Result<> send_request(int socket, std::string_view bytes, std::span<const int> fds, Waiter& waiter) {
  if (fds.size() > fds_max) return fail(ErrorKind::invalid, "too many descriptors beside one request");
  alignas(cmsghdr) std::array<char, CMSG_SPACE(fds_max * sizeof(int))> control{};
  while (!bytes.empty()) {
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (!fds.empty()) {
      message.msg_control = control.data();
      message.msg_controllen = CMSG_SPACE(fds.size_bytes());
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(fds.size_bytes());
      std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
    }
    const ssize_t sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      fds = {};  // they went with the first byte
    } else if (errno == EAGAIN) {
      AGENTOS_TRY(waiter.wait(POLLOUT));
    } else if (errno == EPIPE || errno == ECONNRESET) {
      return {};  // refused before it was read: the answer says why
    } else if (errno != EINTR) {
      return fail_errno("send a request to agentosd");
    }
  }
  return {};
}

// Appends what has come. The first descriptor is kept, any other is closed. false: end of the stream.
Result<bool> receive(int socket, std::string& bytes, UniqueFd& fd) {
  const std::size_t old = bytes.size();
  bytes.resize(old + 64 * 1024);
  iovec part{bytes.data() + old, bytes.size() - old};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(fds_max * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t count = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  const int number = errno;
  bytes.resize(old + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  if (count < 0) {
    if (number == EAGAIN || number == EINTR) return true;
    if (number == ECONNRESET) return false;
    return fail_errno(number, "receive from agentosd");
  }
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    for (std::size_t at = CMSG_LEN(0); at + sizeof(int) <= header->cmsg_len; at += sizeof(int)) {
      int received = -1;
      std::memcpy(&received, CMSG_DATA(header) + (at - CMSG_LEN(0)), sizeof received);
      UniqueFd owned(received);
      if (!fd) fd = std::move(owned);
    }
  }
  return count > 0;
}

std::string head_and_body(const Outgoing& request) {
  std::string text = request.method + " " + request.target +
                     " HTTP/1.1\r\nHost: agentos\r\nUser-Agent: agentos/" AGENTOS_VERSION
                     "\r\nAccept: application/json, text/event-stream\r\nConnection: close\r\n";
  if (!request.body.empty()) {
    text += "Content-Type: application/json\r\nContent-Length: " + std::to_string(request.body.size()) + "\r\n";
  } else if (request.method != "GET") {
    text += "Content-Length: 0\r\n";
  }
  return text + "\r\n" + request.body;
}

}  // namespace

void Deadline::at_most(std::chrono::milliseconds left) {
  const auto limit = Clock::now() + left;
  if (timeout_.count() == 0 || limit < at_) at_ = limit;
  timeout_ = std::max(timeout_, left);
}

int Deadline::poll_timeout() const {
  if (timeout_.count() == 0) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(at_ - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

Result<Incoming> exchange(int socket, const Outgoing& request, Deadline deadline, const OnPiece& on_piece) {
  Waiter waiter(socket, request.interrupt, deadline);
  AGENTOS_TRY(send_request(socket, head_and_body(request), request.fds, waiter));

  http::response_parser<http::string_body> parser;
  parser.eager(true);
  parser.header_limit(64 * 1024);
  if (on_piece) {
    parser.body_limit(boost::none);
  } else {
    parser.body_limit(body_max);
  }
  Incoming answer;
  std::string bytes;
  bool open = true;
  while (!parser.is_done()) {
    if (!open) return std::unexpected(cut_off());
    AGENTOS_TRY(waiter.wait(POLLIN));
    open = AGENTOS_TRY(receive(socket, bytes, answer.fd));
    boost::system::error_code error;
    while (!bytes.empty() && !parser.is_done()) {
      const auto used = parser.put(boost::asio::buffer(bytes), error);
      bytes.erase(0, used);
      if (error == http::error::need_more) break;
      if (error)
        return fail(ErrorKind::unavailable, "agentosd answered with something that is not HTTP: " + error.message());
    }
    if (!open && parser.got_some()) parser.put_eof(error);
    if (on_piece && parser.is_header_done() && parser.get().result_int() == 200) {
      waiter.restart();
      if (!parser.get().body().empty() && !on_piece(std::exchange(parser.get().body(), {}))) return answer;
    }
  }
  answer.status = parser.get().result_int();
  answer.is_json = parser.get()[http::field::content_type].find("json") != std::string_view::npos;
  answer.body = std::move(parser.get().body());
  return answer;
}

}  // namespace agentos::client
