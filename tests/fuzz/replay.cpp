#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fuzz.hpp"

// Feeds the files of the directories and the files it is given to the fuzzer, and every beginning of each: what a
// packet cut short looks like.
int main(int count, char** arguments) {
  std::vector<std::filesystem::path> files;
  for (int at = 1; at < count; ++at) {
    if (std::filesystem::is_regular_file(arguments[at]))
      files.emplace_back(arguments[at]);
    else
      for (const auto& entry : std::filesystem::directory_iterator(arguments[at])) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  for (const auto& path : files) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    const std::size_t step = std::max<std::size_t>(1, bytes.size() / 512);
    for (std::size_t size = 0; size < bytes.size(); size += step) {
      const std::vector<std::uint8_t> part(bytes.begin(),
                                           bytes.begin() + static_cast<std::ptrdiff_t>(size));  // its own end
      LLVMFuzzerTestOneInput(part.data(), part.size());
    }
    const std::vector<std::uint8_t> whole(bytes.begin(), bytes.end());
    LLVMFuzzerTestOneInput(whole.data(), whole.size());
  }
  std::printf("%zu inputs\n", files.size());
  return files.empty() ? 1 : 0;
}
