#include "daemon/last_good.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "agentos/base/codec.hpp"
#include "agentos/base/fd.hpp"
#include "agentos/base/text.hpp"
#include "os/file.hpp"
#include "policy/parse.hpp"

namespace agentos::daemon {
namespace {

namespace fs = std::filesystem;

constexpr std::uint8_t version = 1;
constexpr std::size_t bytes_max = policy::file_bytes_max + 8192;  // with its path

std::string encode(const LastGood::Kept& kept) {
  Writer to;
  to.put(version);
  to.put(kept.path);
  to.put(static_cast<std::int64_t>(kept.read.time_since_epoch().count()));
  to.put(kept.text);
  return std::move(to).take();
}

Result<LastGood::Kept> decode(std::string_view bytes) {
  Reader from(bytes);
  LastGood::Kept kept;
  if (from.get<std::uint8_t>() != version) from.refuse();
  kept.path = from.get_string();
  kept.read = TimePoint(TimePoint::duration(from.get<std::int64_t>()));
  kept.text = from.get_string();
  if (!from.finished()) return fail(ErrorKind::invalid, "a kept policy is malformed");
  return kept;
}

Result<> make(const std::string& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return fail_errno("make " + folder);
  return {};
}

}  // namespace

std::string LastGood::folder_of(Kind kind) const {
  return folder_ + (kind == Kind::policy ? "/policies" : "/tenants");
}

std::map<std::string, LastGood::Kept> LastGood::load(Kind kind) const {
  std::map<std::string, Kept> all;
  std::error_code error;
  for (fs::directory_iterator entry(folder_of(kind), error), end; !error && entry != end; entry.increment(error)) {
    const auto name = entry->path().filename().string();
    if (!is_name(name)) continue;  // a new one that a crash left behind
    const auto bytes = os::read_file(AT_FDCWD, entry->path().string(), bytes_max);
    if (!bytes) continue;
    if (auto kept = decode(*bytes)) all.emplace(name, std::move(*kept));
  }
  return all;
}

Result<> LastGood::keep(Kind kind, const std::string& name, const Kept& kept) const {
  AGENTOS_ASSERT(is_name(name));  // part of a path
  AGENTOS_TRY(make(folder_));
  AGENTOS_TRY(make(folder_of(kind)));
  const std::string path = folder_of(kind) + "/" + name, fresh = folder_of(kind) + "/.new";
  const UniqueFd file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return fail_errno("write " + fresh);
  AGENTOS_TRY(os::write_all(file.get(), encode(kept)));
  if (::fsync(file.get()) != 0 || ::rename(fresh.c_str(), path.c_str()) != 0) return fail_errno("keep " + path);
  return {};
}

void LastGood::forget(Kind kind, const std::string& name) const {
  AGENTOS_ASSERT(is_name(name));
  ::unlink((folder_of(kind) + "/" + name).c_str());  // what stays is only looked at where the file is there and bad
}

}  // namespace agentos::daemon
