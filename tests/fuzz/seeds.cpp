#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>

#include "../unit/sandbox/compile/samples.hpp"
#include "agentos/meter.h"
#include "agentos/model/agent.hpp"
#include "agentos/model/attach.hpp"
#include "agentos/model/exit_record.hpp"
#include "agentos/model/init_spec.hpp"
#include "observer/journal/frame.hpp"
#include "policy/encode.hpp"
#include "sandbox/compile/bpf_evaluate.hpp"
#include "sandbox/compile/compile.hpp"

// Good messages of every kind, from which fuzzing starts. Run again when a message changes its form.
namespace {

using namespace agentos;

std::filesystem::path root;

void seed(const char* fuzzer, const char* name, const std::string& bytes) {
  std::filesystem::create_directories(root / fuzzer);
  std::ofstream(root / fuzzer / name, std::ios::binary) << bytes;
}

Program program() {
  return {{"sh", "-c", "echo hello"}, {"PATH=/usr/bin", "HOME=/home/agent"}, "/home/alice", true, true, 40, 120};
}

void requests(const Plan& plan) {
  SpawndRequest request;
  request.id = 7;
  seed("spawnd_request", "probe", request.encode());
  request.kind = SpawndRequest::Kind::remove;
  request.tenant = "default";
  request.agent = "a01hzx3kq9v5m";
  seed("spawnd_request", "remove", request.encode());
  request.kind = SpawndRequest::Kind::open_layer;
  seed("spawnd_request", "open-layer", request.encode());
  request.kind = SpawndRequest::Kind::start;
  request.plan = plan;
  seed("spawnd_request", "start", request.encode());
  request.plan.mounts.resize(3);
  request.plan.mounts.push_back({MountStep::Kind::grant, MountStep::no_suid | MountStep::no_dev, 0755, {}, "/srv", {}});
  request.plan.mounts.push_back(
      {MountStep::Kind::grant, MountStep::no_suid | MountStep::no_dev, 0755, "x", "/srv", {}});
  request.plan.seccomp = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)};
  seed("spawnd_request", "start-short", request.encode());
}

void replies() {
  SpawndReply reply;
  reply.id = 7;
  reply.error = ErrorKind::unsupported;
  reply.number = 38;
  reply.message = "start agent: mount /proc: Operation not permitted";
  reply.hint = "use another kernel";
  seed("spawnd_reply", "failed", reply.encode());
  reply.kind = SpawndReply::Kind::facts;
  reply.facts = sandbox::full_host().encode();
  seed("spawnd_reply", "facts", reply.encode());
  reply.kind = SpawndReply::Kind::started;
  reply.pid = 4242;
  reply.start_time = 123456;
  reply.uid_base = UidPool::first;
  reply.cgroup = "/sys/fs/cgroup/agentos.slice/agentos-tenant@default.service/a01hzx3kq9v5m";
  seed("spawnd_reply", "started", reply.encode());
  reply.kind = SpawndReply::Kind::removed;
  seed("spawnd_reply", "removed", reply.encode());
}

void frames() {
  seed("attach_frame", "hello-exec", Hello{init_protocol_version, Hello::Purpose::exec, program()}.encode());
  seed("attach_frame", "hello-attach", Hello{init_protocol_version, Hello::Purpose::attach, {}}.encode());
  seed("attach_frame", "input", Frame{FrameType::input, "ls\n", 0, 0, 0}.encode());
  seed("attach_frame", "input-end", Frame{FrameType::input_end, {}, 0, 0, 0}.encode());
  seed("attach_frame", "taken", Frame{FrameType::taken, {}, 0, 0, 0}.encode());
  seed("attach_frame", "resize", Frame{FrameType::resize, {}, 50, 200, 0}.encode());
  seed("attach_frame", "signal", Frame{FrameType::signal, {}, 0, 0, 15}.encode());
  seed("attach_frame", "refused", Frame{FrameType::refused, "no such program", 0, 0, 2}.encode());
  seed("attach_frame", "output-largest", Frame{FrameType::output, std::string(attach_data_max, 'x'), 0, 0, 0}.encode());
}

