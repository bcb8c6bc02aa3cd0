#include "daemon/policies.hpp"

#include <fcntl.h>

#include <algorithm>
#include <filesystem>

#include "agentos/base/text.hpp"
#include "daemon/agent_json.hpp"
#include "os/file.hpp"
#include "policy/compose.hpp"
#include "policy/grants.hpp"

namespace agentos::daemon {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t files_max = 1024;  // of one folder

std::string state_of(const PolicyFile& file) {
  return file.good ? "the last good version, read at " + format_time(file.read) + ", is in force"
                   : "there is no good version: whatever needs it is refused";
}

policy::Kind parsed_as(LastGood::Kind kind) {
  return kind == LastGood::Kind::tenant ? policy::Kind::tenant : policy::Kind::policy;
}

}  // namespace

std::string last_good_of(const PolicyFile& file) {
  return "the last good version of " + file.path + ", read at " + format_time(file.read) + ", is in force";
}

Policies::Policies(PolicyFolders folders, std::optional<LastGood> kept)
    : folders_(std::move(folders)), kept_(std::move(kept)) {
  // As if they had been read just now: each counts only where its file is there and has a mistake.
  policies_ = kept_files(LastGood::Kind::policy);
  tenants_ = kept_files(LastGood::Kind::tenant);
  static_cast<void>(reload());
}

Policies::Files Policies::kept_files(LastGood::Kind kind) const {
  Files files;
  if (!kept_) return files;
  for (auto& [name, kept] : kept_->load(kind)) {
    auto parsed = policy::parse(kept.text, kept.path, parsed_as(kind));
    if (!parsed) continue;  // for this version of agentosd it is not good
    PolicyFile file;
    file.path = kept.path;
    file.packaged = kept.path.starts_with(folders_.profiles + "/");
    file.text = std::move(kept.text);
    file.good = std::move(*parsed);
    file.read = kept.read;
    file.kept = true;
    files.emplace(name, std::move(file));
  }
  return files;
}

void Policies::keep(LastGood::Kind kind, const Files& before, Files& now) {
  if (!kept_) return;
  for (auto& [name, file] : now) {
    if (!file.good || file.kept) continue;
    const auto kept = kept_->keep(kind, name, {file.path, file.read, file.text});
    file.kept = kept.has_value();
    if (!kept) folder_faults_.push_back(file.path + ": not kept for after a restart: " + kept.error().message());
  }
  for (const auto& [name, file] : before) {
    if (!now.contains(name)) kept_->forget(kind, name);
  }
}

bool Policies::read_folder(const std::string& folder, policy::Kind kind, bool packaged, const Files& before,
                           Files& into) {
  std::error_code error;
  std::vector<fs::path> paths;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const auto name = entry->path().filename().string();
    if (name.ends_with(".yaml") && !name.starts_with('.')) paths.push_back(entry->path());
  }
  // A folder that is not there holds nothing; one that cannot be read keeps what it held.
  if (error && error != std::errc::no_such_file_or_directory) {
    folder_faults_.push_back(folder + ": " + error.message() + "; what it held before is in force");
    for (const auto& [name, file] : before) {
      if (file.path.starts_with(folder + "/")) into.try_emplace(name, file);
    }
    return false;
  }
  std::ranges::sort(paths);
  const bool whole = paths.size() <= files_max;
  if (!whole) {
    folder_faults_.push_back(folder + ": more than " + std::to_string(files_max) + " files; the rest is not read");
    paths.resize(files_max);
  }
  for (const auto& path : paths) {
    const auto name = path.stem().string();
    if (!is_name(name)) {
      folder_faults_.push_back(printable(path.string()) + ": not read: the name must be of a-z, 0-9, '-' and '_'");
      continue;
    }
    if (into.contains(name)) continue;  // administrators' before packaged
    PolicyFile file{path.string(), packaged, {}, {}, {}, {}, {}};
    const auto known = before.find(name);
    const bool same_path = known != before.end() && known->second.path == file.path && known->second.good;
    const auto text = os::read_file(AT_FDCWD, file.path, policy::file_bytes_max);
    if (!text) {
      file.fault = file.path + ":1:1: cannot be read: " + text.error().message();
    } else if (auto parsed = policy::parse(*text, file.path, kind)) {
      file.good = std::move(*parsed);
      file.text = *text;
      const bool same = same_path && known->second.text == *text;
      file.kept = same && known->second.kept;
      file.read = same ? known->second.read : std::chrono::floor<TimePoint::duration>(std::chrono::system_clock::now());
    } else {
      file.fault = policy::text(parsed.error(), file.path);
    }
    if (!file.good && same_path) {
      file.good = known->second.good;
      file.text = known->second.text;
      file.read = known->second.read;
      file.kept = known->second.kept;
    }
    into.emplace(name, std::move(file));
  }
  return whole;
}

