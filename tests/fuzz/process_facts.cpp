#include <string>
#include <string_view>

#include "fuzz.hpp"
#include "os/cgroup.hpp"
#include "os/process.hpp"
#include "process/group.hpp"
#include "sandbox/container/grants.hpp"

namespace {

using namespace agentos;

// As the kernel writes it (fs/proc/array.c): the name, with line ends escaped, between parentheses.
std::string escaped(std::string_view name) {
  std::string text;
  for (const char c : name.substr(0, 64)) {
    if (c == '\0') break;
    if (c == '\n') {
      text += "\\n";
    } else if (c == '\\') {
      text += "\\\\";
    } else {
      text += c;
    }
  }
  return text;
}

}  // namespace

// What the kernel tells of processes that may be anybody's, with names that they chose: no name makes a process
// another one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = fuzz::text_of(data, size);
  const std::string name = escaped(bytes);
  const std::string stat = "4242 (" + name +
                           ") S 1 4242 4242 0 -1 4194560 1045 0 0 0 3 1 0 0 20 0 1 0 77005 4354048 612 "
                           "18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n";
  AGENTOS_ASSERT(os::start_time_in(stat) == 77005U);
  const std::string before = "Name:\t" + name + "\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t4242\n";
  AGENTOS_ASSERT(!process::uid_of_init(before + "Uid:\t0\t0\t0\t0\nNSpid:\t4242\n"));
  AGENTOS_ASSERT(process::uid_of_init(before + "Uid:\t65536\t0\t0\t0\nNSpid:\t4242\t1\n") == 65536U);
  // And whatever else stands in such a file.
  (void)os::start_time_in(bytes);
  (void)process::uid_of_init(bytes);
  for (const std::string_view key : {"", "usage_usec", "populated", "oom_kill"}) {
    const auto number = os::number_in(bytes, key);
    if (number) AGENTOS_ASSERT(bytes.find(key) != std::string_view::npos);
  }
  if (bytes.find('\n') == std::string_view::npos) {
    const std::string mounts =
        "36 35 98:0 / /home rw - ext4 /dev/sda rw\n7 36 0:9 / /mnt rw - fuse." + std::string(bytes) + "\n";
    AGENTOS_ASSERT(container::type_of_mount(mounts, 36) == "ext4");
    AGENTOS_ASSERT(container::type_of_mount(mounts, 7).starts_with("fuse."));
  }
  AGENTOS_ASSERT(container::type_of_mount(bytes, 36).find(' ') == std::string_view::npos);
  return 0;
}
