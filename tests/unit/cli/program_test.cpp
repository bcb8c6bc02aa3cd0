// The built agentos against a scripted agentosd.
#include "program.hpp"

#include <sys/stat.h>

#include <csignal>
#include <fstream>

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agentos/model/attach.hpp"
#include "os/socket.hpp"
#include "unit/client/scripted_server.hpp"

namespace agentos::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string frame(FrameType type, std::string_view data = {}, int number = 0) {
  Frame frame;
  frame.type = type;
  frame.data = data;
  frame.number = number;
  return frame.encode();
}

std::string problem(int status, const std::string& kind, const std::string& detail) {
  return answer(status,
                R"({"status":)" + std::to_string(status) + R"(,"kind":")" + kind + R"(","detail":")" + detail +
                    R"(","hint":"do that"})",
                "application/problem+json");
}

// An agent whose init is the test: frames said beforehand are waiting in the socket.
class Agent {
 public:
  Agent() {
    auto [init, client] = os::socket_pair(SOCK_SEQPACKET).value();
    init_ = std::move(init);
    client_ = std::move(client);
  }
  void say(const std::string& packet) { ASSERT_TRUE(os::send_packet(init_.get(), packet)); }
  std::string hear() {
    const auto packet = os::receive_packet(init_.get(), attach_frame_max);
    return packet ? packet->bytes : std::string();
  }
  void die() { init_.reset(); }
  void let_go() { client_.reset(); }  // of the copy that stayed in this process
  Scripted started(const std::string& more = "") {
    return {.bytes = answer(201, R"({"id":"a1","name":"","status":"running")" + more + "}"), .fd = client_.get()};
  }

 private:
  UniqueFd init_, client_;
};

TEST(Run, GivesExactOutputAndStatus) {
  Agent agent;
  ScriptedServer server([&](const Asked&) { return agent.started(R"(,"sandbox":{"not_enforced":["memory limit"]})"); });
  agent.say(frame(FrameType::started));
  agent.say(frame(FrameType::output, std::string_view("a\0\x1b[1m\n", 7)));
  agent.say(frame(FrameType::error_output, "warning\n"));
  agent.say(frame(FrameType::exited, {}, 42 << 8));
  const auto ran = run({"run", "--name", "x", "-e", "A=1", "--", "prog", "--flag", ""}, server);
  EXPECT_EQ(ran.status, 42);
  EXPECT_EQ(ran.out, std::string("a\0\x1b[1m\n", 7));  // the program's own bytes, untouched
  EXPECT_EQ(ran.err, "agentos: not enforced on this host: memory limit (see agentos doctor)\nwarning\n");
  const auto body = boost::json::parse(server.asked(0).body);
  EXPECT_EQ(body.at("command"), boost::json::parse(R"(["prog","--flag",""])"));
  EXPECT_EQ(body.at("env"), boost::json::parse(R"({"A":"1"})"));
  EXPECT_EQ(body.at("workspace").as_string(), std::filesystem::current_path().c_str());
  EXPECT_EQ(body.at("attach").as_bool(), true);
  EXPECT_EQ(body.at("stdin").as_bool(), true);
  EXPECT_EQ(body.at("tty").as_bool(), false);
  ASSERT_EQ(server.asked(0).fds.size(), 1U);
  struct stat passed{}, here{};
  ASSERT_EQ(::fstat(server.asked(0).fds[0].get(), &passed) + ::stat(".", &here), 0);
  EXPECT_EQ(passed.st_ino, here.st_ino);
}

TEST(Run, PassesStdinOn) {
  Agent agent;
  ScriptedServer server([&](const Asked&) { return agent.started(); });
  Program program({"run", "cat"}, server.socket(), "some input");
  EXPECT_EQ(agent.hear(), frame(FrameType::input, "some input"));
  agent.say(frame(FrameType::taken));
  EXPECT_EQ(agent.hear(), frame(FrameType::input_end));
  agent.say(frame(FrameType::exited));
  EXPECT_EQ(program.finish().status, 0);
}

