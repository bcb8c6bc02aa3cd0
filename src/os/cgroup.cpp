#include "os/cgroup.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "os/file.hpp"

namespace agentos::os {

std::optional<std::uint64_t> number_in(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!key.empty()) {
      if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != ' ') continue;
      line.remove_prefix(key.size() + 1);
    }
    std::uint64_t value{};
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
    if (error == std::errc{} && end == line.data() + line.size()) return value;
    break;
  }
  return std::nullopt;
}

Result<Cgroup> Cgroup::open(const std::string& path) {
  UniqueFd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return fail_errno("open cgroup " + path);
  return Cgroup(std::move(directory));
}

Result<Cgroup> Cgroup::child(const std::string& name) const {
  return Cgroup(AGENTOS_TRY(open_beneath(fd(), name, O_RDONLY | O_DIRECTORY)));
}

Result<Cgroup> Cgroup::create_child(const std::string& name) const {
  if (::mkdirat(fd(), name.c_str(), 0755) != 0) return fail_errno("create cgroup " + name);
  return child(name);
}

Result<> Cgroup::remove_child(const std::string& name) const {
  if (::unlinkat(fd(), name.c_str(), AT_REMOVEDIR) != 0) return fail_errno("remove cgroup " + name);
  return {};
}

Result<std::string> Cgroup::read(const std::string& file) const {
  return read_file(fd(), file);
}

Result<> Cgroup::write(const std::string& file, std::string_view value) const {
  return write_file(fd(), file, value);
}

Result<std::uint64_t> Cgroup::number(const std::string& file, std::string_view key) const {
  if (const auto value = number_in(AGENTOS_TRY(read(file)), key)) return *value;
  return fail(ErrorKind::not_found, "no number" + (key.empty() ? "" : " for " + std::string(key)) + " in " + file);
}

Result<std::uint64_t> Cgroup::id() const {
  struct stat status{};
  if (::fstat(directory_.get(), &status) != 0) return fail_errno("look at a cgroup");
  return status.st_ino;  // kernfs: the inode's number is the id
}

bool Cgroup::has(const std::string& file) const {
  return ::faccessat(fd(), file.c_str(), F_OK, 0) == 0;
}

}  // namespace agentos::os
