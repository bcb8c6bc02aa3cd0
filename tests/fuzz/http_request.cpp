#include <map>
#include <string>

#include "daemon/http/json.hpp"
#include "daemon/http/message.hpp"
#include "daemon/http/router.hpp"
#include "daemon/http/target.hpp"
#include "fuzz.hpp"

namespace {

using namespace agentos;

struct Outcome {
  unsigned status{0};  // of a refusal
  bool done{false};
  http::Message message;
  std::string rest;

  bool operator==(const Outcome& other) const {
    return status == other.status && done == other.done && rest == other.rest &&
           message.method == other.message.method && message.target == other.message.target &&
           message.body == other.message.body && message.keep_alive == other.message.keep_alive;
  }
};

constexpr std::size_t header_limit = 4096;
constexpr std::size_t body_limit = 4096;

// The bytes as they come from a socket: in two reads, of which the second may be empty.
Outcome read(std::string_view first, std::string_view second) {
  http::MessageReader reader(header_limit, body_limit);
  Outcome outcome;
  for (const auto part : {first, second}) {
    outcome.rest += part;
    if (outcome.done) continue;
    if (!reader.read(outcome.rest)) {
      outcome.status = reader.status();
      outcome.rest.clear();
      return outcome;
    }
    outcome.done = reader.done();
  }
  if (outcome.done) {
    outcome.message = reader.take();
  } else {
    outcome.rest.clear();  // how much of a half request is kept where is the reader's business
  }
  return outcome;
}

}  // namespace

// What any process on the host can send to the control socket.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = fuzz::text_of(data, size);
  const auto whole = read(bytes, {});
  // Where the kernel cuts the bytes makes no difference to what was said.
  if (size > 0) {
    const std::size_t cut = (data[0] * 256U + data[size - 1]) % size;
    const auto parts = read(bytes.substr(0, cut), bytes.substr(cut));
    if (whole.done) AGENTOS_ASSERT(parts == whole);
    AGENTOS_ASSERT(parts.done == whole.done);
  }
  AGENTOS_ASSERT(whole.message.body.size() <= body_limit);

  if (whole.done) {
    static const http::Router router = [] {
      http::Router routes;
      routes.add("GET", "/v1/agents/{ref}", {});
      routes.add("POST", "/v1/agents", {});
      return routes;
    }();
    if (const auto target = http::parse_target(whole.message.target)) {
      std::map<std::string, std::string, std::less<>> parameters;
      (void)router.find(whole.message.method, target->path, parameters);
      for (const auto& [key, value] : parameters)
        AGENTOS_ASSERT(!value.empty() && value.find('\0') == std::string::npos);
    }
    (void)http::parse_json(whole.message.body);
  }
  (void)http::parse_json(bytes);
  (void)http::percent_decode(bytes);
  return 0;
}
