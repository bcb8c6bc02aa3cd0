#include "daemon/config/config.hpp"

#include <set>
#include <string>

#include "agentos/base/text.hpp"
#include "fuzz.hpp"

// agentos.yaml. An administrator writes it; a mistake must end in a message, never in a role that was not given.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace agentos;
  const config::Names names{[](const std::string& user) -> std::optional<uid_t> {
                              return user == "root" ? std::optional<uid_t>(0) : std::nullopt;
                            },
                            [](const std::string&) -> std::optional<gid_t> { return std::nullopt; }};
  const auto text = fuzz::text_of(data, size);
  const auto loaded = config::parse_config(text, "f", names);
  if (!loaded) {
    AGENTOS_ASSERT(loaded.error().kind() == ErrorKind::invalid && loaded.error().message().starts_with("f:"));
    return 0;
  }
  std::set<std::string> tenants;
  for (const auto& tenant : loaded->config.tenants) {
    AGENTOS_ASSERT(is_name(tenant.name) && tenants.insert(tenant.name).second);
    for (const auto role : config::all_roles) {
      for (const auto user : tenant.members(role).users) AGENTOS_ASSERT(user != static_cast<uid_t>(-1));
      for (const auto group : tenant.members(role).groups) AGENTOS_ASSERT(group != static_cast<gid_t>(-1));
    }
  }
  AGENTOS_ASSERT(!tenants.empty());
  return 0;
}
