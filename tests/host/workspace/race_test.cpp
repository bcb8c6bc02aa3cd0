// Somebody exchanges folders and links in the workspace and in the layer, thousands of times, while diff, commit and
// discard are at work. Nothing outside of both is ever read, written or removed.
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <random>
#include <thread>

#include <gmock/gmock.h>

#include "harness.hpp"
#include "os/file.hpp"

namespace agentos::test {
namespace {

constexpr std::size_t default_rounds = 1000;  // AGENTOS_TEST_RACES

class Races : public LayerTest {
 protected:
  void SetUp() override {
    LayerTest::SetUp();
    if (IsSkipped()) return;
    // The canary has the very names that are in the workspace and in the layer.
    outside(
        "mkdir -p outside/sub;"
        "for f in outside outside/sub; do echo secret-canary > $f/a; echo secret-canary > $f/b; done;"
        "chmod 444 outside/a; chmod 751 outside; ln -s a outside/l; touch -d 2001-01-01 outside/* outside/sub/* "
        "outside",
        folder_);
    canary_ = look_at_canary();
  }

  // An exchange that finds nothing to exchange back with leaves links where the folders were, for good.
  void begin_anew() {
    outside(
        "chmod -R u+rwX lower layer/upper; find lower layer/upper -mindepth 1 -delete;"
        "mkdir -p lower/d/sub layer/upper/d/sub;"
        "ln -s ../outside lower/swap; ln -s ../../outside layer/upper/swap",
        folder_);
  }

  std::string look_at_canary() {
    return outside("find . -printf '%p %y %m %n %s %T@ %C@ %l\\n' | sort; cat a b sub/a sub/b", folder_ + "/outside");
  }

  // What the agent left, again and again; by steps that follow no link either.
  static void refill(const workspace::Layer& layer) {
    for (const std::string folder : {"d", "d/sub"}) {
      const auto parent = std::string(workspace::parent_of(folder));
      const auto name = std::string(workspace::name_of(folder));
      for (const int root : {layer.upper, layer.lower}) {
        const auto above = os::open_beneath(root, parent.empty() ? "." : parent, O_RDONLY | O_DIRECTORY);
        if (above) ::mkdirat(above->get(), name.c_str(), 0755);
      }
      if (const auto upper = os::open_beneath(layer.upper, folder, O_RDONLY | O_DIRECTORY)) {
        write_to(upper->get(), "a", "agent\n");
        write_to(upper->get(), "c", "agent\n");
        ::mknodat(upper->get(), "b", S_IFCHR, 0);
      }
      if (const auto lower = os::open_beneath(layer.lower, folder, O_RDONLY | O_DIRECTORY))
        write_to(lower->get(), "b", "workspace\n");
    }
  }

  static void write_to(int folder, const char* name, std::string_view text) {
    const UniqueFd fd(::openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (fd && !os::write_all(fd.get(), text)) ADD_FAILURE() << "write";
  }

  // Exchanges "d" with a link to the outside, and "d/sub" too, on both sides. What lies between two exchanges differs
  // each time, from nothing to about a round: so they fall on every step, and do not keep in step with the rounds.
  void exchange(const std::atomic<bool>& stop) {
    const UniqueFd below(::open(lower().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const UniqueFd above(::open(upper().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    std::minstd_rand random(1);
    std::uniform_int_distribution<int> pause(0, 200);
    while (!stop) {
      for (const int at : {below.get(), above.get()}) {
        for (const char* name : {"d", "d/sub", "d/a", "d/c"}) {
          if (::renameat2(at, "swap", at, name, RENAME_EXCHANGE) != 0) continue;
          ++exchanges_;
          ::renameat2(at, "swap", at, name, RENAME_EXCHANGE);
        }
        const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(pause(random));
        while (std::chrono::steady_clock::now() < until && !stop) std::this_thread::yield();
      }
    }
  }

  static std::size_t rounds() {
    const char* text = std::getenv("AGENTOS_TEST_RACES");
    return text == nullptr ? default_rounds : std::strtoul(text, nullptr, 10);
  }

  std::string canary_;
  std::atomic<std::size_t> exchanges_{};
};

TEST_F(Races, touch_nothing_outside) {
  start();
  std::size_t seen = 0, done = 0, refused = 0;
  // How many rounds see anything is the scheduler's choice.
  for (std::size_t round = 0; round < rounds() || (seen < rounds() && round < 50 * rounds());) {
    begin_anew();
    std::atomic<bool> stop{};
    const AsCaller as_caller;
    const auto here = layer();
    std::thread racer([&] { exchange(stop); });
    for (const auto end = round + 50; round < end; ++round) {
      refill(here);
      const auto changes = workspace::changes(here, {});
      for (const auto& change : changes.value_or(std::vector<workspace::Change>())) {
        ++seen;
        if (change.after.kind != workspace::Kind::file) continue;
        const auto content = workspace::content_of(here.upper, change.path, change.after.kind, 4096);
        EXPECT_FALSE(content && content->contains("canary")) << change.path;
      }
      if (round % 3 == 2) {
        const auto discarded = workspace::discard(here, workspace::Selection::parse({"d/sub", "d/a"}, "/").value());
        ++(discarded ? done : refused);
      } else {
        const auto outcomes = workspace::commit(here, {.selection = {}, .force = true});
        ++(outcomes ? done : refused);
      }
    }
    stop = true;
    racer.join();
  }
  EXPECT_EQ(look_at_canary(), canary_);
  // What went into the workspace is the agent's, nothing that was read through a link.
  // (Folders may have been left without the rights to look into them: the agent's are.)
  EXPECT_EQ(outside("chmod -R u+rwX . && grep -rl canary . || true"), "");
  EXPECT_GT(exchanges_, 1000U);
  EXPECT_GE(seen, rounds());
  EXPECT_GT(done, 0U);
  RecordProperty("exchanges", std::to_string(exchanges_));
  RecordProperty("done", std::to_string(done));
  RecordProperty("refused", std::to_string(refused));
}

}  // namespace
}  // namespace agentos::test
