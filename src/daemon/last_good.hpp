#pragma once

#include <map>
#include <string>

#include "agentos/base/result.hpp"
#include "agentos/model/agent.hpp"

namespace agentos::daemon {

// The text of each policy file as it last was without a mistake, kept across restarts in a folder of agentosd's own.
class LastGood {
 public:
  enum class Kind : std::uint8_t { policy, tenant };
  struct Kept {
    std::string path;  // of the file
    TimePoint read{};  // when agentosd first read this text
    std::string text;

    bool operator==(const Kept&) const = default;
  };

  // The folder is made, closed to others, where it is missing.
  explicit LastGood(std::string folder) : folder_(std::move(folder)) {}

  // By name. What cannot be read is as if it had never been kept.
  [[nodiscard]] std::map<std::string, Kept> load(Kind kind) const;
  // A crash leaves the old one or the new one.
  [[nodiscard]] Result<> keep(Kind kind, const std::string& name, const Kept& kept) const;
  void forget(Kind kind, const std::string& name) const;

 private:
  [[nodiscard]] std::string folder_of(Kind kind) const;

  std::string folder_;
};

}  // namespace agentos::daemon
