#include "agentos/model/audit.hpp"

namespace agentos {
namespace {

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool is_kind(std::string_view kind, std::string_view asked) {
  return kind.starts_with(asked) && (kind.size() == asked.size() || kind[asked.size()] == '.');
}

}  // namespace

std::string hex(const AuditHash& hash) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : hash) {
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
  }
  return text;
}

std::optional<AuditHash> audit_hash(std::string_view digits) {
  AuditHash hash{};
  if (digits.size() != 2 * hash.size()) return std::nullopt;
  for (std::size_t at = 0; at < hash.size(); ++at) {
    const int high = digit(digits[2 * at]);
    const int low = digit(digits[2 * at + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    hash[at] = static_cast<unsigned char>(high * 16 + low);
  }
  return hash;
}

bool AuditQuery::matches(const AuditRecord& record) const {
  const auto& entry = record.entry;
  return record.sequence > after && record.time_ns >= since_ns && (!tenant || entry.tenant == *tenant) &&
         (agent.empty() || entry.agent == agent) && (kind.empty() || is_kind(entry.kind, kind));
}

}  // namespace agentos