TEST(Run, StatusesOfEveryEnd) {
  struct Case {
    std::string last;
    int status;
    const char* words;
  };
  for (const auto& [last, status, words] : {Case{frame(FrameType::exited, {}, SIGKILL), 137, ""},
                                            {frame(FrameType::refused, "no", ENOENT), 127, "no such program"},
                                            {frame(FrameType::refused, "cannot run", EACCES), 126, "cannot run"},
                                            {frame(FrameType::refused, "too many", EMFILE), 125, "too many"}}) {
    Agent agent;
    ScriptedServer server([&](const Asked&) { return agent.started(); });
    agent.say(last);
    const auto ran = run({"run", "prog"}, server);
    EXPECT_EQ(ran.status, status);
    EXPECT_THAT(ran.err, HasSubstr(words));
  }
}

TEST(Run, AsksHowAnAgentEndedWhoseStreamBroke) {
  Agent agent;
  ScriptedServer server([&](const Asked& asked) {
    if (asked.line().starts_with("POST")) return agent.started();
    return Scripted{
        answer(200, R"({"id":"a1","status":"failed","reason":"out of memory","signal":9,"exit_code":null})")};
  });
  agent.die();
  const auto ran = run({"run", "prog"}, server);
  EXPECT_EQ(ran.status, 137);
  EXPECT_THAT(ran.err, HasSubstr("out of memory"));
  EXPECT_THAT(server.lines(), ElementsAre("POST /v1/agents", StartsWith("GET /v1/agents/a1/wait?timeout_ms=")));
}

TEST(Run, AReaderThatIsGoneEndsTheAgent) {
  Agent agent;
  ScriptedServer server([&](const Asked& asked) {
    return asked.line() == "POST /v1/agents" ? agent.started() : Scripted{answer(200, R"({"id":"a1"})")};
  });
  Program program({"run", "yes"}, server.socket());
  program.close_out();
  agent.say(frame(FrameType::output, "y\n"));
  EXPECT_EQ(program.finish().status, 128 + SIGPIPE);
  EXPECT_THAT(server.lines(), ElementsAre("POST /v1/agents", "POST /v1/agents/a1/terminate"));
}

TEST(Run, ForwardsSignals) {
  Agent agent;
  ScriptedServer server([&](const Asked&) { return agent.started(); });
  Program program({"run", "prog"}, server.socket());
  EXPECT_EQ(agent.hear(), frame(FrameType::input_end));  // it relays
  for (const int signal : {SIGTERM, SIGHUP, SIGQUIT, SIGINT}) {
    program.signal(signal);
    EXPECT_EQ(agent.hear(), frame(FrameType::signal, {}, signal));
  }
  agent.say(frame(FrameType::exited, {}, SIGTERM));
  EXPECT_EQ(program.finish().status, 128 + SIGTERM);
}

TEST(Run, TheSecondInterruptTerminates) {
  Agent agent;
  ScriptedServer server([&](const Asked& asked) {
    if (asked.line() == "POST /v1/agents") return agent.started();
    agent.say(frame(FrameType::exited, {}, SIGKILL));
    return Scripted{answer(200, R"({"id":"a1"})")};
  });
  Program program({"run", "stubborn"}, server.socket());
  EXPECT_EQ(agent.hear(), frame(FrameType::input_end));
  program.signal(SIGINT);
  EXPECT_EQ(agent.hear(), frame(FrameType::signal, {}, SIGINT));
  program.signal(SIGINT);
  EXPECT_EQ(program.finish().status, 137);
  EXPECT_THAT(server.lines(), ElementsAre("POST /v1/agents", "POST /v1/agents/a1/terminate"));
  EXPECT_THAT(server.asked(1).body, HasSubstr("interrupted twice"));
}

