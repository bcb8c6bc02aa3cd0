#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// The part of YAML that policies and configuration are written in: maps, lists and scalars, each with its place.
// yaml-cpp is behind it.
namespace agentos::yaml {

struct Place {
  int line{1};
  int column{1};
  auto operator<=>(const Place&) const = default;
};

struct Entry;

struct Value {
  enum class Kind : unsigned char { null, scalar, list, map };
  Kind kind{Kind::null};
  Place place;
  std::string scalar;
  std::vector<Value> elements;  // of a list
  std::vector<Entry> entries;   // of a map; keys are scalars and stand once
};
struct Entry {
  Value key;
  Value value;
};

struct Diagnostic {
  Place place;
  std::string what;
  std::string hint;

  [[nodiscard]] std::string text(std::string_view file_name) const;  // "FILE:LINE:COLUMN: what (hint)"
};

// Refuses, with a diagnostic each: more than one document, anchors, aliases, tags, keys that are no scalars or stand
// twice, more than max_depth levels or max_entries in one map or list. A syntax error ends the reading.
[[nodiscard]] Value read_document(std::string_view yaml, std::vector<Diagnostic>& errors);
constexpr std::size_t max_depth = 32;
constexpr std::size_t max_entries = 1024;

}  // namespace agentos::yaml
