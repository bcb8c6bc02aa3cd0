#include "spawnd/server.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "os/process.hpp"
#include "os/socket.hpp"
#include "sandbox/container/check.hpp"

namespace agentos::spawnd {
namespace {

constexpr std::size_t connections_max = 8;
constexpr std::size_t starts_max = 128;

}  // namespace

Server::Server(UniqueFd listener, UniqueFd signals, HostFacts facts, Tenants& tenants, Layers& layers,
               container::Workshop workshop, container::NetPool networks, Meter* meter, int init_binary, uid_t client)
    : listener_(std::move(listener)),
      signals_(std::move(signals)),
      facts_(std::move(facts)),
      tenants_(tenants),
      layers_(layers),
      workshop_(std::move(workshop)),
      templates_(workshop_),
      networks_(std::move(networks)),
      meter_(meter),
      init_binary_(init_binary),
      client_(client) {}

Result<> Server::run() {
  while (!stopping_) {
    std::vector<pollfd> watched{{listener_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}};
    for (const auto& start : starts_) watched.push_back({start.starting.report.get(), POLLIN, 0});
    const std::size_t first_connection = watched.size();
    for (const auto& connection : connections_) watched.push_back({connection.socket.get(), POLLIN, 0});
    const int ready = ::poll(watched.data(), watched.size(), idle_work_left() ? 0 : -1);
    if (ready < 0) {
      if (errno == EINTR) continue;
      return fail_errno("poll");
    }
    if (ready == 0) {
      work_while_idle();
      continue;
    }
    // Starts first: their replies go to connections that may be over a moment later.
    std::size_t at = 2;
    for (auto start = starts_.begin(); start != starts_.end() && at < first_connection; ++at) {
      auto outcome = watched[at].revents == 0 ? std::nullopt : container::outcome(start->starting);
      if (!outcome) {
        ++start;
        continue;
      }
      finish(*start, std::move(*outcome));
      start = starts_.erase(start);
    }
    at = first_connection;
    for (auto connection = connections_.begin(); connection != connections_.end() && at < watched.size(); ++at) {
      const bool over = watched[at].revents != 0 && !serve(*connection);
      connection = over ? connections_.erase(connection) : std::next(connection);
    }
    reap();
    if (watched[0].revents != 0) accept_connection();
  }
  return {};
}

// A start that is under way wants this processor more than the ones to come.
bool Server::idle_work_left() const {
  return starts_.empty() && (layers_.has_removed() || (!networks_.is_full() && !idle_work_failed_));
}

void Server::work_while_idle() {
  if (layers_.has_removed()) return layers_.delete_one();
  // Where it fails the next start fails by itself and says why; it must not be tried in a loop.
  idle_work_failed_ = !networks_.make_ready();
}

void Server::accept_connection() {
  UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket) return;
  const auto peer = os::peer_credentials(socket.get());
  // The socket's mode already keeps others out; this holds when somebody has changed it.
  if (!peer || (peer->uid != client_ && peer->uid != 0) || connections_.size() >= connections_max) return;
  connections_.push_back({next_connection_++, std::move(socket)});
}

bool Server::serve(const Connection& connection) {
  auto packet = os::receive_packet(connection.socket.get(), plan_message_max);
  if (!packet) {
    if (packet.error().number() == EAGAIN) return true;
    if (packet.error().kind() == ErrorKind::invalid) reply_error(connection.number, 0, packet.error());
    return false;
  }
  auto request = SpawndRequest::decode(packet->bytes);
  if (!request) {
    reply_error(connection.number, 0, request.error());
    return false;
  }
  handle(connection, *request, std::move(packet->fds));
  return true;
}