TEST(Run, DetachedPrintsTheId) {
  ScriptedServer server([](const Asked&) { return Scripted{answer(201, R"({"id":"a0123","status":"running"})")}; });
  const auto ran = run({"run", "-d", "--rm", "--goal", "g", "sleep", "1"}, server);
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.out, "a0123\n");
  const auto body = boost::json::parse(server.asked(0).body);
  EXPECT_EQ(body.at("attach").as_bool(), false);
  EXPECT_EQ(body.at("stdin").as_bool(), false);
  EXPECT_EQ(body.at("remove_on_exit").as_bool(), true);
  EXPECT_EQ(body.at("goal").as_string(), "g");
}

TEST(Exec, RunsInAnAgent) {
  Agent agent;
  ScriptedServer server([&](const Asked&) { return agent.started(); });
  agent.say(frame(FrameType::output, "done\n"));
  agent.say(frame(FrameType::exited, {}, 1 << 8));
  const auto ran = run({"exec", "--workdir", "/tmp", "b", "--", "git", "-C", "x"}, server);
  EXPECT_EQ(ran.status, 1);
  EXPECT_EQ(ran.out, "done\n");
  EXPECT_EQ(server.asked(0).line(), "POST /v1/agents/b/exec");
  EXPECT_EQ(boost::json::parse(server.asked(0).body).at("command"), boost::json::parse(R"(["git","-C","x"])"));
  EXPECT_EQ(run({"exec", "b", "-t", "bash"}, server).status, 125);
}

TEST(Attach, WithoutATerminalCtrlCLeavesTheAgentRunning) {
  Agent agent;
  ScriptedServer server([&](const Asked&) { return agent.started(); });
  agent.say(frame(FrameType::output, "going on\n"));
  Program program({"attach", "b"}, server.socket());
  EXPECT_EQ(agent.hear(), frame(FrameType::input_end));
  program.signal(SIGINT);
  const auto ended = program.finish();
  EXPECT_EQ(ended.status, 128 + SIGINT);
  EXPECT_EQ(ended.out, "going on\n");
  agent.let_go();
  EXPECT_EQ(agent.hear(), "");  // no signal was sent: the stream is just closed
  EXPECT_THAT(server.lines(), ElementsAre("GET /v1/agents/b", "POST /v1/agents/a1/attach"));
}

TEST(Listing, NothingAnAgentChoseReachesTheTerminal) {
  const std::string hostile =
      R"({"id":"a1","name":"n","status":"running","owner":{"uid":0},"created":"2026-01-01T00:00:00Z",
    "command":["\u001b]0;x\u0007\u009b2J\u202e\r\n"],"goal":"\u001b[2J","reason":"\u001b[2J"})";
  ScriptedServer server([&](const Asked& asked) {
    if (asked.line().starts_with("GET /v1/agents?")) return Scripted{answer(200, "{\"agents\":[" + hostile + "]}")};
    return Scripted{answer(200, hostile)};
  });
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"ps"}, {"ps", "--json"}, {"top", "--once"}, {"top", "--json"}, {"inspect", "a1"}}) {
    const auto ran = run(command, server);
    EXPECT_EQ(ran.status, 0) << command[0] << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("a1"));
    for (const auto* bad : {"\x1b", "\x07", "\xc2\x9b", "\xe2\x80\xae", "\r"})
      EXPECT_EQ(ran.out.find(bad), std::string::npos) << command[0];
  }
}

TEST(Errors, EachHasItsStatusAndOneLine) {
  struct Case {
    int http;
    const char* kind;
    int status;
  };
  for (const auto& [http, kind, status] : {Case{400, "invalid", 2},
                                           {404, "not-found", 3},
                                           {403, "forbidden", 4},
                                           {409, "conflict", 5},
                                           {409, "exists", 5},
                                           {503, "unavailable", 6},
                                           {422, "unsupported", 7},
                                           {429, "exhausted", 8},
                                           {500, "internal", 1}}) {
    ScriptedServer server(
        [&, http = http, kind = kind](const Asked&) { return Scripted{problem(http, kind, "no such \\u001b thing")}; });
    const auto plain = run({"pause", "x"}, server);
    EXPECT_EQ(plain.status, status) << kind;
    EXPECT_EQ(plain.err, "agentos: no such \\x1b thing\nhint: do that\n");
    EXPECT_EQ(plain.out, "");
    const auto json = run({"pause", "x", "--json"}, server);
    EXPECT_EQ(json.status, status);
    EXPECT_EQ(boost::json::parse(json.err).at("error").at("kind").as_string(), kind);
    EXPECT_EQ(run({"run", "x"}, server).status, 125) << kind;  // never a status that could be the program's
  }
}

