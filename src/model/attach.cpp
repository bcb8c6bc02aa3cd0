#include "agentos/model/attach.hpp"

namespace agentos {
namespace {

std::unexpected<Error> refuse_frame(std::string_view what) {
  return fail(ErrorKind::invalid, "malformed " + std::string(what) + " on an attach stream");
}

}  // namespace

std::string Hello::encode() const {
  Writer to;
  to.put(FrameType::hello);
  to.put(version);
  to.put(purpose);
  program.encode(to);
  return std::move(to).take();
}

Result<Hello> Frame::decode_hello(std::string_view packet) {
  Reader from(packet);
  Hello hello;
  if (from.get_enum(FrameType::taken) != FrameType::hello) from.refuse();
  hello.version = from.get<std::uint32_t>();
  hello.purpose = from.get_enum(Hello::Purpose::control);
  hello.program = Program::decode(from);
  if (!from.finished() || hello.version != init_protocol_version) return refuse_frame("hello");
  if (hello.purpose == Hello::Purpose::exec && hello.program.argv.empty())
    return refuse_frame("hello without a command");
  return hello;
}

Result<Frame> Frame::decode(std::string_view packet) {
  Reader from(packet);
  Frame frame;
  frame.type = from.get_enum(FrameType::taken);
  switch (frame.type) {
    case FrameType::hello:
      from.refuse();
      break;
    case FrameType::input:
    case FrameType::output:
    case FrameType::error_output:
      frame.data = from.rest();
      if (frame.data.empty() || frame.data.size() > attach_data_max) from.refuse();
      break;
    case FrameType::input_end:
    case FrameType::started:
    case FrameType::taken:
      break;
    case FrameType::resize:
      frame.rows = from.get<std::uint16_t>();
      frame.columns = from.get<std::uint16_t>();
      break;
    case FrameType::signal:
    case FrameType::exited:
      frame.number = from.get<std::int32_t>();
      break;
    case FrameType::refused:
      frame.number = from.get<std::int32_t>();
      frame.data = from.rest();
      break;
  }
  if (!from.finished()) return refuse_frame("frame");
  return frame;
}

std::string Frame::encode() const {
  Writer to;
  to.put(type);
  switch (type) {
    case FrameType::hello:
      AGENTOS_ASSERT(false);
      break;
    case FrameType::input:
    case FrameType::output:
    case FrameType::error_output:
      to.put_raw(data);
      break;
    case FrameType::input_end:
    case FrameType::started:
    case FrameType::taken:
      break;
    case FrameType::resize:
      to.put(rows);
      to.put(columns);
      break;
    case FrameType::signal:
    case FrameType::exited:
      to.put(number);
      break;
    case FrameType::refused:
      to.put(number);
      to.put_raw(data);
      break;
  }
  return std::move(to).take();
}

}  // namespace agentos
