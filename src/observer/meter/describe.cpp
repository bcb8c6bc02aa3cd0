#include "observer/meter/describe.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/wait.h>

#include <algorithm>
#include <string>
#include <string_view>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "agentos/base/text.hpp"

namespace agentos::observer {
namespace {

namespace json = boost::json;

std::string text(std::string_view bytes) {
  return is_utf8(bytes) ? std::string(bytes) : printable(bytes, true);
}

template <std::size_t N>
std::string_view part(const char (&bytes)[N], std::uint32_t size) {
  return {bytes, std::min<std::size_t>(size, N)};
}

json::object file_of(const agentos_file& file) {
  return {{"device", std::to_string(file.device >> 20U) + ":" + std::to_string(file.device & 0xFFFFFU)},
          {"inode", file.inode}};
}

bool same(const agentos_file& a, const agentos_file& b) {
  return a.inode == b.inode && a.device == b.device;
}

void add(json::object& body, const agentos_exec& exec) {
  const auto path = part(exec.path, exec.path_size);
  const auto named = part(exec.named, exec.named_size);
  body["path"] = text(path);
  if (named != path) body["named"] = text(named);
  // A script that is known by its name only has no file of its own.
  const bool is_script = !same(exec.file, exec.interpreter);
  if (is_script) {
    body["how"] = "script";
    body["interpreter"] = file_of(exec.interpreter);
  } else if (exec.file.links == 0) {
    body["how"] = path.starts_with("/memfd:") ? "memfd" : "unlinked";
  }
  if (exec.file.inode != 0) body["file"] = file_of(exec.file);
  json::array arguments;
  const auto all = part(exec.arguments, exec.arguments_size);
  for (std::size_t at = 0; at < all.size();) {
    const auto end = std::min(all.find('\0', at), all.size());
    arguments.emplace_back(text(all.substr(at, end - at)));
    at = end + 1;
  }
  body["arguments"] = std::move(arguments);
  if (exec.arguments_total > all.size()) body["arguments_bytes"] = exec.arguments_total;
}

void add(json::object& body, const agentos_exit& ended) {
  if (WIFSIGNALED(ended.status)) {
    body["signal"] = WTERMSIG(ended.status);
  } else {
    body["status"] = WEXITSTATUS(ended.status);
  }
}

void add(json::object& body, const agentos_connect& connect) {
  char address[INET6_ADDRSTRLEN] = "";
  const int family = connect.family == AF_INET ? AF_INET : AF_INET6;
  ::inet_ntop(family, connect.address, address, sizeof address);
  switch (connect.protocol) {
    case IPPROTO_TCP:
      body["protocol"] = "tcp";
      break;
    case IPPROTO_UDP:
      body["protocol"] = "udp";
      break;
    default:
      body["protocol"] = connect.protocol;
  }
  body["address"] = address;
  body["port"] = connect.port;
}

}  // namespace

AuditEntry describe(const agentos_event& event, std::int64_t realtime_ns) {
  AuditEntry entry;
  json::object body{{"at_ns", realtime_ns + static_cast<std::int64_t>(event.time)},
                    {"pid", event.pid},
                    {"parent", event.parent},
                    {"uid", event.uid}};
  switch (event.kind) {
    case AGENTOS_EVENT_EXEC:
      entry.kind = audit_kind::process_exec;
      add(body, reinterpret_cast<const agentos_exec&>(event));
      break;
    case AGENTOS_EVENT_EXIT:
      entry.kind = audit_kind::process_exit;
      add(body, reinterpret_cast<const agentos_exit&>(event));
      break;
    case AGENTOS_EVENT_CONNECT:
      entry.kind = audit_kind::network_connect;
      add(body, reinterpret_cast<const agentos_connect&>(event));
      break;
    default:
      entry.kind = audit_kind::event_unknown;
      body["event"] = event.kind;
  }
  entry.body = json::serialize(body);
  return entry;
}

}  // namespace agentos::observer
