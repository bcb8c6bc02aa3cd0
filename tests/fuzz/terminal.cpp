#include <string>

#include <boost/json/parse.hpp>

#include "agentos/base/text.hpp"
#include "cli/json_text.hpp"
#include "cli/log_printer.hpp"
#include "cli/neutral.hpp"
#include "cli/patch.hpp"
#include "cli/selftest_report.hpp"
#include "cli/table.hpp"
#include "fuzz.hpp"

namespace {

using namespace agentos;
using namespace agentos::cli;

// A person's terminal shows it and obeys nothing in it.
bool is_safe(std::string_view shown) {
  return printable(shown, true) == shown;
}

std::string neutralised(std::string_view bytes, std::size_t piece) {
  Neutralizer neutral;
  std::string shown;
  while (!bytes.empty()) {
    shown += neutral.feed(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  return shown + neutral.finish();
}

void check_json(std::string_view bytes) {
  boost::system::error_code error;
  const auto value = boost::json::parse(bytes, error);
  if (error) return;
  for (const auto& text : {json_line(value), json_pretty(value)}) {
    AGENTOS_ASSERT(is_safe(text));
    AGENTOS_ASSERT(boost::json::parse(text, error) == value && !error);
  }
}

}  // namespace

// What an agent wrote, on its way to the terminal of whoever looks at it: output, names, JSON, patches, and the report
// of the probe that ran inside.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = fuzz::text_of(data, size);
  const auto shown = neutralised(bytes, bytes.size() + 1);
  AGENTOS_ASSERT(is_safe(shown));
  AGENTOS_ASSERT(neutralised(bytes, size == 0 ? 1 : data[0] % 7U + 1) == shown);  // however it was cut

  std::string printed;
  LogPrinter printer({.raw = false, .timestamps = true}, [&](bool, std::string_view text) -> Result<> {
    printed += text;
    return {};
  });
  AGENTOS_ASSERT(printer.record(size % 2 == 0, bytes.substr(0, size / 2), bytes.substr(size / 2)) && printer.finish());
  AGENTOS_ASSERT(is_safe(printed));

  Table table({"NAME", "COMMAND"});
  table.add({std::string(bytes.substr(0, size / 3)), std::string(bytes.substr(size / 3))});
  AGENTOS_ASSERT(is_safe(table.text()) && is_safe(table.text(40)));
  for (const std::size_t columns : {0U, 1U, 17U}) AGENTOS_ASSERT(columns_of(fit(printable(bytes), columns)) <= columns);

  AGENTOS_ASSERT(is_safe(for_terminal(bytes, false)));
  AGENTOS_ASSERT(is_safe(quoted(bytes)) && quoted(bytes).find('\n') == std::string::npos);
  check_json(bytes);
  if (const auto report = SelftestReport::parse(bytes)) {
    AGENTOS_ASSERT(is_safe(report->text()) && report->open() <= report->cases().size());
    AGENTOS_ASSERT(is_safe(json_pretty(report->json())));
  }
  return 0;
}
