#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/agent_view.hpp"
#include "cli/table.hpp"

namespace agentos::cli {

// What `top` shows, from one list of agents after the other.
class TopModel {
 public:
  enum class Order { cpu, memory, pids, age };
  struct Row {
    std::string id, label, status, command;
    std::optional<double> cpu_percent;  // of one CPU, since the sample before
    std::optional<std::int64_t> memory, pids;
    std::chrono::milliseconds age{};
  };

  // `at`: a clock that is never set, for the time between samples; `now`: the wall clock, for ages.
  void sample(const std::vector<AgentView>& agents, std::chrono::steady_clock::time_point at, Time now);
  void order_by(Order order);
  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }
  [[nodiscard]] Table table() const;
  [[nodiscard]] std::string summary() const;  // one line over all agents
  [[nodiscard]] boost::json::value json() const;

 private:
  void sort();

  std::map<std::string, std::int64_t> cpu_usec_;  // at the last sample
  std::optional<std::chrono::steady_clock::time_point> last_;
  std::vector<Row> rows_;
  Order order_{Order::cpu};
};

}  // namespace agentos::cli
