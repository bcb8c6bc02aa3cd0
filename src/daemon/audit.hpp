#pragma once

#include <boost/json/object.hpp>

#include "agentos/model/agent.hpp"
#include "agentos/ports/journal.hpp"
#include "daemon/http/router.hpp"

// What agentosd puts into the audit journal, and how it shows it.
namespace agentos::daemon {

[[nodiscard]] AuditEntry audit_entry(const AgentEvent& event);
[[nodiscard]] AuditEntry audit_entry(std::string_view kind, boost::json::object body);  // of the host

// The same routes; each call that changes something, and each that is forbidden, leaves a record: who, what and the
// outcome.
[[nodiscard]] http::Router audited(const http::Router& router, Journal& journal);

[[nodiscard]] boost::json::object to_json(const AuditRecord& record);

}  // namespace agentos::daemon