void records() {
  seed("init_spec", "tty", InitSpec{1000, 1000, 8U << 20U, program()}.encode());
  seed("init_spec", "plain", InitSpec{1000, 1000, 4096, {{"true"}, {}, "/", false, false, 24, 80}}.encode());
  seed("exit_record", "exited", ExitRecord{ExitRecord::Kind::exited, 3, 1'700'000'000'000'000'000}.encode());
  seed("exit_record", "not-executed", ExitRecord{ExitRecord::Kind::not_executed, 2, 1}.encode());
  std::string log;
  for (const std::string text : {"first line\n", "", "\x1b[31mred"}) {
    const LogRecord record{LogRecord::Stream::error_output, log.size() + 1, 1'700'000'000'000'000'000, text};
    char header[LogRecord::header_size];
    record.encode_header(header);
    log += std::string(header, sizeof header) + text;
  }
  seed("log_record", "three", log);
  seed("log_record", "cut", log.substr(0, log.size() - 3));
  seed("host_facts", "full", sandbox::full_host().encode());
  seed("host_facts", "bare", sandbox::bare_host().encode());
}

void filters(const Plan& plan) {
  const auto with_call = [](int number, const std::vector<sock_filter>& filter) {
    seccomp_data call{};
    call.nr = number;
    call.arch = AUDIT_ARCH_X86_64;
    std::string bytes(reinterpret_cast<const char*>(&call), sizeof call);
    return bytes.append(reinterpret_cast<const char*>(filter.data()), filter.size() * sizeof(sock_filter));
  };
  seed("seccomp_filter", "agent", with_call(1, plan.seccomp));
  seed("seccomp_filter", "kill", with_call(165, {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)}));
  seed("seccomp_filter", "branches",
       with_call(16, {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 16, 0, 4),
                      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 24), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xFFFF),
                      BPF_STMT(BPF_MISC | BPF_TAX, 0), BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0),
                      BPF_STMT(BPF_RET | BPF_A, 0)}));
}

void segments() {
  std::string bytes = journal::SegmentHeader{1, 1'700'000'000'000'000'000, {}}.encode();
  AuditHash previous{};
  for (std::uint64_t sequence = 1; sequence <= 3; ++sequence) {
    AuditRecord record{sequence, 1, previous, {"agent.status", "acme", "a0123456789ab", R"({"to":"running"})"}, {}};
    bytes += journal::encode_frame(record);
    previous = record.hash;
  }
  seed("audit_segment", "three", bytes);
  seed("audit_segment", "torn", bytes.substr(0, bytes.size() - 9));
  bytes[journal::header_size + 60] ^= 1;
  seed("audit_segment", "edited", bytes);
}

// The first of two parts by its length in two bytes.
std::string with_size(std::size_t first, const std::string& both) {
  std::string bytes;
  bytes += static_cast<char>(first & 0xFFU);
  bytes += static_cast<char>(first >> 8U);
  return bytes + both;
}

// A journal in two segments, and the two files of a log.
void pairs() {
  AuditHash previous{};
  std::array<std::string, 2> segments;
  for (std::uint64_t sequence = 1; sequence <= 4; ++sequence) {
    auto& segment = segments.at((sequence - 1) / 2);
    if (sequence % 2 == 1) segment = journal::SegmentHeader{sequence, 1'700'000'000'000'000'000, previous}.encode();
    AuditRecord record{sequence, 1, previous, {"agent.status", "acme", "a0123456789ab", R"({"to":"running"})"}, {}};
    segment += journal::encode_frame(record);
    previous = record.hash;
  }
  seed("audit_journal", "whole", with_size(segments[0].size(), segments[0] + segments[1]));
  seed("audit_journal", "cut", with_size(segments[0].size() - 7, segments[0].substr(7) + segments[1]));
  std::array<std::string, 2> logs;
  for (std::uint64_t sequence = 1; sequence <= 6; ++sequence) {
    const LogRecord record{LogRecord::Stream::output, sequence, 1'700'000'000'000'000'000, "one line\nand more"};
    char header[LogRecord::header_size];
    record.encode_header(header);
    logs.at(sequence / 4).append(header, sizeof header).append(record.data);
  }
  seed("log_files", "both", with_size(logs[0].size(), logs[0] + logs[1]));
  seed("log_files", "torn", with_size(logs[0].size() - 5, logs[0].substr(0, logs[0].size() - 5) + logs[1]));
}

