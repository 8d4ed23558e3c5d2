// A config of arbitrary bytes: a setting that is written and read back to the same one, or an
// InputError.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "gihflow/base/errors.hpp"
#include "gihflow/run/config.hpp"

using namespace gihflow;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    const Setting setting = setting_of_config(text, "fuzz.toml");
    const std::string written = config_text(setting, groups_of<TrainSetting>, {});
    const std::string again =
        config_text(setting_of_config(written, "again.toml"), groups_of<TrainSetting>, {});
    if (again != written) std::abort();
  } catch (const InputError& error) {
    if (error.faults().empty()) std::abort();
  }
  return 0;
}
