#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/record/provenance.hpp"
#include "gihflow/run/options.hpp"

namespace GIHFLOW_API gihflow {

/// Options as a command line gives them.
struct CommandLine {
  Groups groups = groups_of<TrainSetting>;  ///< of the command's setting
  std::string config;                       ///< path of a config file; empty: none
  std::map<Field, std::string> values;      ///< "true" for a flag
  Setting defaults = {};                    ///< of the command; their `isolation` is the config's
};

struct Resumption;

/// Inputs that a caller of the library holds in memory. Its setting says "an array", or whatever
/// messages shall call them, where it would name a file.
struct Inputs {
  std::shared_ptr<const Sequences> data, validation_data;
  std::shared_ptr<const Kernels> kernels;
  std::optional<Parameters> parameters;
};

/// A setting put together from all places, with the faults found on the way and remarks that a user
/// should see.
struct Assembled {
  Setting setting;
  Groups groups = 0;  ///< those of `setting` that the command has
  ErrorList faults = {};
  std::vector<Phrase> notes = {};
  /// The run that goes on; null: a new one, or the file that `setting.resume` names.
  std::shared_ptr<const Resumption> resumed = nullptr;
  Inputs inputs = {};  ///< in place of files
};

/// A sentence on who wrote a file, where that was another version of the program; without its end.
std::string version_difference(const Provenance& wrote, const std::string& path);

/// Defaults < preset < config file < command line. There is one preset: the command line's, else
/// the config's; wherever it was named, every option given in either place wins over it.
///
/// A config is flat TOML, option names as keys and arrays for lists, or a file that this program
/// wrote, which holds one; another version of the program is worth a note. TOML may come through a
/// pipe. Unknown keys are faults that name the nearest known key. Keys of other commands are
/// checked for their type and range and left unused, so that one config can serve several commands.
Assembled assemble(const CommandLine& line);

/// The options of these groups that determine the numbers of a run, as TOML that assemble() reads
/// back to the same values; options in `leave_out` and options without a value are left out.
std::string config_text(const Setting& setting, Groups groups, const std::set<Field>& leave_out);

/// The setting of `train` that a config text describes, from a file that this program wrote. Throws
/// InputError.
Setting setting_of_config(const std::string& text, const std::string& origin);

}  // namespace gihflow