TEST(Errors, WithoutADaemon) {
  const TemporaryFolder folder;
  const auto socket = (folder.path() / "no.sock").string();
  const auto ran = Program({"ps"}, socket).finish();
  EXPECT_EQ(ran.status, 6);
  EXPECT_THAT(ran.err, StartsWith("agentos: agentosd is not running"));
  EXPECT_THAT(ran.err, HasSubstr("\nhint: start it: "));
  EXPECT_EQ(Program({"run", "true"}, socket).finish().status, 125);
  const auto doctor = Program({"doctor"}, socket).finish();
  EXPECT_EQ(doctor.status, 1);
  EXPECT_THAT(doctor.out, HasSubstr("agentosd is not running"));
}

TEST(Errors, Usage) {
  for (const auto& [arguments, words] : {std::pair<std::vector<std::string>, std::string>{{}, "no command given"},
                                         {{"pss"}, "did you mean 'agentos ps'?"},
                                         {{"ps", "--nope"}, "--nope"},
                                         {{"ps", "--status", "great"}, "there are submitted, admitted"},
                                         {{"logs", "--since", "then", "x"}, "is not a time"},
                                         {{"terminate", "--grace", "long", "x"}, "--grace"},
                                         {{"prune"}, "give -f"}}) {
    const auto ran = Program(arguments, "/nonexistent/agentos.sock").finish();
    EXPECT_EQ(ran.status, 2);
    EXPECT_THAT(ran.err, HasSubstr(words));
  }
}

TEST(Logs, PartsAndNeutralisesTheStreams) {
  const auto event = [](const char* stream, const char* base64) {
    return "data: {\"time\":\"2026-01-01T00:00:00.000Z\",\"stream\":\"" + std::string(stream) + "\",\"data\":\"" +
           base64 + "\"}\n\n";
  };
  const std::string body =
      event("stdout", "G10wO3gHCg==") + event("stderr", "ZQo=") + "event: end\ndata: {}\n\n";  // ESC ]0;x BEL LF; e LF
  ScriptedServer server([&](const Asked&) { return Scripted{answer(200, body, "text/event-stream")}; });
  const auto plain = run({"logs", "--tail", "5", "b"}, server);
  EXPECT_EQ(plain.status, 0);
  EXPECT_EQ(plain.out, "\\x1b]0;x\\x07\n");
  EXPECT_EQ(plain.err, "e\n");
  EXPECT_EQ(server.asked(0).line(), "GET /v1/agents/b/logs?follow=false&tail=5");
  EXPECT_EQ(run({"logs", "--raw", "b"}, server).out, "\x1b]0;x\x07\n");
  EXPECT_EQ(run({"logs", "-t", "b"}, server).err, "2026-01-01T00:00:00.000Z e\n");
}

TEST(Logs, FollowSitsOutARestartAndPrintsNothingTwice) {
  const auto event = [](const char* time, const char* base64) {
    return "data: {\"time\":\"2026-01-01T00:00:00." + std::string(time) + "Z\",\"stream\":\"stdout\",\"data\":\"" +
           base64 + "\"}\n\n";
  };
  const std::string a = event("001", "YQo="), b = event("002", "Ygo="), c = event("002", "Ywo="),
                    d = event("002", "ZAo=");
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9999\r\n\r\n";
  int asked = 0;
  ScriptedServer server([&](const Asked&) {
    if (++asked == 1) return Scripted{head + a + b + c};  // and the connection is gone
    return Scripted{answer(200, b + c + d + "event: end\ndata: {}\n\n", "text/event-stream")};
  });
  const auto ran = run({"logs", "-f", "--tail", "9", "x"}, server);
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.out, "a\nb\nc\nd\n");
  EXPECT_EQ(server.lines()[1], "GET /v1/agents/x/logs?follow=true&since=2026-01-01T00%3A00%3A00.002Z");
}

