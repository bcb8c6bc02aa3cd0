#include "golden.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace agentos::golden {

void expect_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(AGENTOS_GOLDEN_DATA "/") + name;
  if (std::getenv("AGENTOS_UPDATE_GOLDEN") != nullptr) {  // NOLINT: one thread
    std::ofstream(path) << text;
    return;
  }
  std::ifstream file(path);
  ASSERT_TRUE(file) << path << " is missing: run with AGENTOS_UPDATE_GOLDEN=1";
  std::istringstream lines(text);
  std::string expected;
  std::string actual;
  for (int line = 1;; ++line) {
    const bool more = static_cast<bool>(std::getline(file, expected));
    const bool got = static_cast<bool>(std::getline(lines, actual));
    ASSERT_EQ(got, more) << name << ":" << line << ": "
                         << (got ? "more than expected: " + actual : "missing: " + expected);
    if (!more) return;
    ASSERT_EQ(actual, expected) << name << ":" << line;
  }
}

}  // namespace agentos::golden