std::vector<std::string> Policies::reload() {
  const auto before = faults();
  folder_faults_.clear();
  Files policies, tenants;
  read_folder(folders_.policies, policy::Kind::policy, false, policies_, policies);
  read_folder(folders_.profiles, policy::Kind::policy, true, policies_, policies);
  all_tenants_known_ = read_folder(folders_.tenants, policy::Kind::tenant, false, tenants_, tenants);
  keep(LastGood::Kind::policy, policies_, policies);
  keep(LastGood::Kind::tenant, tenants_, tenants);
  policies_ = std::move(policies);
  tenants_ = std::move(tenants);
  auto now = faults();
  std::erase_if(now, [&](const auto& fault) { return std::ranges::find(before, fault) != before.end(); });
  return now;
}

std::vector<std::string> Policies::faults() const {
  auto all = folder_faults_;
  for (const auto* files : {&policies_, &tenants_}) {
    for (const auto& [name, file] : *files) {
      if (!file.fault.empty()) all.push_back(file.fault + "; " + state_of(file));
    }
  }
  return all;
}

Result<const PolicyFile*> Policies::find(std::string_view name) const {
  const auto found = policies_.find(name);
  if (found == policies_.end()) {
    std::string known;
    for (const auto& [one, file] : policies_) known += (known.empty() ? "there are " : ", ") + one;
    return fail(ErrorKind::not_found, "there is no policy '" + printable(name.substr(0, 64)) + "'",
                known.empty() ? "an administrator writes " + folders_.policies + "/default.yaml, see agentos-policy(5)"
                              : known);
  }
  if (!found->second.good) {
    return fail(ErrorKind::unavailable, "policy '" + std::string(name) + "' cannot be used: " + found->second.fault,
                "an administrator mends the file; it is read again at once");
  }
  return &found->second;
}

bool Policies::needs_home(std::string_view tenant, const Wish& wish) const {
  const auto says = [](const Files& files, std::string_view name) {
    const auto found = files.find(name);
    return found != files.end() && found->second.good && policy::names_home(*found->second.good);
  };
  return says(tenants_, tenant) || says(policies_, wish.name.empty() ? "default" : wish.name) ||
         (wish.own && wish.own->second.contains('~'));
}

Result<Policies::Chosen> Policies::choose(std::string_view tenant, const Wish& wish) const {
  Chosen chosen{wish.name.empty() ? "default" : wish.name, {}, {}};
  std::vector<policy::Policy> ceilings, wishes;
  const auto take = [&](const PolicyFile& file) -> Result<> {
    auto ceiling = AGENTOS_TRY(policy::at_home(*file.good, wish.home));
    ceilings.push_back(std::move(ceiling));
    if (!file.fault.empty()) chosen.notes.push_back(last_good_of(file) + ": " + file.fault);
    return {};
  };
  if (const auto ceiling = tenants_.find(tenant); ceiling != tenants_.end()) {
    if (!ceiling->second.good) {
      return fail(ErrorKind::unavailable,
                  "the ceilings of tenant '" + std::string(tenant) + "' cannot be read: " + ceiling->second.fault,
                  "an administrator mends the file; it is read again at once");
    }
    AGENTOS_TRY(take(ceiling->second));
    const auto& allowed = ceiling->second.good->policies;
    if (allowed && std::ranges::find(*allowed, chosen.name, &policy::Stated<std::string>::value) == allowed->end()) {
      std::string words;
      for (const auto& one : *allowed) words += (words.empty() ? "" : ", ") + one.value;
      return fail(ErrorKind::forbidden,
                  "tenant '" + std::string(tenant) + "' may not use the policy '" +
                      printable(chosen.name.substr(0, 64)) + "' (" +
                      (allowed->empty() ? ceiling->second.path : allowed->front().origin.text()) + ")",
                  words.empty() ? "" : "it may use " + words);
    }
  }
  if (!all_tenants_known_ && !tenants_.contains(tenant)) {
    return fail(ErrorKind::unavailable,
                "whether tenant '" + std::string(tenant) + "' has ceilings is not known: " + folders_.tenants +
                    " could not be read as a whole",
                "an administrator makes it readable for agentosd, then: agentos policy reload");
  }
  const PolicyFile* named = AGENTOS_TRY(find(chosen.name));
  AGENTOS_TRY(take(*named));
  if (wish.own) {
    const auto& [file, text] = *wish.own;
    auto parsed = policy::parse(text, printable(file.substr(0, 256)));
    if (!parsed) return fail(ErrorKind::invalid, policy::text(parsed.error(), printable(file.substr(0, 256))));
    auto own = AGENTOS_TRY(policy::at_home(std::move(*parsed), wish.home));
    wishes.push_back(std::move(own));
  }
  wishes.push_back(wish.asked);
  chosen.policy = AGENTOS_TRY(policy::compose(ceilings, wishes));
  return chosen;
}

}  // namespace agentos::daemon