void Server::handle(const Connection& connection, const SpawndRequest& request, std::vector<UniqueFd> fds) {
  switch (request.kind) {
    case SpawndRequest::Kind::probe: {
      SpawndReply facts;
      facts.id = request.id;
      facts.kind = SpawndReply::Kind::facts;
      facts.facts = facts_.encode();
      reply(connection.number, facts);
      return;
    }
    case SpawndRequest::Kind::start:
      begin_start(connection, request, std::move(fds));
      return;
    case SpawndRequest::Kind::remove: {
      reply_removed(connection, request, remove(request.tenant, request.agent));
      return;
    }
    case SpawndRequest::Kind::open_layer:
    case SpawndRequest::Kind::check_layer:
      answer_layer(connection, request, fds);
      return;
    case SpawndRequest::Kind::list_layers: {
      auto found = layers_.list(request.agent, SpawndReply::layers_max);
      if (!found) {
        reply_error(connection.number, request.id, found.error());
        return;
      }
      SpawndReply layers;
      layers.id = request.id;
      layers.kind = SpawndReply::Kind::layers;
      layers.layers = std::move(*found);
      reply(connection.number, layers);
      return;
    }
    case SpawndRequest::Kind::remove_layer:
      reply_removed(connection, request, layers_.remove(request.agent));
      return;
    case SpawndRequest::Kind::meter:
      answer_meter(connection, request);
      return;
  }
}

void Server::reply_removed(const Connection& connection, const SpawndRequest& request, const Result<>& removed) {
  if (!removed) {
    reply_error(connection.number, request.id, removed.error());
    return;
  }
  SpawndReply done;
  done.id = request.id;
  done.kind = SpawndReply::Kind::removed;
  reply(connection.number, done);
}

Result<UniqueFd> Server::open_layer(const std::string& agent, const std::vector<UniqueFd>& fds) const {
  if (fds.size() != 1) return fail(ErrorKind::invalid, "a layer is asked for with one connection beside the request");
  const auto peer = AGENTOS_TRY(os::client_credentials(fds.front().get()));
  return layers_.open_for(agent, peer.uid);
}

void Server::answer_layer(const Connection& connection, const SpawndRequest& request,
                          const std::vector<UniqueFd>& fds) {
  SpawndReply layer;
  layer.id = request.id;
  layer.kind = SpawndReply::Kind::layer;
  const auto state = layers_.look(request.agent);
  const bool open = request.kind == SpawndRequest::Kind::open_layer;
  const auto upper = open && state ? open_layer(request.agent, fds) : Result<UniqueFd>();
  if (!state || !upper) {
    reply_error(connection.number, request.id, state ? upper.error() : state.error());
    return;
  }
  layer.layer = *state;
  const int fd = upper->get();
  reply(connection.number, layer, fd < 0 ? std::span<const int>{} : std::span(&fd, 1));
}

void Server::answer_meter(const Connection& connection, const SpawndRequest& request) {
  auto readers = meter_ != nullptr ? meter_->readers()
                                   : fail(ErrorKind::unsupported, "agents are not counted on this host",
                                          "the log of agentos-spawnd says why");
  if (!readers) {
    reply_error(connection.number, request.id, readers.error());
    return;
  }
  SpawndReply meter;
  meter.id = request.id;
  meter.kind = SpawndReply::Kind::meter;
  const std::array fds{readers->accounts.get(), readers->events.get()};
  reply(connection.number, meter, fds);
}

void Server::begin_start(const Connection& connection, const SpawndRequest& request, std::vector<UniqueFd> fds) {
  const Plan& plan = request.plan;
  if (starts_.size() >= starts_max) {
    reply_error(connection.number, request.id,
                Error(ErrorKind::exhausted, "128 agents are being started", "try again"));
    return;
  }
  auto checked = container::check(plan);
  if (!checked) {
    reply_error(connection.number, request.id, std::move(checked).error().within("plan refused"));
    return;
  }
  // Before a tenant is made for it: tenants stay.
  if (auto descriptors = container::check_descriptors(plan, fds); !descriptors) {
    reply_error(connection.number, request.id, descriptors.error());
    return;
  }
  auto place = tenants_.create(plan);
  if (!place) {
    reply_error(connection.number, request.id, place.error());
    return;
  }
  bool layered = false;
  auto starting = start(plan, *place, std::move(fds), layered);
  if (!starting) {
    [[maybe_unused]] const auto killed = place->cgroup.write("cgroup.kill", "1");
    reap();
    undo(plan.tenant, plan.agent, layered);
    reply_error(connection.number, request.id, starting.error());
    return;
  }
  idle_work_failed_ = false;
  starts_.push_back(
      {connection.number, request.id, plan.tenant, plan.agent, layered, std::move(*place), std::move(*starting)});
}

