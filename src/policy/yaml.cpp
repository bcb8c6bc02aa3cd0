#include "policy/yaml.hpp"

#include <algorithm>
#include <sstream>
#include <string>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "agentos/base/text.hpp"

namespace agentos::yaml {

std::string Diagnostic::text(std::string_view file_name) const {
  std::string line(file_name);
  line += ":" + std::to_string(place.line) + ":" + std::to_string(place.column) + ": " + what;
  if (!hint.empty()) line += " (" + hint + ")";
  return line;
}

namespace {

Place place_of(const YAML::Mark& mark) {
  return {mark.line + 1, mark.column + 1};
}

class Builder final : public YAML::EventHandler {
 public:
  Builder(std::vector<Diagnostic>& errors, Value& root) : errors_(errors) { open_.push_back({&root, {}}); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnAnchor(const YAML::Mark& mark, const std::string& anchor) override {
    refuse(mark, "anchor '&" + printable(anchor) + "' is not allowed", "write the value again where it is needed");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, "an alias is not allowed", "write the value again where it is needed");
    put({Value::Kind::null, place_of(mark), {}, {}, {}});
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { put({Value::Kind::null, place_of(mark), {}, {}, {}}); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, const std::string& value) override {
    check_tag(mark, tag);
    put({Value::Kind::scalar, place_of(mark), value, {}, {}});
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    check_tag(mark, tag);
    open(mark, {Value::Kind::list, place_of(mark), {}, {}, {}});
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, YAML::EmitterStyle::value) override {
    check_tag(mark, tag);
    open(mark, {Value::Kind::map, place_of(mark), {}, {}, {}});
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Value* node;
    Value collected;  // built here and moved to its place when it ends
    bool has_key{false};
    Value key{};
  };

  void refuse(const YAML::Mark& mark, std::string what, std::string hint) {
    errors_.push_back({place_of(mark), std::move(what), std::move(hint)});
  }
  // "?" is what a plain value has, "!" a quoted one.
  void check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!")
      refuse(mark, "tag '" + printable(tag) + "' is not allowed", "remove it");
  }

  void open(const YAML::Mark& mark, Value node) {
    if (open_.size() > max_depth) {
      throw YAML::ParserException(mark, "nested deeper than " + std::to_string(max_depth) + " levels");
    }
    open_.push_back({nullptr, std::move(node)});
  }
  void close() {
    Value node = std::move(open_.back().collected);
    open_.pop_back();
    put(std::move(node));
  }
  void put(Value node) {
    Open& parent = open_.back();
    if (std::max(parent.collected.elements.size(), parent.collected.entries.size()) >= max_entries) {
      YAML::Mark mark;
      mark.line = node.place.line - 1;
      mark.column = node.place.column - 1;
      throw YAML::ParserException(mark, "more than " + std::to_string(max_entries) + " entries in one map or list");
    }
    if (parent.node != nullptr) {
      *parent.node = std::move(node);
    } else if (parent.collected.kind == Value::Kind::list) {
      parent.collected.elements.push_back(std::move(node));
    } else if (!parent.has_key) {
      parent.has_key = true;
      parent.key = std::move(node);
    } else {
      parent.has_key = false;
      add_entry(parent.collected, std::move(parent.key), std::move(node));
    }
  }
  void add_entry(Value& map, Value key, Value value) {
    if (key.kind != Value::Kind::scalar) {
      errors_.push_back({key.place, "a key must be a word", {}});
      return;
    }
    if (value.kind == Value::Kind::null) value.place = key.place;  // nothing stands there: the key shows where
    for (const auto& [known, unused] : map.entries) {
      if (known.scalar != key.scalar) continue;
      errors_.push_back({key.place, "'" + printable(key.scalar) + "' stands twice",
                         "the first is in line " + std::to_string(known.place.line)});
      return;
    }
    map.entries.push_back({std::move(key), std::move(value)});
  }

  std::vector<Diagnostic>& errors_;
  std::vector<Open> open_;
};

}  // namespace

Value read_document(std::string_view yaml, std::vector<Diagnostic>& errors) {
  Value root;
  try {
    std::istringstream stream{std::string(yaml)};
    YAML::Parser parser(stream);
    Builder builder(errors, root);
    parser.HandleNextDocument(builder);
    Value second;
    Builder another(errors, second);
    if (parser.HandleNextDocument(another))
      errors.push_back({second.place, "a second document", "one file, one document"});
  } catch (const YAML::Exception& thrown) {
    errors.push_back({place_of(thrown.mark), "cannot be read as YAML: " + printable(thrown.msg), {}});
  }
  return root;
}

}  // namespace agentos::yaml
