#include "fakes/fake_spawner.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "agentos/model/attach.hpp"
#include "os/file.hpp"
#include "os/process.hpp"
#include "os/socket.hpp"

namespace agentos::fakes {
namespace {

namespace fs = std::filesystem;

void put(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::trunc) << content;
}

bool readable(int fd) {
  pollfd watched{fd, POLLIN, 0};
  return ::poll(&watched, 1, 0) > 0 && (watched.revents & POLLIN) != 0;
}

}  // namespace

FakeSpawner::FakeSpawner(std::string slice) : slice_(std::move(slice)) {
  facts.cgroup_root = fs::path(slice_).parent_path().string();
  facts.slice = slice_;
  facts.cgroup_kill = facts.cgroup_freeze = facts.clone_into_cgroup = facts.user_namespace = true;
}

FakeSpawner::~FakeSpawner() {
  while (!running_.empty()) kill(running_.begin()->first);
}

boost::asio::awaitable<Result<HostFacts>> FakeSpawner::probe() {
  if (failure) co_return std::unexpected(*failure);
  co_return facts;
}

std::string FakeSpawner::cgroup(const std::string& tenant, const std::string& agent) const {
  return slice_ + "/agentos-tenant@" + tenant + ".service/" + agent;
}

boost::asio::awaitable<Result<Started>> FakeSpawner::start(Plan plan, std::vector<UniqueFd> fds) {
  if (failure) co_return std::unexpected(*failure);
  if (running_.contains(plan.agent)) co_return fail(ErrorKind::exists, "agent " + plan.agent + " exists");
  if (fds.size() < start_fds_required) co_return fail(ErrorKind::invalid, "too few descriptors");
  const auto at = [&](StartFd which) -> UniqueFd& { return fds[static_cast<std::size_t>(which)]; };
  Running running;
  running.cgroup = cgroup(plan.tenant, plan.agent);
  fs::create_directories(running.cgroup);
  if (has_layer(plan.workspace_mode)) fs::create_directories(layer(plan.agent));
  put(running.cgroup + "/cgroup.freeze", "0");
  put(running.cgroup + "/cgroup.kill", "");
  put(running.cgroup + "/cgroup.events", "populated 0\nfrozen 0\n");
  put(running.cgroup + "/cpu.stat", "usage_usec 1500\nuser_usec 1000\n");
  const auto spec = os::read_sealed(at(StartFd::spec).get(), init_spec_max);
  if (!spec) co_return std::unexpected(spec.error());
  auto decoded = InitSpec::decode(*spec);
  if (!decoded) co_return std::unexpected(decoded.error());
  running.spec = std::move(*decoded);
  running.listener = std::move(at(StartFd::listener));
  running.exit_record = std::move(at(StartFd::exit_record));
  running.pid = ::fork();
  if (running.pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) ::pause();
  }
  const auto time = os::start_time(running.pid);
  auto pidfd = os::open_pidfd(running.pid, time.value_or(0));
  if (!pidfd) co_return std::unexpected(pidfd.error());
  Started started{std::move(*pidfd), running.pid, *time, UidPool::first, running.cgroup};
  running_.insert_or_assign(plan.agent, std::move(running));
  co_return started;
}

boost::asio::awaitable<Result<void>> FakeSpawner::remove(std::string tenant, std::string agent) {
  if (failure) co_return std::unexpected(*failure);
  if (running_.contains(agent)) co_return fail(ErrorKind::conflict, "still has processes");
  fs::remove_all(cgroup(tenant, agent));
  removed_.push_back(agent);
  co_return Result<void>{};
}

std::string FakeSpawner::layer(const std::string& agent) const {
  return slice_ + "-layers/" + agent;
}

boost::asio::awaitable<Result<UniqueFd>> FakeSpawner::open_layer(std::string agent, UniqueFd caller) {
  if (failure) co_return std::unexpected(*failure);
  if (!caller) co_return fail(ErrorKind::invalid, "no connection");
  UniqueFd upper(::open(layer(agent).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!upper) co_return fail(ErrorKind::not_found, "no layer");
  const auto peer = os::peer_credentials(caller.get());
  struct stat status{};
  if (!peer || ::fstat(upper.get(), &status) != 0 || (peer->uid != status.st_uid && peer->uid != 0)) {
    co_return fail(ErrorKind::forbidden, "the layer is another user's");
  }
  co_return upper;
}

boost::asio::awaitable<Result<LayerState>> FakeSpawner::look_at_layer(std::string agent) {
  if (failure) co_return std::unexpected(*failure);
  if (!fs::exists(layer(agent))) co_return fail(ErrorKind::not_found, "no layer");
  co_return LayerState{.empty = fs::is_empty(layer(agent)), .limit = {}, .used = {}};
}

boost::asio::awaitable<Result<void>> FakeSpawner::remove_layer(std::string agent) {
  if (failure) co_return std::unexpected(*failure);
  fs::remove_all(layer(agent));
  co_return Result<void>{};
}

boost::asio::awaitable<Result<std::vector<std::string>>> FakeSpawner::list_layers(std::string after) {
  if (failure) co_return std::unexpected(*failure);
  std::vector<std::string> found;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(slice_ + "-layers", none)) {
    if (entry.path().filename() > after) found.push_back(entry.path().filename());
  }
  std::ranges::sort(found);
  if (found.size() > 1) found.resize(1);  // some at a time
  co_return found;
}

std::string FakeSpawner::read(const std::string& agent, const std::string& file) const {
  return os::read_file(AT_FDCWD, running_.at(agent).cgroup + "/" + file).value_or("(none)");
}

void FakeSpawner::write(const std::string& agent, const std::string& file, const std::string& content) const {
  put(running_.at(agent).cgroup + "/" + file, content);
}

std::vector<int> FakeSpawner::signals(const std::string& agent) {
  Running& running = running_.at(agent);
  std::vector<int> numbers;
  while (readable(running.listener.get())) {
    const UniqueFd connection(::accept4(running.listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const auto packet = os::receive_packet(connection.get(), attach_frame_max);
    const auto hello = packet ? Frame::decode_hello(packet->bytes) : fail(ErrorKind::invalid, "nothing");
    if (!hello || hello->purpose != Hello::Purpose::control) continue;
    while (readable(connection.get())) {
      const auto next = os::receive_packet(connection.get(), attach_frame_max);
      if (!next) break;
      const auto frame = Frame::decode(next->bytes);
      if (frame && frame->type == FrameType::signal) numbers.push_back(frame->number);
    }
  }
  return numbers;
}

void FakeSpawner::end(const std::string& agent, const ExitRecord& record) {
  const std::string bytes = record.encode();
  if (::pwrite(running_.at(agent).exit_record.get(), bytes.data(), bytes.size(), 0) < 0) return;
  kill(agent);
}

void FakeSpawner::kill(const std::string& agent) {
  const auto found = running_.find(agent);
  ::kill(found->second.pid, SIGKILL);
  ::waitpid(found->second.pid, nullptr, 0);
  running_.erase(found);
}

}  // namespace agentos::fakes
