#pragma once

#include <cstdint>
#include <list>
#include <span>
#include <string>
#include <vector>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"
#include "agentos/model/plan.hpp"
#include "sandbox/container/start.hpp"
#include "spawnd/layers.hpp"
#include "spawnd/meter.hpp"
#include "spawnd/tenants.hpp"

namespace agentos::spawnd {

// One poll loop: requests from agentosd, starts under way, children that have ended. Never waits for an
// agent; for helpers of a start that only make something in the kernel it does.
class Server {
 public:
  Server(UniqueFd listener, UniqueFd signals, HostFacts facts, Tenants& tenants, Layers& layers,
         container::Workshop workshop, container::NetPool networks, Meter* meter, int init_binary, uid_t client);

  // Until SIGTERM or SIGINT. Agents go on.
  [[nodiscard]] Result<> run();

 private:
  struct Connection {
    std::uint64_t number;
    UniqueFd socket;
  };
  struct Start {
    std::uint64_t connection;
    std::uint64_t request;
    std::string tenant, agent;
    bool layered;  // a layer was made for it
    Tenants::Place place;
    container::Starting starting;
  };

  [[nodiscard]] bool idle_work_left() const;
  void work_while_idle();
  void accept_connection();
  [[nodiscard]] bool serve(const Connection& connection);  // false: the connection is over
  void handle(const Connection& connection, const SpawndRequest& request, std::vector<UniqueFd> fds);
  void begin_start(const Connection& connection, const SpawndRequest& request, std::vector<UniqueFd> fds);
  // `layered`: whether it got as far as making a layer.
  [[nodiscard]] Result<container::Starting> start(const Plan& plan, const Tenants::Place& place,
                                                  std::vector<UniqueFd> fds, bool& layered);
  void finish(Start& start, Result<> outcome);
  [[nodiscard]] Result<> remove(const std::string& tenant, const std::string& agent);
  void undo(const std::string& tenant, const std::string& agent, bool layered);
  // Whoever asks for a layer shows the connection of the person who wants it.
  [[nodiscard]] Result<UniqueFd> open_layer(const std::string& agent, const std::vector<UniqueFd>& fds) const;
  void reply_removed(const Connection& connection, const SpawndRequest& request, const Result<>& removed);
  void answer_layer(const Connection& connection, const SpawndRequest& request, const std::vector<UniqueFd>& fds);
  void answer_meter(const Connection& connection, const SpawndRequest& request);
  void reap();
  void reply(std::uint64_t connection, const SpawndReply& message, std::span<const int> fds = {});
  void reply_error(std::uint64_t connection, std::uint64_t request, const Error& error);

  UniqueFd listener_;
  UniqueFd signals_;
  HostFacts facts_;
  Tenants& tenants_;
  Layers& layers_;
  container::Workshop workshop_;
  container::Templates templates_;
  container::NetPool networks_;
  Meter* meter_;  // nullptr: this host cannot
  int init_binary_;
  uid_t client_;
  std::uint64_t next_connection_{1};
  std::list<Connection> connections_;
  std::list<Start> starts_;
  bool idle_work_failed_{};
  bool reap_again_{true};
  bool stopping_{};
};

}  // namespace agentos::spawnd
