#pragma once

#include <cstring>
#include <memory>
#include <string_view>

#include "agentos/base/result.hpp"
#include "agentos/model/attach.hpp"

namespace agentos::init {

// Bytes on their way to the stdin of one program. A client's next frame is taken only while a whole one has room here,
// so a program that does not read stops its clients, loses nothing, and costs this much memory and one frame of each
// client at most, from the first byte on.
class InputBuffer {
 public:
  static constexpr std::size_t capacity = 2 * attach_data_max;

  [[nodiscard]] bool has_room() const { return capacity - size() >= attach_data_max; }
  [[nodiscard]] std::string_view pending() const { return {bytes_.get() + begin_, size()}; }

  void push(std::string_view data) {
    AGENTOS_ASSERT(data.size() <= capacity - size());
    if (!bytes_) bytes_ = std::make_unique_for_overwrite<char[]>(capacity);
    if (data.size() > capacity - end_) {
      std::memmove(bytes_.get(), bytes_.get() + begin_, size());
      end_ -= begin_;
      begin_ = 0;
    }
    std::memcpy(bytes_.get() + end_, data.data(), data.size());
    end_ += data.size();
  }
  void pop(std::size_t count) {
    AGENTOS_ASSERT(count <= size());
    begin_ += count;
    if (begin_ == end_) clear();
  }
  void clear() { begin_ = end_ = 0; }

 private:
  [[nodiscard]] std::size_t size() const { return end_ - begin_; }

  std::unique_ptr<char[]> bytes_;
  std::size_t begin_{}, end_{};
};

}  // namespace agentos::init
