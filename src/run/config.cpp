#include "gihflow/run/config.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/make_fault.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/version.hpp"
#include "run/toml_values.hpp"

namespace gihflow {

namespace {

// Text of a config file, and a note for the user.
struct ConfigSource {
  std::string text;
  std::string note;
};

ConfigSource read_config(const std::string& path, Isolation isolation) {
  if (!is_regular(path, Field::config) || !is_hdf5(path))
    return {read_text(path, Field::config), ""};
  const Provenance wrote = read_provenance(path, isolation);
  std::string difference = version_difference(wrote, path);
  if (!difference.empty()) difference += ": bits may differ";
  return {wrote.config, std::move(difference)};
}

// One key of a config.
struct Entry {
  const Option* option;
  Value value;
};

std::vector<Entry> entries_of(const toml::table& table, const std::string& origin, Groups groups,
                              ErrorList& faults) {
  std::vector<Entry> entries;
  for (const auto& [key, node] : table) {
    const Option* option = option_of_key(std::string(key.str()), origin, groups, faults);
    if (option == nullptr) continue;
    if (const std::optional<Value> value = value_of_node(node)) {
      entries.push_back({option, *value});
    } else {
      faults.add({option->field, "", "must be " + option->allowed, origin});
    }
  }
  return entries;
}

const Entry* entry_of(Field field, const std::vector<Entry>& entries) {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const Entry& entry) { return entry.option->field == field; });
  return found == entries.end() ? nullptr : &*found;
}

// Adds a note if conventions in the config override a preset of the command line.
void note_overridden_preset(const std::vector<Entry>& config, const CommandLine& line,
                            std::vector<Phrase>& notes) {
  std::vector<Field> overriding;
  for (const Convention& row : conventions()) {
    if (entry_of(row.field, config) != nullptr && !line.values.contains(row.field))
      overriding.push_back(row.field);
  }
  if (!overriding.empty()) {
    Phrase note = phrase("{} {} leaves ", Field::preset, line.values.at(Field::preset));
    note += listed(overriding);
    note += phrase(" as {} sets {}", line.config, overriding.size() == 1 ? "it" : "them");
    notes.push_back(std::move(note));
  }
}

void apply_config(const std::vector<Entry>& entries, const std::string& origin, Groups groups,
                  Setting& setting, ErrorList& faults) {
  Setting other_commands;  // takes the keys that this command does not have
  for (const Entry& entry : entries) {
    if (entry.option->field == Field::preset) continue;
    const bool used = entry.option->belongs_to(groups);
    set_option(used ? setting : other_commands, *entry.option, entry.value, origin, faults);
  }
}

// Faults and notes for `sample` with the config of a run: it draws the run's chains only with a
// `purpose`, and not if they were given.
void check_sampled(const std::vector<Entry>& config, const CommandLine& line, Assembled& result) {
  const auto asked = line.values.find(Field::purpose);
  const std::string purpose = asked == line.values.end() ? "" : asked->second;
  for (const auto& [wanted, file] :
       {std::pair("train", Field::data), std::pair("validation", Field::validation_data)}) {
    const Entry* const given = entry_of(file, config);
    if (purpose != wanted || given == nullptr) continue;
    result.faults.add(fault(Field::purpose, purpose,
                            "these chains were not drawn: they are {} {} of {}", file,
                            to_string(given->value), line.config));
  }
  const bool of_run = entry_of(Field::stages, config) != nullptr &&
                      is_regular(line.config, Field::config) && is_hdf5(line.config);
  if (of_run && purpose.empty()) {
    result.notes.push_back(
        phrase("these are not the chains of {}: give {} train or validation for them", line.config,
               Field::purpose));
  }
}

void apply_text(const Option& option, const std::string& text, Setting& setting,
                ErrorList& faults) {
  const std::optional<Value> value = parse_value(option, text);
  if (value) {
    set_option(setting, option, *value, "", faults);
  } else {
    faults.add({option.field, text, "must be " + option.allowed, ""});
  }
}

}  // namespace

std::string version_difference(const Provenance& wrote, const std::string& path) {
  if (wrote.program_version == version() && wrote.git_commit == git_commit()) return "";
  return fmt::format("{} was computed by gihflow {} (commit {}), and this is {} (commit {})", path,
                     wrote.program_version, wrote.git_commit, version(), git_commit());
}

Assembled assemble(const CommandLine& line) {
  Assembled result{line.defaults, line.groups};
  std::vector<Entry> config;
  if (!line.config.empty()) {
    try {
      const ConfigSource source = read_config(line.config, line.defaults.isolation);
      config =
          entries_of(parse_toml(source.text, line.config), line.config, line.groups, result.faults);
      if (!source.note.empty()) result.notes.push_back(source.note);
    } catch (const InputError& error) {
      for (const Fault& fault : error.faults()) result.faults.add(Field::config, fault);
    }
  }
  const auto apply = [&](Field field, const std::string& text) {
    apply_text(*find_option(field, line.groups), text, result.setting, result.faults);
  };
  const auto preset = line.values.find(Field::preset);
  if (preset != line.values.end()) {
    apply(preset->first, preset->second);
    note_overridden_preset(config, line, result.notes);
  } else if (const Entry* entry = entry_of(Field::preset, config)) {
    set_option(result.setting, *entry->option, entry->value, line.config, result.faults);
  }
  apply_config(config, line.config, line.groups, result.setting, result.faults);
  for (const auto& [field, text] : line.values) {
    if (field != Field::preset) apply(field, text);
  }
  if (find_option(Field::purpose)->belongs_to(line.groups)) check_sampled(config, line, result);
  return result;
}

std::string config_text(const Setting& setting, Groups groups, const std::set<Field>& leave_out) {
  std::string text;
  for (const Option& option : options()) {
    if (option.role == Role::handling || !option.belongs_to(groups)) continue;
    if (leave_out.contains(option.field)) continue;
    if (const std::optional<Value> value = option.get(setting)) {
      text += fmt::format("{} = {}\n", option.name(), to_toml(*value));
    }
  }
  return text;
}

Setting setting_of_config(const std::string& text, const std::string& origin) {
  constexpr Groups groups = groups_of<TrainSetting>;
  ErrorList faults;
  Setting setting;
  const auto entries = entries_of(parse_toml(text, origin), origin, groups, faults);
  if (const Entry* preset = entry_of(Field::preset, entries)) {
    set_option(setting, *preset->option, preset->value, origin, faults);
  }
  apply_config(entries, origin, groups, setting, faults);
  faults.throw_if_any();
  setting.model.vocabulary = setting.sampling.prior.vocabulary;
  return setting;
}

}  // namespace gihflow
