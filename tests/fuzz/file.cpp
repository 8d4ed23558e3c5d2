// Damaged input files of every kind, read as the program reads them. An input is what is done to a
// good file: its first byte chooses the kind, then come steps of four bytes, of which the first
// says what, the next two where, in 65,536ths of the file, and the last with what. Whatever HDF5
// does in its child, this process ends up with values or with sentences that name the file.

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "gihflow/base/errors.hpp"
#include "record/sample_files.hpp"

using namespace gihflow;
using gihflow::testing::InputKind;

namespace {

// A directory of this process, the good files in memory.
struct Files {
  std::string directory =
      (std::filesystem::temp_directory_path() / ("gihflow_fuzz_" + std::to_string(getpid())))
          .string();
  std::vector<InputKind> kinds;
  std::vector<std::string> good;
  Files() {
    std::filesystem::create_directories(directory);
    kinds = gihflow::testing::input_kinds();
    for (const InputKind& kind : kinds) {
      kind.write(directory + "/good.h5");
      good.push_back(gihflow::testing::contents(directory + "/good.h5"));
    }
  }
  ~Files() {
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
  }
};

void apply(const std::uint8_t* step, std::string& bytes) {
  const std::size_t at = (std::size_t{step[1]} << 8 | step[2]) * bytes.size() / 65536;
  const char value = static_cast<char>(step[3]);
  switch (step[0] % 8) {
    case 0:
      bytes.resize(at);
      break;
    case 1:  // a word
      bytes.replace(at, 8, std::string(8, value));
      break;
    case 2:  // a stretch of another place
      bytes.replace(at, 64, bytes.substr(bytes.size() * step[3] / 256, 64));
      break;
    case 3:
      bytes.replace(at, 256, std::string(256, value));
      break;
    case 4:
      bytes[at] = static_cast<char>(bytes[at] + value);
      break;
    default:
      bytes[at] = value;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Files files;
  if (size == 0) return 0;
  const std::size_t kind = data[0] % files.kinds.size();
  std::string bytes = files.good[kind];
  for (std::size_t k = 1; k + 4 <= size && !bytes.empty(); k += 4) apply(data + k, bytes);
  const std::string path = files.directory + "/damaged.h5";
  std::ofstream(path, std::ios::binary) << bytes;
  try {
    files.kinds[kind].read(path, Isolation::child);
  } catch (const InputError& error) {
    if (error.faults().empty()) std::abort();
    for (const Fault& fault : error.faults()) {
      if (!sentence(fault, plain_spelling).starts_with(path + ": ")) std::abort();
    }
  }
  return 0;
}
