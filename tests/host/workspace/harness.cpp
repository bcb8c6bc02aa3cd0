#include "harness.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <chrono>
#include <stdexcept>

#include "mount.hpp"

namespace agentos::test {

namespace fs = std::filesystem;

AsCaller::AsCaller() {
  if (::setegid(caller) != 0 || ::seteuid(caller) != 0) throw std::runtime_error("become the caller");
}

AsCaller::~AsCaller() {
  if (::seteuid(0) != 0 || ::setegid(0) != 0) std::abort();
}

void LayerTest::SetUp() {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  char name[] = "/var/tmp/agentos-workspace-test-XXXXXX";
  ASSERT_NE(::mkdtemp(name), nullptr);
  folder_ = name;
  ASSERT_EQ(::chmod(name, 0755) + ::chown(name, caller, caller), 0);
  ASSERT_EQ(::mkdir(lower().c_str(), 0755) + ::chown(lower().c_str(), caller, caller), 0);
  make_layer("layer");
}

void LayerTest::TearDown() {
  opened_.clear();
  if (!folder_.empty()) fs::remove_all(folder_);
}

void LayerTest::make_layer(const std::string& name) {
  for (const auto& path : {folder_ + "/" + name, folder_ + "/" + name + "/upper", folder_ + "/" + name + "/work"}) {
    ASSERT_EQ(::mkdir(path.c_str(), 0755), 0) << path;
    ASSERT_EQ(::chown(path.c_str(), caller, caller), 0);
  }
}

void LayerTest::start() {
  // File systems stamp with a clock that is behind by up to a tick: the first stamp after the newest is the start.
  const auto stamp = [&] {
    const std::string probe = folder_ + "/probe";
    const UniqueFd fd(::open(probe.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600));
    struct stat status{};
    if (!fd || ::fstat(fd.get(), &status) != 0 || ::unlink(probe.c_str()) != 0) throw std::runtime_error("probe");
    return TimePoint(std::chrono::milliseconds(status.st_ctim.tv_sec * 1000 + status.st_ctim.tv_nsec / 1000000));
  };
  const auto now = stamp();
  do started_ = stamp();
  while (started_ == now);
}

std::string LayerTest::outside(const std::string& script, const std::string& folder) {
  const auto ran = run_in(caller, folder.empty() ? lower() : folder, {"/bin/bash", "-ec", script});
  EXPECT_EQ(ran.status, 0) << script << "\n" << ran.output;
  return ran.output;
}

std::string LayerTest::inside(const std::string& script, const std::string& name) {
  const auto ran = run_on_overlay(caller, lower(), folder_ + "/" + name, {"/bin/bash", "-ec", script});
  EXPECT_EQ(ran.status, 0) << script << "\n" << ran.output;
  return ran.output;
}

std::string LayerTest::agent_inside(const std::vector<std::string>& arguments, const std::string& name) {
  std::vector<std::string> command{AGENT};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const auto ran = run_on_overlay(caller, lower(), folder_ + "/" + name, command);
  EXPECT_EQ(ran.status, 0) << ran.output;
  return ran.output;
}

std::string LayerTest::agent_outside(const std::vector<std::string>& arguments, const std::string& folder) {
  std::vector<std::string> command{AGENT};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const auto ran = run_in(caller, folder, command);
  EXPECT_EQ(ran.status, 0) << ran.output;
  return ran.output;
}

workspace::Layer LayerTest::layer(const std::string& name) {
  const auto open = [&](const std::string& path) {
    opened_.emplace_back(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    EXPECT_TRUE(opened_.back()) << path;
    return opened_.back().get();
  };
  return {.lower = open(lower()), .upper = open(upper(name)), .agent = "a0000000" + name, .started = started_};
}

std::vector<std::string> LayerTest::changed(const std::string& name) {
  const AsCaller as_caller;
  const auto changes = workspace::changes(layer(name), {});
  EXPECT_TRUE(changes) << changes.error().message();
  std::vector<std::string> lines;
  for (const auto& change : changes.value_or(std::vector<workspace::Change>())) {
    const char letter = change.what == workspace::What::added      ? 'A'
                        : change.what == workspace::What::modified ? 'M'
                                                                   : 'D';
    lines.push_back(std::string(1, letter) + " " + change.path);
  }
  return lines;
}

std::vector<workspace::Outcome> LayerTest::commit(const workspace::CommitRequest& request) {
  const AsCaller as_caller;
  auto outcomes = workspace::commit(layer(), request);
  EXPECT_TRUE(outcomes) << outcomes.error().message();
  return outcomes ? std::move(*outcomes) : std::vector<workspace::Outcome>();
}

Result<> LayerTest::discard(const std::vector<std::string>& paths) {
  const auto selection = select(paths);
  const AsCaller as_caller;
  return workspace::discard(layer(), selection);
}

workspace::Selection LayerTest::select(const std::vector<std::string>& paths) const {
  return workspace::Selection::parse(paths, lower()).value();
}

}  // namespace agentos::test
