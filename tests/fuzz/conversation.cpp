#include "init/conversation.hpp"

#include <string>

#include "fuzz.hpp"
#include "init/input_buffer.hpp"

namespace {

using namespace agentos;
using namespace agentos::init;

// What a program that reads little by little gets: exactly what came, in order.
void feed(InputBuffer& buffer, std::string& wanted, std::string_view data) {
  AGENTOS_ASSERT(data.size() <= attach_data_max);
  while (!buffer.has_room()) {
    const auto pending = buffer.pending();
    AGENTOS_ASSERT(!pending.empty() && wanted.starts_with(pending));
    const auto taken = pending.size() / 3 + 1;
    buffer.pop(taken);
    wanted.erase(0, taken);
  }
  buffer.push(data);
  wanted += data;
  AGENTOS_ASSERT(buffer.pending() == wanted);
}

}  // namespace

// A whole connection to agentos-init: a kind, then packets, each behind its length in two bytes. After a Drop nothing
// is obeyed any more.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static InputBuffer buffer;
  buffer.clear();
  auto rest = fuzz::text_of(data, size);
  if (rest.empty()) return 0;
  Conversation talk(static_cast<unsigned char>(rest[0]) % 2 == 0 ? Conversation::Kind::waiting
                                                                 : Conversation::Kind::attach);
  rest.remove_prefix(1);
  std::string wanted;
  bool dropped = false;
  while (rest.size() >= 2) {
    const std::size_t length =
        static_cast<unsigned char>(rest[0]) | static_cast<std::size_t>(static_cast<unsigned char>(rest[1])) << 8U;
    rest.remove_prefix(2);
    const auto packet = rest.substr(0, length);
    rest.remove_prefix(packet.size());
    const auto before = talk.kind();
    const auto ask = talk.receive(packet);
    if (dropped) AGENTOS_ASSERT(std::holds_alternative<ask::Drop>(ask));
    dropped = std::holds_alternative<ask::Drop>(ask);
    AGENTOS_ASSERT(dropped == (talk.kind() == Conversation::Kind::over));
    if (const auto* exec = std::get_if<ask::Exec>(&ask))
      AGENTOS_ASSERT(before == Conversation::Kind::waiting && !exec->program.argv.empty());
    if (const auto* signal = std::get_if<ask::Signal>(&ask))
      AGENTOS_ASSERT(signal->number >= 1 && signal->number <= 64);
    if (const auto* input = std::get_if<ask::Input>(&ask)) {
      AGENTOS_ASSERT(before == Conversation::Kind::attach || before == Conversation::Kind::exec);
      feed(buffer, wanted, input->data);
    }
  }
  return 0;
}
