// Messages between processes: what was written is read, and nothing else is.
#include <cerrno>
#include <csignal>

#include <gtest/gtest.h>

#include "agentos/model/attach.hpp"
#include "agentos/model/exit_record.hpp"
#include "agentos/model/host_facts.hpp"
#include "agentos/model/init_spec.hpp"
#include "agentos/model/plan.hpp"

namespace agentos {
namespace {

// Every shortened form of a message is refused, and so is one with a byte more.
template <class Decode>
void expect_only_whole(const std::string& bytes, Decode decode) {
  ASSERT_TRUE(decode(bytes)) << decode(bytes).error().message();
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(decode(std::string_view(bytes).substr(0, size))) << size;
  EXPECT_FALSE(decode(bytes + "x"));
}

SpawndRequest start_request() {
  SpawndRequest request;
  request.id = 42;
  request.kind = SpawndRequest::Kind::start;
  request.plan.tenant = "default";
  request.plan.agent = "a1";
  request.plan.hostname = "builder";
  request.plan.caller_uid = 1000;
  request.plan.caller_gid = 100;
  request.plan.workspace_mode = WorkspaceMode::overlay;
  request.plan.layer_limit = {1U << 30U, 1000};
  request.plan.mounts = {{MountStep::Kind::bind, MountStep::read_only, 0755, "/usr", "/usr", ""},
                         {MountStep::Kind::seal, 0, 0755, "", "/", ""}};
  request.plan.cgroup = {{"pids.max", "100"}};
  request.plan.rlimits = {{4, 1}};
  request.plan.landlock = {3, 1, {{1, "/tmp"}}};
  request.plan.seccomp = {{6, 0, 0, 0x7fff0000}};
  return request;
}

TEST(SpawndRequest, round_trip) {
  const auto request = start_request();
  const auto read = SpawndRequest::decode(request.encode());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->id, 42U);
  EXPECT_EQ(read->plan.mounts, request.plan.mounts);
  EXPECT_EQ(read->plan.workspace_mode, WorkspaceMode::overlay);
  EXPECT_EQ(read->plan.layer_limit, request.plan.layer_limit);
  EXPECT_EQ(read->plan.cgroup, request.plan.cgroup);
  EXPECT_EQ(read->plan.rlimits, request.plan.rlimits);
  EXPECT_EQ(read->plan.landlock, request.plan.landlock);
  ASSERT_EQ(read->plan.seccomp.size(), 1U);
  EXPECT_EQ(read->plan.seccomp[0].k, 0x7fff0000U);
  expect_only_whole(request.encode(), SpawndRequest::decode);
}

TEST(SpawndRequest, layers_are_named_by_their_agents) {
  SpawndRequest request;
  request.agent = "a1";
  for (const auto kind : {SpawndRequest::Kind::open_layer, SpawndRequest::Kind::check_layer,
                          SpawndRequest::Kind::remove_layer, SpawndRequest::Kind::list_layers}) {
    request.kind = kind;
    const auto read = SpawndRequest::decode(request.encode());
    ASSERT_TRUE(read);
    EXPECT_EQ(read->kind, kind);
    EXPECT_EQ(read->agent, "a1");
    expect_only_whole(request.encode(), SpawndRequest::decode);
  }
}

TEST(SpawndRequest, the_meter_is_nobodys) {
  SpawndRequest request;
  request.kind = SpawndRequest::Kind::meter;
  expect_only_whole(request.encode(), SpawndRequest::decode);
  EXPECT_EQ(SpawndRequest::decode(request.encode())->kind, SpawndRequest::Kind::meter);
}

TEST(SpawndRequest, another_version_is_refused_with_what_to_do) {
  auto bytes = start_request().encode();
  bytes[0] = 99;
  const auto read = SpawndRequest::decode(bytes);
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().hint().find("restart both"), std::string::npos);
}

TEST(SpawndReply, round_trip_of_each_kind) {
  SpawndReply reply;
  reply.id = 7;
  reply.kind = SpawndReply::Kind::started;
  reply.pid = 123;
  reply.start_time = 456;
  reply.uid_base = UidPool::first;
  reply.cgroup = "/sys/fs/cgroup/x";
  const auto read = SpawndReply::decode(reply.encode());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->pid, 123);
  EXPECT_EQ(read->start_time, 456U);
  EXPECT_EQ(read->cgroup, reply.cgroup);
  expect_only_whole(reply.encode(), SpawndReply::decode);
  reply.kind = SpawndReply::Kind::failed;
  reply.error = ErrorKind::unsupported;
  reply.message = "no";
  expect_only_whole(reply.encode(), SpawndReply::decode);
  EXPECT_EQ(SpawndReply::decode(reply.encode())->error, ErrorKind::unsupported);
  reply.kind = SpawndReply::Kind::layer;
  reply.layer = {true, {1U << 30U, 1000}, {16384, 4}};
  expect_only_whole(reply.encode(), SpawndReply::decode);
  EXPECT_EQ(SpawndReply::decode(reply.encode())->layer, reply.layer);
  reply.kind = SpawndReply::Kind::meter;
  expect_only_whole(reply.encode(), SpawndReply::decode);
  reply.kind = SpawndReply::Kind::layers;
  reply.layers.assign(SpawndReply::layers_max, "a0123456789ab");
  expect_only_whole(reply.encode(), SpawndReply::decode);
  EXPECT_EQ(SpawndReply::decode(reply.encode())->layers, reply.layers);
  EXPECT_LE(reply.encode().size(), plan_message_max);
}

