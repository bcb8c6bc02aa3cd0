#include <cstdio>

#include "daemon/privileges.hpp"

// Gives up root as agentosd does, and has lost a piece of memory when it ends.
int main() {
  if (const auto done = agentos::daemon::become("nobody", {}); !done) {
    std::fprintf(stderr, "%s\n", done.error().message().c_str());
    return 2;
  }
  auto* volatile lost = new int[64];
  lost = nullptr;
  return lost == nullptr ? 0 : 1;
}
