#pragma once

#include <string>

#include <boost/json/object.hpp>

#include "agentos/base/result.hpp"
#include "cli/options.hpp"

namespace agentos::cli {

// --policy and --policy-file, which several commands take.
class PolicyChoice {
 public:
  void declare(Options& options);
  // As members of a request. The user's file is read here, with the user's rights, and sent as text.
  [[nodiscard]] Result<> put(boost::json::object& body) const;

 private:
  std::string name_, file_;
};

// The text of a policy file, with a byte more than agentosd takes where it is longer: agentosd says what is wrong.
[[nodiscard]] Result<std::string> read_policy(const std::string& file);

}  // namespace agentos::cli
