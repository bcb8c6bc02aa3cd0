#include "cli/detach_keys.hpp"

#include "agentos/base/text.hpp"

namespace agentos::cli {

Result<DetachKeys> DetachKeys::parse(std::string_view text) {
  DetachKeys result;
  for (std::string_view rest = text; !rest.empty();) {
    const auto comma = rest.find(',');
    const auto key = rest.substr(0, comma);
    // The characters that have a control twin: @ to _ (which a to z stand for too).
    if (key.size() == 6 && key.starts_with("ctrl-") &&
        ((key[5] >= 'a' && key[5] <= 'z') || (key[5] >= '@' && key[5] <= '_'))) {
      result.keys_ += static_cast<char>(key[5] & 0x1F);
    } else if (key.size() == 1 && key[0] > ' ' && key[0] < 0x7F) {
      result.keys_ += key[0];
    } else {
      return fail(ErrorKind::invalid, "--detach-keys: '" + printable(key) + "' is not a key",
                  "write single characters or ctrl-LETTER with commas between them, for example ctrl-p,ctrl-q");
    }
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    if (comma != std::string_view::npos && rest.empty()) {
      return fail(ErrorKind::invalid, "--detach-keys: a key is missing behind the last comma");
    }
  }
  return result;
}

std::string DetachKeys::filter(std::string_view typed) {
  if (keys_.empty()) return std::string(typed);
  std::string passed;
  for (const char c : typed) {
    if (complete()) break;
    // The longest beginning of the sequence that ends with this key; what no longer fits is passed on.
    std::string seen = keys_.substr(0, held_) + c;
    while (!seen.empty() && !keys_.starts_with(seen)) {
      passed += seen[0];
      seen.erase(0, 1);
    }
    held_ = seen.size();
  }
  return passed;
}

}  // namespace agentos::cli
