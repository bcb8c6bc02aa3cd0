#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"

namespace agentos::os {

// The number behind `key` in the text of a flat keyed file ("populated 1"); the whole of a single value for an empty
// key.
[[nodiscard]] std::optional<std::uint64_t> number_in(std::string_view text, std::string_view key = {});

// One cgroup v2 directory, held by descriptor: it stays the same cgroup whatever happens to its name.
class Cgroup {
 public:
  explicit Cgroup(UniqueFd directory) : directory_(std::move(directory)) {}
  [[nodiscard]] static Result<Cgroup> open(const std::string& path);

  [[nodiscard]] Result<Cgroup> child(const std::string& name) const;         // exists
  [[nodiscard]] Result<Cgroup> create_child(const std::string& name) const;  // ErrorKind::exists when it is there
  [[nodiscard]] Result<> remove_child(const std::string& name) const;        // EBUSY while it has processes

  [[nodiscard]] Result<std::string> read(const std::string& file) const;
  [[nodiscard]] Result<> write(const std::string& file, std::string_view value) const;
  // As number_in; not_found: there is none.
  [[nodiscard]] Result<std::uint64_t> number(const std::string& file, std::string_view key = {}) const;
  [[nodiscard]] bool has(const std::string& file) const;

  // As the kernel and BPF know it.
  [[nodiscard]] Result<std::uint64_t> id() const;

  [[nodiscard]] int fd() const { return directory_.get(); }

 private:
  UniqueFd directory_;
};

}  // namespace agentos::os
