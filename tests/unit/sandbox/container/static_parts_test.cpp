#include <gmock/gmock.h>

#include "sandbox/container/templates.hpp"

namespace agentos::container {
namespace {

using Kind = MountStep::Kind;

MountStep shared(Kind kind, const std::string& target) {
  return {kind, MountStep::shared, 0755, "source", target, {}};
}
MountStep own(Kind kind, const std::string& target) {
  return {kind, 0, 0755, "source", target, {}};
}

std::string text(const std::vector<MountStep>& steps) {
  std::string parts;
  for (const auto& part : static_parts(steps))
    parts += part.folder + " " + std::to_string(part.begin) + "-" + std::to_string(part.end) + " ";
  return parts;
}

TEST(StaticParts, are_shared_steps_in_a_row_below_one_folder) {
  EXPECT_EQ(text({own(Kind::bind, "/usr"), shared(Kind::bind, "/etc/a"), shared(Kind::symlink, "/etc/b/c"),
                  shared(Kind::bind, "/dev/null"), shared(Kind::directory, "/dev/pts"), own(Kind::seal, "/")}),
            "/etc 1-3 /dev 3-5 ");
}

TEST(StaticParts, are_not_what_an_agent_has_alone) {
  EXPECT_EQ(text({own(Kind::file, "/etc/a"), own(Kind::file, "/etc/b")}), "");
  EXPECT_EQ(text({shared(Kind::tmpfs, "/etc/a"), shared(Kind::workspace, "/etc/b")}), "");
  auto owned = shared(Kind::directory, "/dev/null"), open = owned;
  owned.flags |= MountStep::of_agent;
  open.mode = 01777;
  EXPECT_EQ(text({shared(Kind::bind, "/dev/null"), owned}), "") << "the host's device would get another owner";
  EXPECT_EQ(text({shared(Kind::bind, "/dev/null"), open}), "") << "or mode";
  EXPECT_EQ(text({shared(Kind::bind, "/etc/a")}), "") << "one step is as quick";
  EXPECT_EQ(text({shared(Kind::bind, "/etc"), shared(Kind::bind, "/usr")}), "") << "these are the folders themselves";
}

TEST(StaticParts, are_left_alone_where_another_step_makes_something_in_the_folder) {
  const auto a = shared(Kind::bind, "/etc/a"), b = shared(Kind::bind, "/etc/b");
  EXPECT_EQ(text({a, b}), "/etc 0-2 ");
  EXPECT_EQ(text({a, b, own(Kind::file, "/etc/c")}), "");
  EXPECT_EQ(text({own(Kind::file, "/etc/c"), a, b}), "");
  EXPECT_EQ(text({a, b, own(Kind::workspace, "/etc/project")}), "");
  EXPECT_EQ(text({own(Kind::tmpfs, "/etc"), a, b}), "");
  EXPECT_EQ(text({a, b, own(Kind::file, "/x"), a, b}), "") << "two rows in one folder";
}

TEST(StaticParts, may_be_mounted_on_hidden_and_sealed_later) {
  const auto a = shared(Kind::bind, "/dev/null"), place = shared(Kind::directory, "/dev/pts");
  EXPECT_EQ(text({a, place, own(Kind::devpts, "/dev/pts")}), "/dev 0-2 ");
  EXPECT_EQ(text({a, place, own(Kind::hide, "/dev/null"), own(Kind::seal, "/dev/pts")}), "/dev 0-2 ");
  EXPECT_EQ(text({a, place, own(Kind::devpts, "/dev/pts/deeper")}), "");
}

}  // namespace
}  // namespace agentos::container
