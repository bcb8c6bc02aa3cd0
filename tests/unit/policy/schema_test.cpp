#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>
#include <yaml-cpp/yaml.h>

#include "policy/parse.hpp"

// policies/schema/policy.schema.json says what the parser says: whatever one refuses the other refuses too.
namespace agentos::policy {
namespace {

namespace json = boost::json;

std::string read(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// What an editor's YAML server makes of a scalar: the core schema of YAML 1.2.
json::value scalar(const YAML::Node& node) {
  const auto& text = node.Scalar();
  if (node.Tag() == "!") return json::value(text);  // quoted
  if (text.empty() || text == "null" || text == "~") return nullptr;
  if (text == "true" || text == "false") return text == "true";
  json::error_code error;
  auto number = json::parse(text, error);
  if (!error && number.is_number()) return number;
  return json::value(text);
}

json::value to_json(const YAML::Node& node) {
  if (node.IsMap()) {
    json::object object;
    for (const auto& entry : node) object[entry.first.Scalar()] = to_json(entry.second);
    return object;
  }
  if (node.IsSequence()) {
    json::array array;
    for (const auto& element : node) array.push_back(to_json(element));
    return array;
  }
  return node.IsScalar() ? scalar(node) : json::value();
}

class PolicySchema : public testing::Test {
 protected:
  PolicySchema() {
    const auto document = json::parse(read(AGENTOS_POLICIES "/schema/policy.schema.json"));
    valijson::SchemaParser().populateSchema(valijson::adapters::BoostJsonAdapter(document), schema_);
  }

  bool schema_accepts(const std::string& yaml) {
    const auto value = to_json(YAML::Load(yaml));
    valijson::Validator validator;
    return validator.validate(schema_, valijson::adapters::BoostJsonAdapter(value), nullptr);
  }

  // Judges a text by both, and counts.
  void judge(const std::string& yaml) {
    const auto parsed = parse(yaml, "p.yaml", Kind::tenant);
    const bool accepted = schema_accepts(yaml);
    ++(parsed ? good_ : bad_);
    if (parsed.has_value() == accepted) return;
    if (yaml.contains("1e3") || yaml.contains("[true]")) {
      ++beyond_;  // a schema sees the number 1000 and a truth, the parser the words
    } else if (parsed) {
      ADD_FAILURE() << "only the schema refuses:\n" << yaml;
    } else if (!std::ranges::all_of(parsed.error(), is_beyond_a_schema)) {
      ADD_FAILURE() << "only the parser refuses:\n" << yaml << text(parsed.error(), "p.yaml");
    } else {
      ++beyond_;
    }
  }

  // What a schema cannot say, by the parser's own words.
  static bool is_beyond_a_schema(const yaml::Diagnostic& diagnostic) {
    static constexpr std::array words{
        "is less than",  // bounds of amounts with a unit, and of quoted numbers
        "is more than",
        "is not an amount of CPU",     // less than 1 %, the smallest there is
        "with more than 16 names",     // depth
        "name longer than 255 bytes",  // of one name in a path
    };
    return std::ranges::any_of(words, [&](const char* part) { return diagnostic.what.contains(part); });
  }

  valijson::Schema schema_;
  int good_{}, bad_{}, beyond_{};
};

TEST_F(PolicySchema, AcceptsEveryPackagedPolicy) {
  for (const auto& entry : std::filesystem::directory_iterator(AGENTOS_POLICIES)) {
    if (entry.path().extension() != ".yaml") continue;
    const auto yaml = read(entry.path());
    const auto parsed = parse(yaml, entry.path().filename().string());
    EXPECT_TRUE(parsed) << text(parsed.error(), entry.path().string());
    EXPECT_TRUE(schema_accepts(yaml)) << entry.path();
  }
}

TEST_F(PolicySchema, JudgesEveryKeyWithEveryValueAsTheParserDoes) {
  constexpr std::array forms{
      "version: 1\nlevel: %\n",
      "version: 1\nfilesystem: %\n",
      "version: 1\nfilesystem: {workspace: %}\n",
      "version: 1\nfilesystem: {workspace: {mode: %}}\n",
      "version: 1\nfilesystem: {workspace: {quota: %}}\n",
      "version: 1\nfilesystem: {workspace: {quota: {bytes: %}}}\n",
      "version: 1\nfilesystem: {workspace: {quota: {inodes: %}}}\n",
      "version: 1\nfilesystem: {hidden: %}\n",
      "version: 1\nfilesystem: {hidden: [%]}\n",
      "version: 1\nfilesystem: {read_only: [%]}\n",
      "version: 1\nfilesystem: {read_write: [%]}\n",
      "version: 1\nfilesystem: {read_write: %}\n",
      "version: 1\nprocess: {user: %}\n",
      "version: 1\nprocess: {seccomp: %}\n",
      "version: 1\nprocess: {limits: %}\n",
      "version: 1\nprocess: {limits: {nofile: %}}\n",
      "version: 1\nprocess: {limits: {nproc: %}}\n",
      "version: 1\nprocess: {limits: {fsize: %}}\n",
      "version: 1\nprocess: {limits: {core: %}}\n",
      "version: 1\nresources: %\n",
      "version: 1\nresources: {cpu: %}\n",
      "version: 1\nresources: {memory: %}\n",
      "version: 1\nresources: {memory_high: %}\n",
      "version: 1\nresources: {io: %}\n",
      "version: 1\nresources: {io: {weight: %}}\n",
      "version: 1\nresources: {pids: %}\n",
      "version: 1\nresources: {on_missing: %}\n",
      "version: 1\nenvironment: {pass: %}\n",
      "version: 1\nenvironment: {pass: [%]}\n",
      "version: 1\nenvironment: {set: %}\n",
      "version: 1\nenvironment: {set: {A: %}}\n",
      "version: 1\nenvironment: {secrets: %}\n",
      "version: 1\nscheduling: {weight: %}\n",
      "version: 1\nlimits: {wall: %}\n",
      "version: 1\nlimits: {idle: %}\n",
      "version: 1\npolicies: %\n",
      "version: 1\npolicies: [%]\n",
      "version: 1\nnetwork: %\n",
      "version: 1\nunknown: %\n",
      "version: %\n",
      "level: %\n",
  };
  constexpr std::array values{"container",
                              "process",
                              "agent",
                              "strict",
                              "warn",
                              "refuse",
                              "bind",
                              "ro",
                              "empty",
                              "overlay",
                              "1",
                              "0",
                              "2",
                              "100",
                              "10001",
                              "-1",
                              "1.5",
                              "150%",
                              "'100'",
                              "1e3",
                              "512MiB",
                              "512MB",
                              "1 GiB",
                              "2h",
                              "1h30m",
                              "90s",
                              "90x",
                              "true",
                              "~",
                              "''",
                              "word",
                              "./a",
                              "a/b",
                              "../a",
                              "./a/..",
                              "/usr/bin/x",
                              "/etc/x",
                              "/home/x",
                              "/usr",
                              "./*.x",
                              "/",
                              ".",
                              "'~/x'",
                              "A_B",
                              "A_*",
                              "'*'",
                              "1A",
                              "A-B",
                              "a b",
                              "[]",
                              "{}",
                              "[a]",
                              "{a: b}",
                              "{A: b}",
                              "/opt/x",
                              "'/opt/x?'",
                              "'~/x?'",
                              "'./x?'",
                              "/home",
                              "/var/lib",
                              "/tmp/x",
                              "/proc/x",
                              "/libx",
                              "'~x'",
                              "/var/lib/agentos/x",
                              "'/tmp?'",
                              "'/srv/..?'",
                              "/srv/x/",
                              "'/etc?'",
                              "/procs",
                              "'/opt?/x'",
                              "[a, a]",
                              "[[a]]",
                              "{nofile: 99}",
                              "{weight: 5}"};
  for (const std::string form : forms) {
    for (const char* value : values) {
      const auto at = form.find('%');
      judge(form.substr(0, at) + value + form.substr(at + 1));
    }
  }
  RecordProperty("accepted", good_);
  RecordProperty("refused", bad_);
  RecordProperty("beyond_a_schema", beyond_);
  EXPECT_GT(good_, 150);
  EXPECT_GT(bad_, 1000);
  EXPECT_LT(beyond_, 40);
}

}  // namespace
}  // namespace agentos::policy