TEST(Wait, SitsOutARestartAndGivesTheStatus) {
  int asked_wait = 0;
  ScriptedServer server([&](const Asked& asked) {
    if (asked.line() == "GET /v1/agents/b") return Scripted{answer(200, R"({"id":"a1"})")};
    if (++asked_wait == 1) return Scripted{""};  // the daemon dies in the middle of it
    return Scripted{answer(200, R"({"id":"a1","status":"failed","exit_code":9})")};
  });
  const auto ran = run({"wait", "b"}, server);
  EXPECT_EQ(ran.status, 9);
  EXPECT_EQ(ran.out, "9\n");
  EXPECT_EQ(asked_wait, 2);
}

TEST(Several, AnErrorDoesNotStopTheOthers) {
  ScriptedServer server([&](const Asked& asked) {
    if (asked.line().ends_with("/x/pause")) return Scripted{problem(404, "not-found", "no agent x")};
    return Scripted{answer(200, R"({"id":"a1","name":"b"})")};
  });
  const auto ran = run({"pause", "x", "b"}, server);
  EXPECT_EQ(ran.status, 3);
  EXPECT_EQ(ran.out, "b\n");
  EXPECT_THAT(ran.err, HasSubstr("no agent x"));
}

TEST(Terminate, TellsAllThenWaitsForEach) {
  ScriptedServer server([](const Asked& asked) {
    const std::string id = asked.line().find("/x") != std::string::npos ? "x" : "y";
    return Scripted{answer(200, R"({"id":")" + id + R"(","status":"terminated","exit_code":143})")};
  });
  const auto ran = run({"terminate", "--reason", "enough", "--grace", "2s", "--tenant", "t", "x", "y"}, server);
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.out, "x\ny\n");
  const auto lines = server.lines();
  ASSERT_GE(lines.size(), 2U);
  EXPECT_EQ(lines[0], "POST /v1/agents/x/terminate?tenant=t");
  EXPECT_EQ(lines[1], "POST /v1/agents/y/terminate?tenant=t");
  EXPECT_EQ(server.asked(0).body, R"({"reason":"enough","grace_ms":2000})");
}

TEST(Version, TellsAMismatch) {
  ScriptedServer same(
      [](const Asked&) { return Scripted{answer(200, R"({"version":")" AGENTOS_VERSION R"(","api":"v1"})")}; });
  const auto good = run({"version"}, same);
  EXPECT_EQ(good.status, 0);
  EXPECT_EQ(good.err, "");
  EXPECT_THAT(good.out, HasSubstr("agentosd " AGENTOS_VERSION " (API v1)"));
  ScriptedServer newer([](const Asked&) { return Scripted{answer(200, R"({"version":"99.0","api":"v1"})")}; });
  EXPECT_THAT(run({"--version"}, newer).err, HasSubstr("versions differ"));
  ScriptedServer other([](const Asked&) { return Scripted{answer(200, R"({"version":"99.0","api":"v2"})")}; });
  const auto bad = run({"version"}, other);
  EXPECT_EQ(bad.status, 7);
  EXPECT_THAT(bad.err, HasSubstr("speaks version v2"));
}

TEST(Streams, AnyOfThemMayBeClosed) {
  for (const int closed : {0, 1, 2}) {
    Agent agent;
    ScriptedServer server([&](const Asked&) { return agent.started(); });
    agent.say(frame(FrameType::output, "out"));
    agent.say(frame(FrameType::exited, {}, 5 << 8));
    EXPECT_EQ(Program({"run", "prog"}, server.socket(), "", closed).finish().status, 5) << closed;
    std::string heard;
    while (heard != frame(FrameType::input_end)) {
      heard = agent.hear();
      ASSERT_NE(heard, "");
    }
  }
}

}  // namespace
}  // namespace agentos::testing
