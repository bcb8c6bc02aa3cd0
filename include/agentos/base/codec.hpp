#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace agentos {

// The binary form of messages between agentos processes of one host: integers in host byte order, text and lists with a
// 32-bit length in front. No pointers, no padding, no optional parts.
class Writer {
 public:
  template <class T>
    requires std::is_integral_v<T> || std::is_enum_v<T>
  void put(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void put(std::string_view text) {
    put(static_cast<std::uint32_t>(text.size()));
    bytes_.append(text);
  }
  void put(const std::string& text) { put(std::string_view(text)); }
  void put(const char* text) { put(std::string_view(text)); }
  template <class T>
  void put(const std::vector<T>& list) {
    put(static_cast<std::uint32_t>(list.size()));
    for (const auto& element : list) put_element(element);
  }
  void put_raw(std::string_view bytes) { bytes_.append(bytes); }

  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] std::string take() && { return std::move(bytes_); }

 private:
  template <class T>
  void put_element(const T& element) {
    if constexpr (requires { put(element); }) {
      put(element);
    } else {
      element.encode(*this);
    }
  }

  std::string bytes_;
};

// Reads what Writer wrote, from bytes that may be hostile: never past the end, never an allocation larger than the
// input. After the first failure every read gives zero values; ask ok() or finished() once at the end.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <class T>
    requires std::is_integral_v<T> || std::is_enum_v<T>
  [[nodiscard]] T get() {
    T value{};
    const auto part = take(sizeof value);
    if (ok_) std::memcpy(&value, part.data(), sizeof value);  // NOLINT(*-stringview-data-usage): as long as `value`
    return value;
  }
  [[nodiscard]] bool get_bool() {
    const auto value = get<std::uint8_t>();
    if (value > 1) ok_ = false;
    return value == 1;
  }
  // An enumeration whose values are 0..last.
  template <class E>
    requires std::is_enum_v<E>
  [[nodiscard]] E get_enum(E last) {
    const auto value = get<std::underlying_type_t<E>>();
    if (value > static_cast<std::underlying_type_t<E>>(last)) {
      ok_ = false;
      return E{};
    }
    return static_cast<E>(value);
  }
  [[nodiscard]] std::string_view get_text() { return take(get<std::uint32_t>()); }
  [[nodiscard]] std::string get_string() { return std::string(get_text()); }
  [[nodiscard]] std::vector<std::string> get_strings() {
    return get_list<std::string>([](Reader& reader) { return reader.get_string(); });
  }
  template <class T, class F>
  [[nodiscard]] std::vector<T> get_list(F&& element) {
    std::vector<T> list;
    const auto count = get<std::uint32_t>();
    if (count > rest_.size()) ok_ = false;  // an element takes at least one byte
    for (std::uint32_t i = 0; ok_ && i < count; ++i) list.push_back(element(*this));
    if (!ok_) list.clear();
    return list;
  }
  [[nodiscard]] std::string_view rest() { return take(rest_.size()); }

  void refuse() { ok_ = false; }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool finished() const { return ok_ && rest_.empty(); }

 private:
  std::string_view take(std::size_t count) {
    if (!ok_ || count > rest_.size()) {
      ok_ = false;
      return {};
    }
    const auto part = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return part;
  }

  std::string_view rest_;
  bool ok_{true};
};

}  // namespace agentos
