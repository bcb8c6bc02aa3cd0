#pragma once

#include <string>

#include <boost/json/object.hpp>

#include "cli/options.hpp"

namespace agentos::cli {

// The limits of `run`, in the units people write.
class LimitOptions {
 public:
  void declare(Options& options);
  // In the units of the API. A value that is not of the right form is ErrorKind::invalid and names its option.
  [[nodiscard]] Result<boost::json::object> json() const;

 private:
  std::string memory_, memory_high_, cpus_, cpu_weight_, pids_, io_weight_;
};

}  // namespace agentos::cli
