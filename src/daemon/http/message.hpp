#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "agentos/base/result.hpp"

// HTTP/1 as bytes: pure, so that it is tested and fuzzed without a socket.
namespace agentos::http {

struct Message {
  std::string method;
  std::string target;
  std::string body;
  unsigned version{11};    // 10 or 11
  bool keep_alive{false};  // what the client asked for
};

// Reads one request out of the bytes of a connection.
class MessageReader {
 public:
  MessageReader(std::size_t header_limit, std::size_t body_limit);
  MessageReader(MessageReader&&) noexcept;
  MessageReader& operator=(MessageReader&&) noexcept;
  ~MessageReader();

  // Takes bytes off the front of `input`; what stays is needed again with more behind it, or belongs to the next
  // request. After an error the connection is beyond repair; status() says which answer it gets.
  [[nodiscard]] Result<> read(std::string& input);
  [[nodiscard]] bool done() const;
  [[nodiscard]] unsigned status() const { return status_; }

  [[nodiscard]] bool has_head() const;
  [[nodiscard]] std::uint64_t body_size() const;  // as announced; the limit when that is unknown. Needs the head.
  [[nodiscard]] bool expects_continue() const;    // Expect: 100-continue. Needs the head.
  [[nodiscard]] Message take();                   // once, when done

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
  std::size_t header_limit_;
  std::size_t body_limit_;
  std::size_t head_size_{0};
  unsigned status_{400};
};

struct Head {
  unsigned status{200};
  unsigned version{11};
  std::string_view content_type{};  // empty: no content
  std::size_t content_length{0};
  bool chunked{false};  // instead of a length
  bool keep_alive{true};
  std::string_view allow{};  // methods, for 405
};
[[nodiscard]] std::string head_text(const Head& head);
[[nodiscard]] std::string chunk_text(std::string_view bytes);  // not for empty bytes: they end the body
[[nodiscard]] std::string event_text(std::string_view event,
                                     std::string_view data);  // one server-sent event; data: one line

}  // namespace agentos::http
