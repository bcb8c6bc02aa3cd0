#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "agentos/ports/layer_store.hpp"
#include "agentos/ports/spawner.hpp"
#include "process/bell.hpp"

namespace agentos::daemon {

// agentos-spawnd at the other end of its socket. The connection is made in the background and made again, with growing
// pauses, when spawnd dies; what is asked for meanwhile waits a few seconds for it.
class SpawndClient final : public Spawner, public LayerStore {
 public:
  struct Patience {
    std::chrono::milliseconds connect{5000};  // for a connection
    std::chrono::milliseconds answer{30'000};
  };
  using Log = std::function<void(const std::string&)>;

  SpawndClient(boost::asio::any_io_executor executor, std::string socket, Log log, Patience patience);
  SpawndClient(boost::asio::any_io_executor executor, std::string socket, Log log)
      : SpawndClient(std::move(executor), std::move(socket), std::move(log), Patience()) {}
  ~SpawndClient() override;

  // Asked for once a connection: spawnd probes when it starts.
  boost::asio::awaitable<Result<HostFacts>> probe() override;
  boost::asio::awaitable<Result<Started>> start(Plan plan, std::vector<UniqueFd> fds) override;
  boost::asio::awaitable<Result<void>> remove(std::string tenant, std::string agent) override;

  boost::asio::awaitable<Result<UniqueFd>> open_layer(std::string agent, UniqueFd caller) override;
  boost::asio::awaitable<Result<LayerState>> look_at_layer(std::string agent) override;
  boost::asio::awaitable<Result<void>> remove_layer(std::string agent) override;
  boost::asio::awaitable<Result<std::vector<std::string>>> list_layers(std::string after) override;

  // ErrorKind::unsupported: nothing is counted on this host. For the greeting: it waits for no connection.
  struct Readers {
    UniqueFd accounts, events;
  };
  boost::asio::awaitable<Result<Readers>> meter();
  // Comes before all else on each new connection: what the last one gave is over.
  void on_connection(std::function<boost::asio::awaitable<void>()> greeting) { greeting_ = std::move(greeting); }
  // False: there is no spawnd that was greeted `until` then.
  boost::asio::awaitable<bool> ready(process::Bell::Clock::time_point until);

  [[nodiscard]] bool connected() const { return connection_ != nullptr; }

 private:
  struct Reply {
    SpawndReply reply;
    UniqueFd fd, second_fd;
  };
  struct Pending {
    process::Bell bell;
    std::optional<Result<Reply>> result;
  };
  using Connection = boost::asio::posix::stream_descriptor;

  boost::asio::awaitable<void> run();
  boost::asio::awaitable<void> greet(std::shared_ptr<Connection> connection);
  [[nodiscard]] std::unexpected<Error> absent() const;
  boost::asio::awaitable<Error> read_replies(std::shared_ptr<Connection> connection);
  boost::asio::awaitable<Result<Reply>> ask_layer(SpawndRequest::Kind kind, std::string agent, UniqueFd caller);
  boost::asio::awaitable<Result<Reply>> ask(SpawndRequest request, std::vector<UniqueFd> fds);
  boost::asio::awaitable<Result<Reply>> exchange(SpawndRequest request, std::vector<UniqueFd> fds);
  boost::asio::awaitable<Result<void>> send(std::shared_ptr<Connection> connection, const std::string& packet,
                                            const std::vector<UniqueFd>& fds);

  boost::asio::any_io_executor executor_;
  std::string socket_;
  Log log_;
  std::function<boost::asio::awaitable<void>()> greeting_;
  Patience patience_;
  std::shared_ptr<Connection> connection_;
  bool greeted_{};
  process::Bell connected_;
  std::string last_error_;
  std::map<std::uint64_t, std::shared_ptr<Pending>> pending_;
  std::uint64_t last_id_{};
  std::optional<HostFacts> facts_;
};

}  // namespace agentos::daemon
