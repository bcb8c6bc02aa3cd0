#include "observer/meter/describe.hpp"

#include <netinet/in.h>

#include <cstring>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace agentos::observer {
namespace {

namespace json = boost::json;
using testing::HasSubstr;
using testing::Not;

template <class Event>
Event event_of(agentos_event_kind kind) {
  Event made{};
  made.event = {
      .time = 5, .cgroup = 7, .row = 1, .kind = kind, .pid = 42, .parent = 41, .uid = 100'000, .size = sizeof made};
  return made;
}

template <std::size_t N>
std::uint32_t put(char (&to)[N], std::string_view bytes) {
  std::memcpy(to, bytes.data(), bytes.size());
  return static_cast<std::uint32_t>(bytes.size());
}

agentos_exec exec_of(std::string_view path, std::string_view named, std::string_view arguments) {
  auto exec = event_of<agentos_exec>(AGENTOS_EVENT_EXEC);
  exec.file = exec.interpreter = {.inode = 12, .device = 8U << 20U | 1U, .links = 1};
  exec.path_size = put(exec.path, path);
  exec.named_size = put(exec.named, named);
  exec.arguments_size = exec.arguments_total = put(exec.arguments, arguments);
  return exec;
}

std::string body(const agentos_event& event) {
  return describe(event, 1000).body;
}

using namespace std::string_view_literals;

TEST(DescribeTest, AProgram) {
  const auto exec = exec_of("/usr/bin/ls", "/usr/bin/ls", "ls\0-l\0"sv);
  const auto entry = describe(exec.event, 1000);
  EXPECT_EQ(entry.kind, "process.exec");
  EXPECT_EQ(
      entry.body,
      R"({"at_ns":1005,"pid":42,"parent":41,"uid":100000,"path":"/usr/bin/ls","file":{"device":"8:1","inode":12},)"
      R"("arguments":["ls","-l"]})");
}

TEST(DescribeTest, AnEmptyArgumentIsOne) {
  EXPECT_THAT(body(exec_of("/a", "/a", "a\0\0b\0"sv).event), HasSubstr(R"("arguments":["a","","b"])"));
}

TEST(DescribeTest, ARenamedProgramHasBothNames) {
  EXPECT_THAT(body(exec_of("/work/real", "/proc/self/fd/3", "x\0"sv).event), HasSubstr(R"("named":"/proc/self/fd/3")"));
}

TEST(DescribeTest, AScriptHasItsInterpreter) {
  auto exec = exec_of("/work/run.sh", "./run.sh", "sh\0"sv);
  exec.interpreter.inode = 99;
  EXPECT_THAT(
      body(exec.event),
      HasSubstr(R"("how":"script","interpreter":{"device":"8:1","inode":99},"file":{"device":"8:1","inode":12})"));
  exec.file = {};  // the kernel did not let it be seen
  EXPECT_THAT(body(exec.event), HasSubstr(R"("how":"script")"));
  EXPECT_THAT(body(exec.event), Not(HasSubstr(R"("file")")));
}

TEST(DescribeTest, WhatHasNoNameSaysSo) {
  auto exec = exec_of("/memfd:x", "/proc/self/fd/3", "x\0"sv);
  EXPECT_THAT(body(exec.event), Not(HasSubstr(R"("how")")));
  exec.file.links = exec.interpreter.links = 0;
  EXPECT_THAT(body(exec.event), HasSubstr(R"("how":"memfd")"));
  auto gone = exec_of("/work/gone", "./gone", "x\0"sv);
  gone.file.links = gone.interpreter.links = 0;
  EXPECT_THAT(body(gone.event), HasSubstr(R"("how":"unlinked")"));
}

TEST(DescribeTest, HostileTextIsJsonAndUtf8) {
  const auto text = body(exec_of("/w/\xff\n\"", "x", "\x1b[2J\0\xc3\0"sv).event);
  const auto read = json::parse(text);
  EXPECT_EQ(read.at("path"), "/w/\\xff\n\"");
  EXPECT_EQ(read.at("arguments").at(0), "\x1b[2J");
  EXPECT_EQ(read.at("arguments").at(1), "\\xc3");
}

TEST(DescribeTest, SizesBeyondTheirArraysAreTheirEnds) {
  auto exec = exec_of("/a", "/a", "a\0"sv);
  exec.path_size = exec.named_size = exec.arguments_size = exec.arguments_total = ~0U;
  const auto read = json::parse(body(exec.event));
  EXPECT_EQ(read.at("path").as_string().size(), static_cast<std::size_t>(AGENTOS_PATH));
  EXPECT_EQ(read.at("arguments_bytes"), ~0U);
}

TEST(DescribeTest, TheWorstTextStillFitsARecord) {
  auto exec = exec_of("", "", "");
  std::memset(exec.path, 1, sizeof exec.path);
  std::memset(exec.named, 1, sizeof exec.named);
  std::memset(exec.arguments, 1, sizeof exec.arguments);
  exec.path_size = exec.named_size = exec.arguments_size = ~0U;
  EXPECT_LE(body(exec.event).size(), AuditEntry::body_max);
  for (std::size_t at = 1; at < sizeof exec.arguments; at += 2) exec.arguments[at] = 0;
  EXPECT_LE(body(exec.event).size(), AuditEntry::body_max);
}

TEST(DescribeTest, AnEnd) {
  auto ended = event_of<agentos_exit>(AGENTOS_EVENT_EXIT);
  ended.status = 3 << 8;
  EXPECT_EQ(describe(ended.event, 0).kind, "process.exit");
  EXPECT_THAT(body(ended.event), HasSubstr(R"("status":3)"));
  ended.status = 9;
  EXPECT_THAT(body(ended.event), HasSubstr(R"("signal":9)"));
}

TEST(DescribeTest, AConnection) {
  auto connect = event_of<agentos_connect>(AGENTOS_EVENT_CONNECT);
  connect.family = AF_INET;
  connect.protocol = IPPROTO_TCP;
  connect.port = 443;
  connect.address[0] = 127;
  connect.address[3] = 1;
  EXPECT_EQ(describe(connect.event, 0).kind, "network.connect");
  EXPECT_THAT(body(connect.event), HasSubstr(R"("protocol":"tcp","address":"127.0.0.1","port":443)"));
  connect.family = AF_INET6;
  connect.protocol = 132;
  EXPECT_THAT(body(connect.event), HasSubstr(R"("protocol":132,"address":"7f00:1::")"));
}

TEST(DescribeTest, AKindOfANewerSpawndIsNotLost) {
  auto event = event_of<agentos_exit>(AGENTOS_EVENT_EXIT).event;
  event.kind = 77;
  EXPECT_EQ(describe(event, 0).kind, "event.unknown");
  EXPECT_THAT(body(event), HasSubstr(R"("event":77)"));
}

}  // namespace
}  // namespace agentos::observer