void conversations() {
  const auto talk = [](char kind, std::initializer_list<std::string> packets) {
    std::string bytes(1, kind);
    for (const auto& packet : packets) bytes += with_size(packet.size(), packet);
    return bytes;
  };
  const auto input = Frame{FrameType::input, "ls\n", 0, 0, 0}.encode();
  const auto resize = Frame{FrameType::resize, {}, 50, 200, 0}.encode();
  const auto signal = Frame{FrameType::signal, {}, 0, 0, 15}.encode();
  const auto end = Frame{FrameType::input_end, {}, 0, 0, 0}.encode();
  const auto large = Frame{FrameType::input, std::string(attach_data_max, 'x'), 0, 0, 0}.encode();
  seed("conversation", "exec",
       talk(0, {Hello{init_protocol_version, Hello::Purpose::exec, program()}.encode(), input, resize, end, signal}));
  seed("conversation", "control",
       talk(0, {Hello{init_protocol_version, Hello::Purpose::control, {}}.encode(), signal, input, signal}));
  seed("conversation", "attached", talk(1, {input, large, input, large, large, end}));
}

void stored() {
  Agent agent;
  agent.id = "a01hzx3kq9v5m";
  agent.name = "builder";
  agent.tenant = "acme";
  agent.workspace = "/home/alice/project";
  agent.command = {"make", "all"};
  agent.policy = "default";
  agent.limits.memory_max = 1U << 30U;
  agent.status = Status::completed;
  agent.exit = ExitRecord{ExitRecord::Kind::exited, 0, 1};
  agent.usage.cpu_usec = 1500;
  agent.usage.activity.emplace();
  agent.started = agent.ended = TimePoint(std::chrono::seconds(1'700'000'000));
  seed("agent_record", "completed", agent.encode());
  seed("agent_record", "submitted", Agent().encode());
  seed("agent_record", "policy", policy::encode(sandbox::sample_request().policy));
}

template <class Kind>
std::string event_of(std::uint32_t kind) {
  Kind record{};
  record.event.kind = kind;
  record.event.size = sizeof record;
  return {reinterpret_cast<const char*>(&record), sizeof record};
}

void events() {
  seed("meter_event", "exec", event_of<agentos_exec>(AGENTOS_EVENT_EXEC));
  seed("meter_event", "exit", event_of<agentos_exit>(AGENTOS_EVENT_EXIT));
  seed("meter_event", "connect", event_of<agentos_connect>(AGENTOS_EVENT_CONNECT));
}

void texts() {
  seed("text", "size", "1.5GiB");
  seed("text", "duration", "1h30m250ms");
  seed("text", "path", "/home/alice/project");
  seed("text", "escape", "name\x1b[2J\xC2\x9B\xE2\x80\xAE\xFF\n");
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  root = arguments[1];
  sandbox::Report report;
  const auto plan = sandbox::compile(sandbox::sample_request(), sandbox::full_host(), report);
  if (!plan) return 1;
  requests(*plan);
  replies();
  frames();
  records();
  filters(*plan);
  segments();
  pairs();
  conversations();
  stored();
  events();
  texts();
  std::puts("done");
  return 0;
}
