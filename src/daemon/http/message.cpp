#include "daemon/http/message.hpp"

#include <cstdio>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/string_body.hpp>

#include "daemon/http/problem.hpp"

namespace agentos::http {

namespace beast = boost::beast::http;

struct MessageReader::Parser : beast::request_parser<beast::string_body> {};

MessageReader::MessageReader(std::size_t header_limit, std::size_t body_limit)
    : parser_(std::make_unique<Parser>()), header_limit_(header_limit), body_limit_(body_limit) {
  parser_->header_limit(static_cast<std::uint32_t>(2 * header_limit));  // counts in its own way: only a second net
  parser_->body_limit(body_limit);
}

MessageReader::MessageReader(MessageReader&&) noexcept = default;
MessageReader& MessageReader::operator=(MessageReader&&) noexcept = default;
MessageReader::~MessageReader() = default;

Result<> MessageReader::read(std::string& input) {
  boost::system::error_code error;
  std::size_t used = 0;
  while (used < input.size() && !parser_->is_done()) {
    // Not eager: a put() ends behind the head, which shows how long it was.
    const bool in_head = !parser_->is_header_done();
    parser_->eager(!in_head);
    const std::size_t count = parser_->put(boost::asio::buffer(input.data() + used, input.size() - used), error);
    used += count;
    if (in_head) head_size_ += count;
    if (error || count == 0) break;
  }
  input.erase(0, used);
  // First: the parser refuses such a body at the end of the head, and then counts the head as not done.
  if (error == beast::error::body_limit) {
    status_ = 413;
    return fail(ErrorKind::invalid, "the body is longer than " + std::to_string(body_limit_) + " bytes",
                "send a smaller one");
  }
  const bool too_long = head_size_ + (parser_->is_header_done() ? 0 : input.size()) > header_limit_;
  if (too_long || error == beast::error::header_limit) {
    status_ = 431;
    return fail(ErrorKind::invalid,
                "the request line and fields are longer than " + std::to_string(header_limit_) + " bytes",
                "send fewer or shorter fields");
  }
  if (!error || error == beast::error::need_more) return {};
  status_ = error == beast::error::bad_version ? 505 : 400;
  return fail(ErrorKind::invalid, "this is not HTTP/1.1: " + error.message());
}

bool MessageReader::done() const {
  return parser_->is_done();
}

bool MessageReader::has_head() const {
  return parser_->is_header_done();
}

std::uint64_t MessageReader::body_size() const {
  if (parser_->chunked()) return body_limit_;
  return parser_->content_length().value_or(0);
}

bool MessageReader::expects_continue() const {
  return boost::beast::iequals(parser_->get()[beast::field::expect], "100-continue");
}

Message MessageReader::take() {
  auto request = parser_->release();
  Message message;
  message.method = request.method_string();
  message.target = request.target();
  message.version = request.version();
  message.keep_alive = request.keep_alive();
  message.body = std::move(request.body());
  return message;
}

std::string head_text(const Head& head) {
  std::string text = head.version == 10 ? "HTTP/1.0 " : "HTTP/1.1 ";
  text += std::to_string(head.status);
  text += ' ';
  text += phrase_of(head.status);
  text += "\r\n";
  const auto field = [&](std::string_view name, std::string_view value) {
    text += name;
    text += ": ";
    text += value;
    text += "\r\n";
  };
  if (!head.content_type.empty()) field("Content-Type", head.content_type);
  if (head.chunked) {
    if (head.version == 11) field("Transfer-Encoding", "chunked");  // to older clients the connection's end is the end
  } else if (head.status != 204 && head.status >= 200) {
    field("Content-Length", std::to_string(head.content_length));
  }
  if (!head.allow.empty()) field("Allow", head.allow);
  if (!head.keep_alive) {
    field("Connection", "close");
  } else if (head.version == 10) {
    field("Connection", "keep-alive");
  }
  text += "\r\n";
  return text;
}

std::string chunk_text(std::string_view bytes) {
  char size[20];
  const int length = std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  std::string text(size, static_cast<std::size_t>(length));
  text += bytes;
  text += "\r\n";
  return text;
}

std::string event_text(std::string_view event, std::string_view data) {
  std::string text;
  if (!event.empty()) {
    text += "event: ";
    text += event;
    text += '\n';
  }
  text += "data: ";
  text += data;
  text += "\n\n";
  return text;
}

}  // namespace agentos::http
