#include "cli/layer.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "agentos/base/text.hpp"
#include "agentos/model/workspace.hpp"
#include "cli/agent_view.hpp"
#include "cli/owner.hpp"
#include "os/file.hpp"

namespace agentos::cli {
namespace {

// A link in a path that had none when the agent was started leads somewhere else.
Result<UniqueFd> open_workspace_of(const std::string& path) {
  const UniqueFd root(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return fail_errno("open /");
  const auto relative = path.substr(std::min(path.size(), path.find_first_not_of('/')));
  auto fd = os::open_beneath(root.get(), relative.empty() ? "." : relative, O_RDONLY | O_DIRECTORY);
  if (fd) return fd;
  const bool moved = fd.error().number() == ENOENT || fd.error().number() == ELOOP || fd.error().number() == ENOTDIR;
  auto error = std::move(fd).error().within("workspace " + printable(path));
  if (!moved) return std::unexpected(std::move(error));
  return std::unexpected(
      std::move(error).with_hint("it was moved or replaced since the agent started; put it back first"));
}

Result<> check(const AgentView& agent, Purpose purpose) {
  const auto owner = agent.owner();
  if (!owner || *owner != static_cast<std::int64_t>(::geteuid())) {
    const auto name = Owners().name(owner);
    return fail(ErrorKind::forbidden, "the changes of " + agent.label() + " belong to " + name,
                "run the command as that user: sudo -u " + name + " agentos ...");
  }
  if (const auto mode = agent.workspace_mode(); !mode || !has_layer(*mode)) {
    return fail(ErrorKind::conflict,
                agent.label() + " has no layer of its own: its workspace is given to it as '" +
                    std::string(mode ? name(*mode) : "unknown") + "'",
                "start it with --workspace DIR:overlay to look at its changes before they are made");
  }
  if (purpose == Purpose::change && !agent.ended()) {
    return fail(ErrorKind::conflict, agent.label() + " has not ended (" + agent.status() + ")",
                "'agentos wait " + agent.label() + "' or 'agentos terminate " + agent.label() + "' first");
  }
  return {};
}

}  // namespace

Result<AgentLayer> open_layer(const Context& context, std::string_view ref, Purpose purpose) {
  const auto client = context.client();
  const auto record = AGENTOS_TRY(client.call({.target = context.agent_target(ref)}));
  const AgentView agent(record.body);
  AGENTOS_TRY(check(agent, purpose));
  const auto created = agent.time("created");
  if (!created) return fail(ErrorKind::internal, "agentosd does not say when " + agent.label() + " was started");
  AgentLayer layer{.id = agent.id(), .label = agent.label(), .workspace = agent.workspace_path(), .started = *created};
  // It saw an empty folder: whatever is in the way now it did not know of.
  if (agent.workspace_mode() == WorkspaceMode::empty) layer.started = {};
  layer.lower = AGENTOS_TRY(open_workspace_of(layer.workspace));
  auto answer = AGENTOS_TRY(client.call({.method = "POST", .target = context.agent_target(layer.id, "layer")}));
  if (!answer.fd) return fail(ErrorKind::internal, "agentosd sent no layer of " + layer.label);
  layer.upper = std::move(answer.fd);
  return layer;
}

Result<> check_found(const workspace::Selection& wanted, const std::vector<std::string_view>& found) {
  for (const auto& path : wanted.paths()) {
    const bool there = std::ranges::any_of(found, [&](std::string_view one) {
      return one.starts_with(path) && (one.size() == path.size() || one[path.size()] == '/');
    });
    if (!there) {
      return fail(ErrorKind::not_found, "the agent changed nothing at " + path,
                  "'agentos diff --stat' lists what it changed; paths are those in the workspace");
    }
  }
  return {};
}

std::string words_of(workspace::Conflict conflict) {
  switch (conflict) {
    case workspace::Conflict::none:
      return {};
    case workspace::Conflict::changed:
      return "changed in the workspace since the agent started";
    case workspace::Conflict::gone:
      return "removed from the workspace since the agent started";
  }
  return {};
}

std::string words_of(workspace::Obstacle obstacle) {
  switch (obstacle) {
    case workspace::Obstacle::none:
      return {};
    case workspace::Obstacle::special:
      return "a socket or device is never committed";
    case workspace::Obstacle::unreadable:
      return "you cannot read it";
    case workspace::Obstacle::reserved:
      return "commit itself uses this name";
    case workspace::Obstacle::too_deep:
      return "deeper than " + std::to_string(workspace::max_depth) + " folders";
    case workspace::Obstacle::foreign:
      return "marked by an overlay feature that agents do not have";
  }
  return {};
}

boost::json::object to_json(const workspace::Change& change) {
  boost::json::object result;
  const bool is_text = is_utf8(change.path);
  result["path"] = is_text ? change.path : printable(change.path);
  if (!is_text) result["path_escaped"] = client::escape(change.path);
  result["what"] = name(change.what);
  const auto side = [](const workspace::Side& one) -> boost::json::value {
    if (one.kind == workspace::Kind::none) return nullptr;
    std::string octal(4, '0');
    for (std::size_t i = 0; i < 4; ++i) octal[3 - i] = static_cast<char>('0' + (one.mode >> (3 * i) & 7U));
    return boost::json::object{{"kind", name(one.kind)}, {"mode", octal}, {"size", one.size}};
  };
  result["before"] = side(change.before);
  result["after"] = side(change.after);
  boost::json::array differs;
  for (const auto& [flag, word] : {std::pair{change.content, "content"},
                                   {change.mode, "mode"},
                                   {change.times, "times"},
                                   {change.xattrs, "attributes"},
                                   {change.links, "links"}}) {
    if (flag) differs.emplace_back(word);
  }
  result["differs"] = std::move(differs);
  result["binary"] = change.binary;
  result["leads_out"] = change.leads_out;
  const auto or_null = [](std::string_view words) {
    return words.empty() ? boost::json::value() : boost::json::value(words);
  };
  result["protected"] = or_null(change.protection);
  result["conflict"] = or_null(words_of(change.conflict));
  result["obstacle"] = or_null(words_of(change.obstacle));
  return result;
}

bool in_colour() {
  const char* no = std::getenv("NO_COLOR");
  return ::isatty(STDOUT_FILENO) == 1 && (no == nullptr || *no == '\0');
}

}  // namespace agentos::cli
