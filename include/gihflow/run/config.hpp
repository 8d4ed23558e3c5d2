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

/// Options of a command line.
struct CommandLine {
  Groups groups = groups_of<TrainSetting>;  ///< of the command's setting
  std::string config;                       ///< path of a config file; empty: none
  std::map<Field, std::string> values;      ///< "true" for a flag
  Setting defaults = {};  ///< of the command; their `isolation` is used to read the config
};

struct Resumption;

/// Inputs that a caller of the library holds in memory. In its setting the path of such a file is
/// the name for messages, such as "an array".
struct Inputs {
  std::shared_ptr<const Sequences> data, validation_data;
  std::shared_ptr<const Kernels> kernels;
  std::optional<Parameters> parameters;
};

/// A setting assembled from command line, config and preset, with the faults found so far and notes
/// for the user.
struct Assembled {
  Setting setting;
  Groups groups = 0;  ///< those of `setting` that the command has
  ErrorList faults = {};
  std::vector<Phrase> notes = {};
  /// The run to continue; null: a new one, or the one in the file `setting.resume`.
  std::shared_ptr<const Resumption> resumed = nullptr;
  Inputs inputs = {};  ///< in place of files
};

/// Beginning of a sentence that names the version which wrote `path`; empty if it is this version.
/// The caller appends the consequence.
std::string version_difference(const Provenance& wrote, const std::string& path);

/// Defaults < preset < config file < command line. The preset is that of the command line, or else
/// of the config; every option given in either place overrides it.
///
/// A config is flat TOML, with option names as keys and arrays for lists, or a file that this
/// program wrote, which contains one; if another version wrote it, there is a note. TOML may come
/// through a pipe. Unknown keys are faults that name the nearest known key. Keys of other commands
/// are checked for type and range but not used, so that several commands can share a config.
Assembled assemble(const CommandLine& line);

/// The options of these groups that determine the results of a run, as TOML that assemble() reads
/// back to the same values; without options in `leave_out` and options without a value.
std::string config_text(const Setting& setting, Groups groups, const std::set<Field>& leave_out);

/// The setting of `train` in the config text of a file that this program wrote; faults name
/// `origin`. Throws InputError.
Setting setting_of_config(const std::string& text, const std::string& origin);

}  // namespace gihflow
