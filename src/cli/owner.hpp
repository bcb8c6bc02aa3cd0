#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace agentos::cli {

// User names, each looked up once.
class Owners {
 public:
  // The number where it has no name, nothing where there is none.
  [[nodiscard]] std::string name(std::optional<std::int64_t> uid);

 private:
  std::map<std::int64_t, std::string> names_;
};

}  // namespace agentos::cli
