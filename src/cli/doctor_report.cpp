#include "cli/doctor_report.hpp"

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "agentos/base/text.hpp"
#include "cli/agent_view.hpp"
#include "cli/table.hpp"

namespace agentos::cli {
namespace {

const boost::json::array* list_of(const boost::json::value& value, std::string_view key) {
  const auto* found = value.is_object() ? value.get_object().if_contains(key) : nullptr;
  return found != nullptr ? found->if_array() : nullptr;
}

}  // namespace

void DoctorReport::add_failure(std::string name, const Error& error) {
  checks_.push_back({std::move(name), "absent", error.message(), error.hint()});
}

void DoctorReport::add_daemon(const std::string& socket, const Result<client::Reply>& version) {
  if (!version) return add_failure("agentosd", version.error());
  const auto server = AgentView(version->body).text("version");
  const auto api = AgentView(version->body).text("api");
  if (api != client::api_version) {
    checks_.push_back({"agentosd", "absent",
                       "it speaks version " + api + " of the API, this agentos " + std::string(client::api_version),
                       "install the same version of both and restart agentosd"});
  } else if (server != AGENTOS_VERSION) {
    checks_.push_back({"agentosd", "degraded", "version " + server + " runs, this agentos is " AGENTOS_VERSION,
                       "restart agentosd (agents go on)"});
  } else {
    checks_.push_back({"agentosd", "enforced", "version " + server + " answers on " + socket, ""});
  }
}

void DoctorReport::add_caller(const Result<client::Reply>& whoami) {
  if (!whoami) return add_failure("your roles", whoami.error());
  std::string roles;
  if (const auto* tenants = list_of(whoami->body, "tenants")) {
    for (const auto& tenant : *tenants) {
      const auto* names = list_of(tenant, "roles");
      roles += (roles.empty() ? "" : "; ") + AgentView(tenant).text("name") + ":";
      for (const auto& role : names != nullptr ? *names : boost::json::array()) {
        if (role.is_string()) roles += " " + std::string(role.get_string());
      }
    }
  }
  if (roles.empty()) {
    checks_.push_back({"your roles", "absent", "no tenant knows you",
                       "an administrator adds you, or a group of yours, to a tenant in /etc/agentos/agentos.yaml"});
  } else {
    checks_.push_back({"your roles", "enforced", roles, ""});
  }
}

void DoctorReport::add_features(const boost::json::value& host) {
  const auto* features = list_of(host, "features");
  for (const auto& feature : features != nullptr ? *features : boost::json::array()) {
    const AgentView view(feature);
    checks_.push_back({view.text("name"), view.text("state"), view.text("detail"), view.text("remedy")});
  }
}

bool DoctorReport::healthy() const {
  return std::ranges::none_of(checks_, [](const Check& check) { return check.state == "absent"; });
}

std::string DoctorReport::text() const {
  Table table({"STATE", "FEATURE", "DETAIL"});
  // One remedy often mends several features.
  std::vector<std::pair<std::string, std::string>> remedies;
  for (const auto& check : checks_) {
    table.add({check.state, check.name, check.detail});
    if (check.state == "enforced" || check.remedy.empty()) continue;
    const auto same = std::ranges::find(remedies, check.remedy, &std::pair<std::string, std::string>::first);
    if (same == remedies.end()) {
      remedies.emplace_back(check.remedy, check.name);
    } else {
      same->second += ", " + check.name;
    }
  }
  std::string text = table.text();
  if (!remedies.empty()) text += "\nWhat mends it:\n";
  for (const auto& [remedy, names] : remedies) text += "  " + printable(names) + ": " + printable(remedy) + "\n";
  return text + (healthy() ? "" : "\nAgents cannot run as they should on this host.\n");
}

boost::json::value DoctorReport::json() const {
  boost::json::array list;
  for (const auto& check : checks_) {
    list.push_back(boost::json::object{
        {"name", check.name}, {"state", check.state}, {"detail", check.detail}, {"remedy", check.remedy}});
  }
  return boost::json::object{{"healthy", healthy()}, {"checks", std::move(list)}};
}

}  // namespace agentos::cli
