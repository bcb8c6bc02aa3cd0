#include "agentos/model/init_spec.hpp"

namespace agentos {

void Program::encode(Writer& to) const {
  to.put(argv);
  to.put(env);
  to.put(cwd);
  to.put(tty);
  to.put(with_stdin);
  to.put(rows);
  to.put(columns);
}

Program Program::decode(Reader& from) {
  Program program;
  program.argv = from.get_strings();
  program.env = from.get_strings();
  program.cwd = from.get_string();
  program.tty = from.get_bool();
  program.with_stdin = from.get_bool();
  program.rows = from.get<std::uint16_t>();
  program.columns = from.get<std::uint16_t>();
  return program;
}

void ProgramLimit::encode(Writer& to) const {
  to.put(resource);
  to.put(limit);
}

ProgramLimit ProgramLimit::decode(Reader& from) {
  ProgramLimit setting;
  setting.resource = from.get<std::uint32_t>();
  setting.limit = from.get<std::uint64_t>();
  return setting;
}

std::string InitSpec::encode() const {
  Writer to;
  to.put(init_protocol_version);
  to.put(uid);
  to.put(gid);
  to.put(log_max);
  program.encode(to);
  to.put(limits);
  return std::move(to).take();
}

Result<InitSpec> InitSpec::decode(std::string_view bytes) {
  Reader from(bytes);
  InitSpec spec;
  if (from.get<std::uint32_t>() != init_protocol_version) from.refuse();
  spec.uid = from.get<std::uint32_t>();
  spec.gid = from.get<std::uint32_t>();
  spec.log_max = from.get<std::uint64_t>();
  spec.program = Program::decode(from);
  spec.limits = from.get_list<ProgramLimit>(ProgramLimit::decode);
  if (!from.finished() || spec.program.argv.empty()) {
    return fail(ErrorKind::invalid, "the start record of agentos-init is malformed or of another version");
  }
  return spec;
}

}  // namespace agentos
