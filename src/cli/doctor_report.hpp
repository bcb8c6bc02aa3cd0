#pragma once

#include <string>
#include <vector>

#include "agentos/base/result.hpp"
#include "agentos/client/client.hpp"

namespace agentos::cli {

// What `doctor` found, one line each, and whether agents can run as they should.
class DoctorReport {
 public:
  void add_daemon(const std::string& socket, const Result<client::Reply>& version);
  void add_caller(const Result<client::Reply>& whoami);
  void add_features(const boost::json::value& host);
  void add_failure(std::string name, const Error& error);

  [[nodiscard]] bool healthy() const;
  [[nodiscard]] std::string text() const;
  [[nodiscard]] boost::json::value json() const;

 private:
  struct Check {
    std::string name, state, detail,
        remedy;  // state "absent": agents cannot do without it; "degraded": they can, with less
  };
  std::vector<Check> checks_;
};

}  // namespace agentos::cli
