#include "options.hpp"

#include <algorithm>

#include "gihflow/run/options.hpp"
#include "gihflow/run/train.hpp"
#include "runs.hpp"

namespace gihflow::python {

namespace {

template <class S>
Command command(const char* name) {
  return {name, groups_of<S>, Setting(S())};
}

const std::vector<Command>& commands() {
  static const std::vector<Command> all{
      command<TrainSetting>("train"),       command<EvaluateSetting>("evaluate"),
      command<RankSetting>("rank"),         command<PredictSetting>("predict"),
      command<VerifySetting>("verify"),     command<CheckSetting>("check"),
      command<CompareSetting>("compare"),   command<SampleSetting>("sample"),
      command<AuditSetting>("audit"),       command<ReportSetting>("report"),
      command<EvaluateSetting>("Objective")};
  return all;
}

constexpr const char* kinds[] = {"flag",   "integer",  "real",  "text",
                                 "choice", "integers", "reals", "words"};

// What Python needs of a row.
nb::dict described(const Option& option, const Command& command) {
  nb::dict row;
  row["name"] = keyword(option.field);
  row["kind"] = kinds[static_cast<std::size_t>(option.kind)];
  row["heading"] = option.heading;
  row["help"] = words(option.help, keyword);
  row["allowed"] = option.allowed;
  row["unset"] = option.unset;
  row["choices"] = tuple_of(option.choices);
  const std::optional<Value> value = option.get(command.defaults);
  if (!value) {
    row["default"] = nb::none();
  } else if (option.kind == Kind::words) {
    row["default"] = to_string(*value);
  } else {
    const nb::object object = nb::cast(*value);
    row["default"] = nb::isinstance<nb::list>(object) ? nb::object(nb::tuple(object)) : object;
  }
  return row;
}

nb::tuple described_all(const std::string& name) {
  const Command& command = command_named(name);
  nb::list rows;
  for (const Option& option : options()) {
    if (option.belongs_to(command.groups)) rows.append(described(option, command));
  }
  return nb::tuple(rows);
}

Field field_of(const std::string& keyword) {
  std::string text = keyword;
  if (text.ends_with('_')) text.pop_back();
  std::replace(text.begin(), text.end(), '_', '-');
  return field_named(text);
}

template <class T>
using Given = nb::ndarray<const T, nb::c_contig, nb::device::cpu>;

// Integers of any type, as they lie, that are tokens of a vocabulary.
template <class T>
void take_tokens(const Given<T>& array, Sequences& into) {
  into.tokens.resize(array.size());
  const T* const values = array.data();
  for (std::size_t i = 0; i < array.size(); ++i) {
    // What does not fit is no token of any vocabulary: the check of sequences says which it was.
    const bool fits = values[i] >= T{0} && static_cast<std::uint64_t>(values[i]) < max_vocabulary;
    into.tokens[i] = fits ? static_cast<Token>(values[i]) : static_cast<Token>(max_vocabulary);
  }
}

std::shared_ptr<const Sequences> sequences_of(const nb::dict& given) {
  auto result = std::make_shared<Sequences>();
  const nb::object tokens = given["tokens"];
  const auto take = [&]<class T>(T) {
    Given<T> array;
    if (!nb::try_cast(tokens, array, false)) return false;
    result->count = static_cast<Index>(array.shape(0));
    result->length = static_cast<Index>(array.shape(1)) - 1;
    take_tokens<T>(array, *result);
    return true;
  };
  static_cast<void>(take(std::int64_t{}) || take(std::int32_t{}) || take(std::int16_t{}) ||
                    take(std::int8_t{}) || take(std::uint64_t{}) || take(std::uint32_t{}) ||
                    take(std::uint16_t{}) || take(std::uint8_t{}));
  result->vocabulary = nb::cast<Index>(given["vocabulary"]);
  if (!given["targets"].is_none()) {
    const auto targets = nb::cast<Given<double>>(given["targets"]);
    result->targets.assign(targets.data(), targets.data() + targets.size());
  }
  result->parents = nb::cast<std::vector<Index>>(given["parents"]);
  return result;
}

std::shared_ptr<const Kernels> kernels_of(const nb::dict& given) {
  auto result = std::make_shared<Kernels>();
  const auto values = nb::cast<Given<double>>(given["values"]);
  result->count = static_cast<Index>(values.shape(0));
  result->vocabulary = static_cast<Index>(values.shape(2));
  result->parents = nb::cast<std::vector<Index>>(given["parents"]);
  result->values.assign(values.data(), values.data() + values.size());
  return result;
}

Inputs inputs_of(const nb::dict& given) {
  Inputs inputs;
  for (const auto& [key, value] : given) {
    const auto name = nb::cast<std::string>(key);
    if (name == "parameters") {
      inputs.parameters = nb::cast<const RunHandle&>(value).run().final();
    } else if (name == "kernels") {
      inputs.kernels = kernels_of(nb::cast<nb::dict>(value));
    } else {
      (name == "data" ? inputs.data : inputs.validation_data) =
          sequences_of(nb::cast<nb::dict>(value));
    }
  }
  return inputs;
}

}  // namespace

std::string keyword(Field field) {
  std::string text(name(field));
  std::replace(text.begin(), text.end(), '-', '_');
  return field == Field::from ? text + '_' : text;  // a word of the language
}

const Command& command_named(const std::string& name) {
  const auto found = std::find_if(commands().begin(), commands().end(),
                                  [&](const Command& command) { return command.name == name; });
  if (found == commands().end()) throw nb::key_error(name.c_str());
  return *found;
}

Assembled assembled(const Arguments& arguments) {
  const Command& command = command_named(arguments.command);
  CommandLine line;
  line.groups = command.groups;
  line.config = arguments.config;
  line.defaults = command.defaults;
  for (const auto& [key, value] : arguments.values) {
    line.values[field_of(nb::cast<std::string>(key))] = to_string(nb::cast<Value>(value));
  }
  Assembled result = assemble(line);
  result.inputs = inputs_of(arguments.inputs);
  return result;
}

void add_options(nb::module_& module) {
  module.def("options", described_all, nb::arg("command"),
             "The options of a function: its keyword arguments, with what the option table says.");
  module.def(
      "nearest",
      [](const std::string& name, const std::vector<std::string>& names) {
        return nearest(name, names);
      },
      nb::arg("name"), nb::arg("names"),
      "The name that is nearest in edit distance; empty when none is close.");
}

}  // namespace gihflow::python
