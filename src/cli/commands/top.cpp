#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "agentos/base/text.hpp"
#include "cli/command.hpp"
#include "cli/json_text.hpp"
#include "cli/report.hpp"
#include "cli/signals.hpp"
#include "cli/terminal.hpp"
#include "cli/top_model.hpp"

namespace agentos::cli {
namespace {

constexpr std::chrono::milliseconds least_interval{200}, once_interval{500};

// The other screen of the terminal, without a cursor; the old one comes back with the destructor.
struct Screen {
  Screen() { static_cast<void>(print("\x1b[?1049h\x1b[?25l")); }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen() { static_cast<void>(print("\x1b[?25h\x1b[?1049l")); }
};

class Top final : public Command {
 public:
  void declare(Options& options) override {
    options.flag("--once", once_, "Show it once (also when stdout is no terminal)");
    options.value("--interval", "TIME", interval_, "Time between two looks (default: 2s)");
    options.examples(
        "  agentos top                  c, m, p, a: order by CPU, memory, processes, age; q: leave\n"
        "  agentos top --once --json | jq 'max_by(.cpu_percent)'");
  }

  Result<int> run(Context& context) override {
    auto interval = parse_duration_ms(interval_);
    if (!interval) return std::unexpected(std::move(interval).error().within("--interval"));
    const std::chrono::milliseconds pause(std::clamp<std::uint64_t>(*interval, least_interval.count(), 3'600'000));
    if (once_ || context.json || ::isatty(STDOUT_FILENO) != 1) return once(context);
    const auto signal = AGENTOS_TRY(live(context, pause));
    if (signal != 0) die_of(signal);
    return exit_status::ok;
  }

 private:
  // One list request, however many agents there are.
  static Result<> sample(const Context& context, TopModel& model) {
    const auto answer = AGENTOS_TRY(context.client().call({.target = context.with_tenant("/v1/agents", "all=false")}));
    model.sample(agents_of(answer.body), std::chrono::steady_clock::now(),
                 std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()));
    return {};
  }

  static Result<int> once(const Context& context) {
    TopModel model;
    AGENTOS_TRY(sample(context, model));
    ::poll(nullptr, 0, once_interval.count());  // CPU use is a difference
    AGENTOS_TRY(sample(context, model));
    AGENTOS_TRY(print(context.json ? json_pretty(model.json()) : model.table().text()));
    return exit_status::ok;
  }

  // 0, or the signal that ended it.
  static Result<int> live(const Context& context, std::chrono::milliseconds pause) {
    TopModel model;
    AGENTOS_TRY(sample(context, model));
    auto signals = AGENTOS_TRY(SignalInbox::open({SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH}));
    std::optional<RawMode> raw;
    const bool keys = ::isatty(STDIN_FILENO) == 1;
    if (keys) raw.emplace(AGENTOS_TRY(RawMode::enter(STDIN_FILENO)));
    const Screen screen;
    std::string trouble;
    auto due = std::chrono::steady_clock::now() + pause;
    for (;;) {
      AGENTOS_TRY(draw(context, model, trouble));
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - std::chrono::steady_clock::now());
      std::array<pollfd, 2> fds{pollfd{signals.fd(), POLLIN, 0}, pollfd{keys ? STDIN_FILENO : -1, POLLIN, 0}};
      ::poll(fds.data(), fds.size(), static_cast<int>(std::max<std::int64_t>(0, left.count())));
      if (const auto signal = signals.next(); signal && *signal != SIGWINCH) return *signal;
      if (fds[1].revents != 0 && !take_key(model)) return 0;
      if (std::chrono::steady_clock::now() < due) continue;
      const auto sampled = sample(context, model);
      trouble = sampled ? "" : sampled.error().message();  // agentosd may be restarting: go on
      due = std::chrono::steady_clock::now() + pause;
    }
  }

  // false: leave.
  static bool take_key(TopModel& model) {
    char key{};
    if (::read(STDIN_FILENO, &key, 1) <= 0) return false;
    switch (key) {
      case 'q':
      case 3:
        return false;  // ctrl-c: the terminal is raw
      case 'c':
        model.order_by(TopModel::Order::cpu);
        break;
      case 'm':
        model.order_by(TopModel::Order::memory);
        break;
      case 'p':
        model.order_by(TopModel::Order::pids);
        break;
      case 'a':
        model.order_by(TopModel::Order::age);
        break;
      default:
        break;
    }
    return true;
  }

  static Result<> draw(const Context& context, const TopModel& model, const std::string& trouble) {
    const auto size = window_size().value_or(WindowSize{});
    std::string head = "agentos top: " + model.summary();
    if (!context.tenant.empty()) head += ", tenant " + printable(context.tenant);
    if (!trouble.empty()) head += " - " + printable(trouble);
    const std::string text = fit(head, size.columns) + "\n\n" + model.table().text(size.columns);
    std::string frame = "\x1b[H";
    std::size_t rows = 0;
    for (std::size_t at = 0; at < text.size() && rows < size.rows; ++rows) {
      const auto end = text.find('\n', at);
      frame += (rows == 0 ? "" : "\r\n") + text.substr(at, end - at) + "\x1b[K";
      at = end + 1;
    }
    return print(frame + "\x1b[J");
  }

  bool once_{};
  std::string interval_{"2s"};
};

}  // namespace

std::unique_ptr<Command> make_top() {
  return std::make_unique<Top>();
}

}  // namespace agentos::cli
