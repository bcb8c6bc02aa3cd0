#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agentos/base/result.hpp"
#include "daemon/last_good.hpp"
#include "policy/parse.hpp"
#include "policy/policy.hpp"

namespace agentos::daemon {

struct PolicyFolders {
  std::string policies{"/etc/agentos/policies"};        // administrators'
  std::string tenants{"/etc/agentos/tenants"};          // ceilings, TENANT.yaml
  std::string profiles{"/usr/share/agentos/policies"};  // of the package: used where the administrators have none
};

// A file of one of the folders. What is `good` may be from before agentosd was restarted.
struct PolicyFile {
  std::string path;
  bool packaged{};
  std::string text;                    // of `good`
  std::optional<policy::Policy> good;  // the last one without a mistake
  TimePoint read{};                    // when agentosd first read this text
  bool kept{};                         // for after a restart
  std::string fault;                   // every mistake of what the file holds now, a line each; empty: none
};

// The policies of this host, as their files last were without a mistake. Reads only the three folders, never a path
// that a caller named.
class Policies {
 public:
  // `kept`: where the last good version of each file is, for after a restart.
  explicit Policies(PolicyFolders folders, std::optional<LastGood> kept = {});

  // Reads all files again. What changed for the worse, for the log.
  [[nodiscard]] std::vector<std::string> reload();

  [[nodiscard]] const std::map<std::string, PolicyFile, std::less<>>& policies() const { return policies_; }
  [[nodiscard]] const std::map<std::string, PolicyFile, std::less<>>& tenants() const { return tenants_; }
  [[nodiscard]] const PolicyFolders& folders() const { return folders_; }
  // Every fault there is now, a sentence each.
  [[nodiscard]] std::vector<std::string> faults() const;

  // not_found: there is none of that name; the hint lists those there are. unavailable: it has only ever been faulty.
  [[nodiscard]] Result<const PolicyFile*> find(std::string_view name) const;

  struct Wish {
    std::string name;                                          // empty: "default"
    std::optional<std::pair<std::string, std::string>> own{};  // the user's file: its name, its text
    policy::Policy asked;                                      // on the command line
    std::optional<std::string> home{};                         // of the caller, for '~'
  };
  // Whether one of the files that count for this wish says '~'.
  [[nodiscard]] bool needs_home(std::string_view tenant, const Wish& wish) const;
  struct Chosen {
    std::string name;
    policy::Policy policy;
    std::vector<std::string> notes;  // what the user should know: a last good version is in force
  };
  // The effective policy of an agent. invalid: the user's file has mistakes (a line each), or asks for more than is
  // allowed. forbidden: the tenant may not use this policy.
  [[nodiscard]] Result<Chosen> choose(std::string_view tenant, const Wish& wish) const;

 private:
  using Files = std::map<std::string, PolicyFile, std::less<>>;
  [[nodiscard]] Files kept_files(LastGood::Kind kind) const;
  void keep(LastGood::Kind kind, const Files& before, Files& now);
  // Whether all that is in it was read.
  bool read_folder(const std::string& folder, policy::Kind kind, bool packaged, const Files& before, Files& into);

  PolicyFolders folders_;
  std::optional<LastGood> kept_;
  Files policies_, tenants_;
  bool all_tenants_known_{};  // else one that is not known may have ceilings
  std::vector<std::string> folder_faults_;
};

// "the last good version of PATH, read at TIME, is in force"
[[nodiscard]] std::string last_good_of(const PolicyFile& file);

}  // namespace agentos::daemon
