#include "process/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "agentos/model/agent.hpp"
#include "os/file.hpp"
#include "os/socket.hpp"
#include "policy/encode.hpp"

namespace agentos::process {
namespace {

namespace fs = std::filesystem;

Result<> make_private(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return fail_errno("create " + path);
  if (::access(path.c_str(), R_OK | W_OK | X_OK) != 0) return fail_errno("use " + path);
  return {};
}

// What init writes: appended, so that a truncated log goes on at its new end.
Result<UniqueFd> create_file(const std::string& path, int flags) {
  UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW | flags, 0600));
  if (!file) return fail_errno("create " + path);
  return file;
}

}  // namespace

Result<AgentFiles> AgentFiles::open(const std::string& state_dir, const std::string& run_dir) {
  AgentFiles files(state_dir + "/agents", run_dir + "/agents");
  AGENTOS_TRY(make_private(files.folders_));
  AGENTOS_TRY(make_private(files.sockets_));
  return files;
}

Result<AgentFiles::Opened> AgentFiles::create(const std::string& id) const {
  const std::string folder = folders_ + "/" + id;
  if (::mkdir(folder.c_str(), 0700) != 0) return fail_errno("create " + folder);
  const auto make = [&]() -> Result<Opened> {
    const auto paths = logs(id);
    Opened opened;
    opened.log_0 = AGENTOS_TRY(create_file(paths[0], O_APPEND));
    opened.log_1 = AGENTOS_TRY(create_file(paths[1], O_APPEND));
    opened.exit_record = AGENTOS_TRY(create_file(folder + "/exit", 0));
    opened.listener = AGENTOS_TRY(os::listen_unix(socket(id), SOCK_SEQPACKET, 0600));
    return opened;
  };
  auto opened = make();
  if (!opened) remove(id);
  return opened;
}

Result<> AgentFiles::keep_policy(const std::string& id, const policy::Policy& policy) const {
  const auto file = AGENTOS_TRY(create_file(folders_ + "/" + id + "/policy", 0));
  return os::write_all(file.get(), policy::encode(policy));
}

Result<policy::Policy> AgentFiles::policy(const std::string& id) const {
  const auto bytes = os::read_file(AT_FDCWD, folders_ + "/" + id + "/policy", policy::encoded_bytes_max);
  if (!bytes && bytes.error().kind() == ErrorKind::not_found) return policy::Policy();
  if (!bytes) return std::unexpected(bytes.error());
  return policy::decode(*bytes);
}

void AgentFiles::remove(const std::string& id) const {
  AGENTOS_ASSERT(is_agent_id(id));  // part of a path that is removed
  remove_socket(id);
  std::error_code ignored;  // what stays is removed at the next start
  fs::remove_all(folders_ + "/" + id, ignored);
}

void AgentFiles::remove_socket(const std::string& id) const {
  ::unlink(socket(id).c_str());
}

std::array<std::string, 2> AgentFiles::logs(const std::string& id) const {
  return {folders_ + "/" + id + "/log.0", folders_ + "/" + id + "/log.1"};
}

std::array<std::uint64_t, 4> AgentFiles::log_bytes(const std::string& id) const {
  std::array<std::uint64_t, 4> state{};
  const auto paths = logs(id);
  for (std::size_t at = 0; at < paths.size(); ++at) {
    struct stat status{};
    if (::stat(paths[at].c_str(), &status) != 0) continue;
    state[2 * at] = static_cast<std::uint64_t>(status.st_size);
    state[2 * at + 1] = static_cast<std::uint64_t>(status.st_mtim.tv_sec) * 1'000'000'000U +
                        static_cast<std::uint64_t>(status.st_mtim.tv_nsec);
  }
  return state;
}

std::optional<ExitRecord> AgentFiles::exit_record(const std::string& id) const {
  const auto bytes = os::read_file(AT_FDCWD, folders_ + "/" + id + "/exit", 4096);
  if (!bytes) return std::nullopt;
  auto record = ExitRecord::decode(*bytes);
  return record ? std::optional(*record) : std::nullopt;
}

std::vector<std::string> AgentFiles::ids() const {
  std::vector<std::string> found;
  for (const auto& folder : {folders_, sockets_}) {
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
      std::string id = entry->path().filename().string();
      if (folder == sockets_ && id.ends_with(".sock")) id.resize(id.size() - 5);
      if (is_agent_id(id)) found.push_back(std::move(id));
    }
  }
  std::ranges::sort(found);
  const auto [first, last] = std::ranges::unique(found);
  found.erase(first, last);
  return found;
}

}  // namespace agentos::process
