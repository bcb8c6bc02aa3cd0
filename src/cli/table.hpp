#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace agentos::cli {

// Text in columns, each as wide as its widest cell; the last is as long as it likes. Cells are made printable.
class Table {
 public:
  explicit Table(std::vector<std::string> heads);
  void add(std::vector<std::string> row);
  // Lines longer than `width` columns are cut (0: never).
  [[nodiscard]] std::string text(std::size_t width = 0) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// Terminal columns that printable UTF-8 text takes: wide East Asian characters and emoji two, combining marks none.
[[nodiscard]] std::size_t columns_of(std::string_view text);
// The longest beginning of `text` that fits, with "…" at its end when something was cut.
[[nodiscard]] std::string fit(std::string_view text, std::size_t columns);

}  // namespace agentos::cli
