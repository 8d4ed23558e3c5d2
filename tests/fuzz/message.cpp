// Malformed replies of the process that reads a file: every kind of value is taken from arbitrary
// bytes. The first byte chooses how the rest is read.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "record/message.hpp"

using gihflow::hdf5::Malformed;
using gihflow::hdf5::Message;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Message message(std::string(reinterpret_cast<const char*>(data) + 1, size - 1));
  try {
    message.take<std::vector<std::string>>();
    switch (data[0] % 6) {
      case 0:
        message.take<bool>();
        break;
      case 1:
        message.take<std::optional<double>>();
        break;
      case 2:
        message.take<std::optional<std::string>>();
        break;
      case 3:
        message.take<std::optional<std::vector<std::int64_t>>>();
        break;
      case 4:
        message.take<std::optional<std::vector<unsigned long long>>>();
        break;
      default:
        message.take<std::optional<std::vector<std::vector<std::string>>>>();
    }
  } catch (const Malformed&) {
  }
  return 0;
}
