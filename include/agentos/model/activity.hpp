#pragma once

#include <cstdint>

namespace agentos {

// What the processes of an agent did since it was started, as the kernel counted it. Its init is one of them.
struct Activity {
  std::uint64_t forks{}, threads{};  // new processes, and new threads of one
  std::uint64_t execs{}, exits{};    // programs executed, processes ended
  std::uint64_t connects{};          // internet addresses asked for, by connect(2) or sendto(2)
  // With the headers of IP, over the loopback device too.
  std::uint64_t sent_bytes{}, sent_packets{}, received_bytes{}, received_packets{};
  // Told one by one; lost because nobody took them in time; not kept, as the agent's share of the journal was used up.
  std::uint64_t events{}, dropped{}, withheld{};

  bool operator==(const Activity&) const = default;
};

}  // namespace agentos