Result<container::Starting> Server::start(const Plan& plan, const Tenants::Place& place, std::vector<UniqueFd> fds,
                                          bool& layered) {
  UniqueFd layer;
  if (has_layer(plan.workspace_mode)) {
    const int workspace = fds[static_cast<std::size_t>(StartFd::workspace)].get();
    layer = AGENTOS_TRY(layers_.create(plan.agent, plan.caller_uid, plan.caller_gid, workspace, plan.layer_limit));
    layered = true;
  }
  // Before its first instruction.
  if (meter_ != nullptr) AGENTOS_TRY(meter_->begin(place.range, place.cgroup));
  return container::start({plan, std::move(fds), place.cgroup, workshop_, networks_, templates_, layer.get(),
                           place.uid_base, init_binary_});
}

Result<> Server::remove(const std::string& tenant, const std::string& agent) {
  const auto range = AGENTOS_TRY(tenants_.remove(tenant, agent));
  if (meter_ != nullptr && range) meter_->end(*range);
  return {};
}

// What a start that failed has made. Its agent never ran, so there is nothing in the layer; one that was there before,
// of an earlier agent or another tenant's of the same name, stays.
void Server::undo(const std::string& tenant, const std::string& agent, bool layered) {
  [[maybe_unused]] const auto cgroup = remove(tenant, agent);
  if (!layered) return;
  [[maybe_unused]] const auto layer = layers_.remove(agent);
}

void Server::finish(Start& start, Result<> outcome) {
  SpawndReply started;
  if (outcome) {
    // The process is our child and not yet reaped, running or not: its pid still names it.
    if (const auto time = os::start_time(start.starting.pid))
      started.start_time = *time;
    else
      outcome = std::unexpected(time.error());
  }
  if (!outcome) {
    [[maybe_unused]] const auto killed = start.place.cgroup.write("cgroup.kill", "1");
    siginfo_t ended{};
    // It has been killed: this waits for the kernel alone.
    while (::waitid(P_PID, static_cast<id_t>(start.starting.pid), &ended, WEXITED) != 0 && errno == EINTR) {
    }
    undo(start.tenant, start.agent, start.layered);
    reply_error(start.connection, start.request, outcome.error());
    return;
  }
  started.id = start.request;
  started.kind = SpawndReply::Kind::started;
  started.pid = start.starting.pid;
  started.uid_base = start.place.uid_base;
  started.cgroup = start.place.path;
  const int pidfd = start.starting.pidfd.get();
  reply(start.connection, started, std::span(&pidfd, 1));
}

// Children whose start is still being reported stay as they are, so that their pids keep naming them. The kernel looks
// at every child, so it is asked only when one has ended.
void Server::reap() {
  signalfd_siginfo signal{};
  while (::read(signals_.get(), &signal, sizeof signal) == static_cast<ssize_t>(sizeof signal)) {
    if (signal.ssi_signo != SIGCHLD) stopping_ = true;
    reap_again_ = true;
  }
  while (reap_again_) {
    siginfo_t ended{};
    if (::waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid == 0) {
      reap_again_ = false;
      return;
    }
    for (auto& start : starts_) {
      if (start.starting.pid == ended.si_pid) return;  // finish() is next; it has had its signal already
    }
    const pid_t pid = ended.si_pid;
    ::waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | WNOHANG);
    layers_.child_ended(pid);
  }
}

void Server::reply(std::uint64_t connection, const SpawndReply& message, std::span<const int> fds) {
  for (auto& candidate : connections_) {
    if (candidate.number != connection) continue;
    // A client that does not read its replies loses them, and its connection: agentosd finds its agents by their
    // cgroups.
    const auto sent = os::send_packet(candidate.socket.get(), message.encode(), fds);
    if (!sent) ::shutdown(candidate.socket.get(), SHUT_RDWR);
  }
}

void Server::reply_error(std::uint64_t connection, std::uint64_t request, const Error& error) {
  SpawndReply failed;
  failed.id = request;
  failed.kind = SpawndReply::Kind::failed;
  failed.error = error.kind();
  failed.number = error.number();
  failed.message = error.message();
  failed.hint = error.hint();
  reply(connection, failed);
}

}  // namespace agentos::spawnd
