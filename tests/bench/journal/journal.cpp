#include "observer/journal/journal.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "fakes/await.hpp"
#include "fakes/temporary_folder.hpp"

// What an append costs the loop it is called on, how many records a second become durable, and how long one waits for
// that.
int main() {
  using namespace agentos;
  using Clock = std::chrono::steady_clock;
  const auto us = [](Clock::duration span) { return std::chrono::duration<double, std::micro>(span).count(); };
  fakes::TemporaryFolder folder;
  boost::asio::io_context context{1};
  auto opened =
      journal::SegmentJournal::open(context.get_executor(), {.folder = folder.path() + "/journal"},
                                    [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); });
  if (!opened) return 1;
  auto& journal = **opened;
  const AuditEntry entry{"agent.status", "acme", "a0123456789ab", "{\"x\":\"" + std::string(200, 'x') + "\"}"};
  constexpr int records = 200'000;
  std::vector<double> appends;
  const auto began = Clock::now();
  for (int i = 0; i < records; ++i) {
    const auto at = Clock::now();
    journal.append(entry);
    appends.push_back(us(Clock::now() - at));
    if (i % 64 == 0) context.poll();
    if (i % 4096 == 4095 && !fakes::await(context, journal.keep(entry))) return 1;
  }
  if (!fakes::await(context, journal.keep(entry)) || journal.dropped() != 0) return 1;
  const double seconds = us(Clock::now() - began) / 1e6;
  std::vector<double> kept;
  for (int i = 0; i < 200; ++i) {
    const auto at = Clock::now();
    if (!fakes::await(context, journal.keep(entry))) return 1;
    kept.push_back(us(Clock::now() - at));
  }
  std::ranges::sort(appends);
  std::ranges::sort(kept);
  std::printf("durable records/s      %10.0f\n", records / seconds);
  std::printf("append, us             %10.2f median %10.2f p99\n", appends[records / 2], appends[records * 99 / 100]);
  std::printf("one record durable, us %10.0f median %10.0f p99\n", kept[100], kept[198]);
  return 0;
}
