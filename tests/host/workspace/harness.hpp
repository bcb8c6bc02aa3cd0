#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "agentos/base/fd.hpp"
#include "workspace/changes.hpp"
#include "workspace/commit.hpp"
#include "workspace/discard.hpp"

namespace agentos::test {

constexpr uid_t caller = 61234;  // a user without a name, whose workspace it is

// Acts as the caller, not as root, while it lives.
class AsCaller {
 public:
  AsCaller();
  ~AsCaller();
  AsCaller(const AsCaller&) = delete;
  AsCaller& operator=(const AsCaller&) = delete;
};

// A workspace and the layer of an agent in it, on a real overlay mount in a user namespace.
class LayerTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // What a shell does to the workspace, as the caller.
  std::string outside(const std::string& script, const std::string& folder = {});
  // What a shell does as an agent in `layer`, on a mount of it.
  std::string inside(const std::string& script, const std::string& layer = "layer");
  // The test's own program, in the mount or (outside) in `folder`.
  std::string agent_inside(const std::vector<std::string>& arguments, const std::string& layer = "layer");
  std::string agent_outside(const std::vector<std::string>& arguments, const std::string& folder);
  void make_layer(const std::string& name);
  // The agent starts now: what is in the workspace is older.
  void start();

  workspace::Layer layer(const std::string& name = "layer");
  std::vector<std::string> changed(const std::string& name = "layer");  // "M path", "A path", ...
  std::vector<workspace::Outcome> commit(const workspace::CommitRequest& request = {});
  Result<> discard(const std::vector<std::string>& paths = {});
  workspace::Selection select(const std::vector<std::string>& paths) const;
  [[nodiscard]] std::string lower() const { return folder_ + "/lower"; }
  [[nodiscard]] std::string upper(const std::string& name = "layer") const { return folder_ + "/" + name + "/upper"; }

  std::string folder_;
  TimePoint started_{};
  std::vector<UniqueFd> opened_;
};

}  // namespace agentos::test
