#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/thread_pool.hpp>

#include "agentos/ports/journal.hpp"
#include "daemon/config/access.hpp"
#include "daemon/config/config.hpp"
#include "daemon/event_hub.hpp"
#include "daemon/fields.hpp"
#include "daemon/http/router.hpp"
#include "daemon/log_watch.hpp"
#include "daemon/policies.hpp"
#include "process/agents.hpp"

namespace agentos::daemon {

// The control API: each route checks who asks, then asks the process manager.
class Api {
 public:
  // `reload_policies` reads them again and logs what is wrong with them.
  Api(process::Agents& agents, Spawner& spawner, EventHub& events, LogWatch& logs, const Policies& policies,
      std::function<void()> reload_policies, std::shared_ptr<const config::Config> config, Journal& journal)
      : agents_(agents),
        spawner_(spawner),
        events_(events),
        log_watch_(logs),
        policies_(policies),
        reload_policies_(std::move(reload_policies)),
        config_(std::move(config)),
        journal_(journal) {}

  void add_routes(http::Router& router);
  void use(std::shared_ptr<const config::Config> config) { config_ = std::move(config); }

 private:
  using Answer = boost::asio::awaitable<Result<http::Response>>;
  using Stream = boost::asio::awaitable<Result<void>>;

  void add_host_routes(http::Router& router);
  void add_agent_routes(http::Router& router);
  void add_control_routes(http::Router& router);
  void add_watch_routes(http::Router& router);
  void add_policy_routes(http::Router& router);
  void add_audit_routes(http::Router& router);

  Answer submit(http::Request& request);
  // Where the policy says '~': the caller's, looked up where nobody else waits for it.
  boost::asio::awaitable<std::optional<std::string>> home_for(uid_t caller, std::string tenant, Policies::Wish wish);
  Result<Policies::Chosen> choose_policy(process::Submission& submission, Policies::Wish wish) const;
  Result<http::Response> list(const http::Request& request) const;
  Answer prune(http::Request& request);
  Result<http::Response> attach(const http::Request& request);
  Result<http::Response> exec(const http::Request& request);
  Answer wait(http::Request& request);
  Answer open_layer(http::Request& request);
  Result<http::Response> list_policies(const http::Request& request) const;
  Result<http::Response> show_policy(const http::Request& request) const;
  Result<http::Response> diff_policies(http::Request& request) const;
  Answer explain_policy(http::Request& request);
  Answer why(http::Request& request);
  Stream logs(http::Request& request, http::EventStream& stream);
  Stream events(http::Request& request, http::EventStream& stream);
  Stream follow_audit(http::Request& request, http::EventStream& stream);
  Result<AuditQuery> audit_query(const http::Request& request) const;

  // The agent that {ref} names, if the caller may do this with it. What it may not even see is not_found.
  [[nodiscard]] Result<Agent> agent_of(const http::Request& request, config::Permission permission) const;
  [[nodiscard]] Result<Agent> agent_of(const http::Request& request, std::string_view ref,
                                       config::Permission permission) const;
  [[nodiscard]] Result<std::string> tenant_of(const http::Request& request, std::string_view asked = {}) const;
  [[nodiscard]] http::Response show(const Agent& agent, unsigned status = 200,
                                    const std::optional<LayerState>& layer = {}) const;
  Answer show_with_layer(Agent agent) const;

  process::Agents& agents_;
  Spawner& spawner_;
  EventHub& events_;
  LogWatch& log_watch_;
  const Policies& policies_;
  std::function<void()> reload_policies_;
  std::shared_ptr<const config::Config> config_;
  Journal& journal_;
  boost::asio::thread_pool user_database_{1};
};

// A refusal by policies: each line of the message is a reason.
[[nodiscard]] http::Response refused_by_policy(const Error& error);

// Which policy a request asks for: its members `policy` and `policy_file`.
[[nodiscard]] Policies::Wish policy_wish(Fields& fields, std::vector<std::string>& reasons);

// A refusal with all its reasons: a problem with the member `reasons`.
[[nodiscard]] http::Response refused(const std::vector<std::string>& reasons);

}  // namespace agentos::daemon