TEST(InitSpec, round_trip) {
  InitSpec spec{1000, 1000, 4096, {{"sh", "-c", "true"}, {"A=b"}, "/work", true, false, 40, 100}};
  const auto read = InitSpec::decode(spec.encode());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->program, spec.program);
  expect_only_whole(spec.encode(), InitSpec::decode);
  spec.program.argv.clear();
  EXPECT_FALSE(InitSpec::decode(spec.encode())) << "nothing to run";
}

TEST(Frame, round_trip_of_each_type) {
  for (const auto& frame :
       {Frame{FrameType::input, "bytes", 0, 0, 0}, Frame{FrameType::output, "bytes", 0, 0, 0},
        Frame{FrameType::error_output, "bytes", 0, 0, 0}, Frame{FrameType::refused, "words", 0, 0, ENOENT}}) {
    const auto bytes = frame.encode();
    const auto read = Frame::decode(bytes);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->data, frame.data);
    EXPECT_EQ(read->number, frame.number);
  }
  expect_only_whole(Frame{FrameType::resize, {}, 40, 100, 0}.encode(), Frame::decode);
  expect_only_whole(Frame{FrameType::signal, {}, 0, 0, SIGTERM}.encode(), Frame::decode);
  expect_only_whole(Frame{FrameType::exited, {}, 0, 0, 256}.encode(), Frame::decode);
  expect_only_whole(Frame{FrameType::input_end, {}, 0, 0, 0}.encode(), Frame::decode);
  expect_only_whole(Frame{FrameType::taken, {}, 0, 0, 0}.encode(), Frame::decode);
}

TEST(Frame, data_has_a_limit) {
  const std::string most(attach_data_max, 'x');
  EXPECT_TRUE(Frame::decode(Frame{FrameType::input, most, 0, 0, 0}.encode()));
  EXPECT_FALSE(Frame::decode(Frame{FrameType::input, most + "x", 0, 0, 0}.encode()));
}

TEST(Hello, round_trip) {
  Hello hello;
  hello.purpose = Hello::Purpose::exec;
  hello.program = {{"ls"}, {}, "/", false, false, 24, 80};
  const auto bytes = hello.encode();
  ASSERT_TRUE(Frame::decode_hello(bytes));
  EXPECT_EQ(Frame::decode_hello(bytes)->program, hello.program);
  expect_only_whole(bytes, Frame::decode_hello);
  EXPECT_FALSE(Frame::decode(bytes)) << "a hello is not a frame of the stream";
  hello.program.argv.clear();
  EXPECT_FALSE(Frame::decode_hello(hello.encode()));
}

TEST(ExitRecord, round_trip_and_shell_status) {
  const ExitRecord record{ExitRecord::Kind::signaled, SIGKILL, 99};
  expect_only_whole(record.encode(), ExitRecord::decode);
  EXPECT_EQ(record.shell_status(), 137);
  EXPECT_EQ((ExitRecord{ExitRecord::Kind::exited, 3, 0}.shell_status()), 3);
  EXPECT_EQ((ExitRecord{ExitRecord::Kind::not_executed, ENOENT, 0}.shell_status()), 127);
  EXPECT_EQ((ExitRecord{ExitRecord::Kind::not_executed, EACCES, 0}.shell_status()), 126);
}

TEST(LogRecord, round_trip) {
  LogRecord record{LogRecord::Stream::error_output, 5, 77, "words"};
  char header[LogRecord::header_size];
  record.encode_header(header);
  const std::string bytes = std::string(header, sizeof header) + "words" + "next";
  const auto read = LogRecord::decode(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->stream, LogRecord::Stream::error_output);
  EXPECT_EQ(read->sequence, 5U);
  EXPECT_EQ(read->time_ns, 77);
  EXPECT_EQ(read->data, "words");
  EXPECT_EQ(read->total_size(), bytes.size() - 4);
  EXPECT_EQ(LogRecord::decode(bytes.substr(0, 26)).error().kind(), ErrorKind::not_found) << "still being written";
  EXPECT_EQ(LogRecord::decode(std::string(64, 'x')).error().kind(), ErrorKind::invalid);
}

TEST(HostFacts, round_trip) {
  HostFacts facts;
  facts.kernel = "6.1";
  facts.controllers = {"cpu", "memory"};
  facts.landlock_abi = 2;
  facts.bpf_cgroup = true;
  const auto read = HostFacts::decode(facts.encode());
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->has_controller("memory"));
  EXPECT_FALSE(read->has_controller("io"));
  EXPECT_TRUE(read->bpf_cgroup);
  EXPECT_FALSE(read->bpf_lsm);
  expect_only_whole(facts.encode(), HostFacts::decode);
}

}  // namespace
}  // namespace agentos
