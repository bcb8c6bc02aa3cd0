#include "cli/top_model.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "agentos/base/text.hpp"

namespace agentos::cli {
namespace {

std::string percent(std::optional<double> value) {
  if (!value) return "-";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", *value);
  return text.data();
}

template <class T>
boost::json::value or_null(const std::optional<T>& value) {
  return value ? boost::json::value(*value) : boost::json::value();
}

}  // namespace

void TopModel::sample(const std::vector<AgentView>& agents, std::chrono::steady_clock::time_point at, Time now) {
  std::map<std::string, std::int64_t> cpu;
  const double elapsed_usec = last_ ? std::chrono::duration<double, std::micro>(at - *last_).count() : 0;
  rows_.clear();
  for (const auto& agent : agents) {
    Row row{agent.id(),
            agent.label(),
            agent.status(),
            agent.command_line(),
            {},
            agent.usage("memory_current"),
            agent.usage("pids_current"),
            {}};
    if (const auto used = agent.usage("cpu_usec")) {
      cpu[row.id] = *used;
      const auto before = cpu_usec_.find(row.id);
      if (before != cpu_usec_.end() && elapsed_usec > 0) {
        row.cpu_percent =
            std::max(0.0, 100.0 * (static_cast<double>(*used) - static_cast<double>(before->second)) / elapsed_usec);
      }
    }
    if (const auto created = agent.time("created")) row.age = now - *created;
    rows_.push_back(std::move(row));
  }
  cpu_usec_ = std::move(cpu);
  last_ = at;
  sort();
}

void TopModel::order_by(Order order) {
  order_ = order;
  sort();
}

void TopModel::sort() {
  const auto weight = [this](const Row& row) {
    switch (order_) {
      case Order::cpu:
        return row.cpu_percent.value_or(-1);
      case Order::memory:
        return static_cast<double>(row.memory.value_or(-1));
      case Order::pids:
        return static_cast<double>(row.pids.value_or(-1));
      case Order::age:
        return static_cast<double>(row.age.count());
    }
    return 0.0;
  };
  std::ranges::stable_sort(rows_, std::ranges::greater{}, weight);
}

Table TopModel::table() const {
  Table table({"ID", "NAME", "STATUS", "CPU%", "MEMORY", "PIDS", "AGE", "COMMAND"});
  for (const auto& row : rows_) {
    table.add({row.id, row.label == row.id ? "" : row.label, row.status, percent(row.cpu_percent),
               row.memory ? format_bytes(static_cast<std::uint64_t>(std::max<std::int64_t>(0, *row.memory))) : "-",
               row.pids ? std::to_string(*row.pids) : "-", age(row.age), row.command});
  }
  return table;
}

std::string TopModel::summary() const {
  double cpu = 0;
  std::uint64_t memory = 0;
  for (const auto& row : rows_) {
    cpu += row.cpu_percent.value_or(0);
    memory += static_cast<std::uint64_t>(std::max<std::int64_t>(0, row.memory.value_or(0)));
  }
  return std::to_string(rows_.size()) + (rows_.size() == 1 ? " agent, " : " agents, ") + percent(cpu) + "% CPU, " +
         format_bytes(memory);
}

boost::json::value TopModel::json() const {
  boost::json::array list;
  for (const auto& row : rows_) {
    list.push_back(boost::json::object{{"id", row.id},
                                       {"name", row.label == row.id ? "" : row.label},
                                       {"status", row.status},
                                       {"cpu_percent", or_null(row.cpu_percent)},
                                       {"memory", or_null(row.memory)},
                                       {"pids", or_null(row.pids)}});
  }
  return list;
}

}  // namespace agentos::cli
