#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attempt.hpp"

namespace agentos::probe {
namespace {

std::string open_descriptors() {
  std::string open;
  for (int fd = 0; fd < 65536; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) open += (open.empty() ? "" : " ") + std::to_string(fd);
  }
  return open;
}

// A standard stream that were a file or folder of the host could be opened anew by /proc/self/fd, or be a way out.
std::string files_of_the_host() {
  std::vector<std::string> files;
  for (int fd = 0; fd < 3; ++fd) {
    struct stat status{};
    if (::fstat(fd, &status) == 0 && !S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode))
      files.push_back(std::to_string(fd));
  }
  return none_or(files);
}

}  // namespace

std::vector<Case> descriptor_cases() {
  const auto open = open_descriptors();
  const auto files = files_of_the_host();
  return {
      {'b', "open-descriptors", "0 1 2", nullptr, [=] { return Finding{open, "agentos-init closes all others"}; }},
      {'b', "streams-are-files", "none", nullptr,
       [=] { return Finding{files, "agentos-init relays the standard streams"}; }},
  };
}

}  // namespace agentos::probe
