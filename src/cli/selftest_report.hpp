#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "agentos/base/result.hpp"

namespace agentos::cli {

// What agentos-probe (src/probe) has found in a sandbox.
class SelftestReport {
 public:
  struct Case {
    std::string group, name, expected, found, mechanism;
    bool held{};
    std::optional<int> call;  // number of the system call that is to be refused
  };

  // From the lines that the probe prints. invalid where they are not whole: something ended it, or it is of another
  // version.
  static Result<SelftestReport> parse(std::string_view lines);

  [[nodiscard]] const std::vector<Case>& cases() const { return cases_; }
  [[nodiscard]] std::size_t open() const;
  // By the number of a system call: what agentosd says why it is refused.
  void explain_calls(const std::map<int, std::string>& reasons);

  [[nodiscard]] std::string text() const;
  [[nodiscard]] boost::json::object json() const;

 private:
  std::vector<Case> cases_;
};

}  // namespace agentos::cli
