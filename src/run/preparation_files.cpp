// Reads the input files of a problem and sets what they fix.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/make_fault.hpp"
#include "gihflow/record/data_file.hpp"
#include "gihflow/record/kernel_file.hpp"
#include "gihflow/record/parameter_file.hpp"
#include "gihflow/run/resume.hpp"
#include "run/preparation.hpp"
#include "run/text_chains.hpp"

namespace gihflow {

namespace {

std::string printed(Index x) {
  return fmt::format("{}", x);
}
std::string printed(const std::vector<Index>& lags) {
  return lags.empty() ? "none" : to_string_lags(lags);
}

}  // namespace

// Reads the file that a setting names; its faults are added to the others.
template <class Read>
auto Preparation::read(Field field, const std::string& path, Read reader)
    -> std::optional<decltype(reader(path, Isolation()))> {
  if (path.empty()) return std::nullopt;
  try {
    return reader(path, setting().isolation);
  } catch (const InputError& error) {
    const bool moved = problem_.resumed && !std::filesystem::exists(path);
    for (Fault fault : error.faults()) {
      if (moved) fault.allowed += phrase("; if it has moved, give {}", field);
      faults_.add(field, std::move(fault));
    }
    return std::nullopt;
  }
}

// The sequences of a setting: held by the caller, or read from the file.
std::shared_ptr<const Sequences> Preparation::sequences(Field field, const std::string& path,
                                                        std::shared_ptr<const Sequences> held) {
  if (!held) {
    auto read_one = read(field, path, read_data);
    return read_one ? std::make_shared<const Sequences>(std::move(*read_one)) : nullptr;
  }
  try {
    static_cast<void>(stored_sequences(held));
    return held;
  } catch (const InputError& error) {
    for (const Fault& fault : error.faults()) faults_.add(field, fault);
    return nullptr;
  }
}

// The same for kernels.
std::shared_ptr<const Kernels> Preparation::given_kernels() {
  const std::string& path = setting().kernels;
  if (!inputs_.kernels) {
    auto read_one = read(Field::kernels, path, read_kernels);
    return read_one ? std::make_shared<const Kernels>(std::move(*read_one)) : nullptr;
  }
  try {
    validate(*inputs_.kernels, "kernels");
    return inputs_.kernels;
  } catch (const InputError& error) {
    for (const Fault& fault : error.faults()) faults_.add(Field::kernels, fault);
    return nullptr;
  }
}

// Sets a value that a file fixes; a given option with another value is a fault.
template <class T>
void Preparation::fix(Field field, T& member, const T& value, const std::string& path) {
  if (given(field) && !faults_.about({field}) && member != value) {
    refuse(fault(field, printed(member), "must be {}, which {} fixes", printed(value), path));
  }
  member = value;
}

void Preparation::fix_vocabulary(Index vocabulary, const std::string& path) {
  fix(Field::vocabulary, setting().sampling.prior.vocabulary, vocabulary, path);
  setting().model.vocabulary = vocabulary;
}

void Preparation::read_files() {
  if (!setting().data.empty() && !setting().kernels.empty()) {
    refuse(fault(Field::kernels, setting().kernels, "must not be given beside {} {}", Field::data,
                 setting().data));
    return;
  }
  const auto no_sequences = [&](Field field, const std::string& path) {
    if (path.empty() || !problem_.infinite()) return;
    refuse(fault(field, path, "must be left out in {} infinite, which needs {}", Field::context,
                 Field::kernels));
  };
  no_sequences(Field::data, setting().data);
  no_sequences(Field::validation_data, setting().validation_data);
  if (faults_.about({Field::data, Field::validation_data})) return;
  use_data();
  use_kernels();
  use_text();
  use_validation_data();
  use_parameters();
}

void Preparation::use_data() {
  auto data = sequences(Field::data, setting().data, inputs_.data);
  if (!data) return;
  const std::string& path = setting().data;
  fix_vocabulary(data->vocabulary, path);
  fix(Field::length, setting().sampling.length, data->length, path);
  fix(Field::chains, setting().sampling.count, data->count, path);
  problem_.parents_known = !data->parents.empty() || given(Field::parents);
  if (!data->parents.empty()) {
    fix(Field::parents, setting().sampling.prior.parents, data->parents, path);
  }
  if (!problem_.parents_known) problem_.unused.insert(Field::parents);
  fix_labels(*data, path);
  if (setting().validation_data.empty()) {
    no_validation(
        phrase("must be 0 or left out beside {} without {}", Field::data, Field::validation_data));
  }
  problem_.data = std::move(data);
}

void Preparation::fix_labels(const Sequences& data, const std::string& path) {
  const std::string word = to_string(*find_option(Field::labels)->get(setting()));
  if (!data.targets.empty()) {
    problem_.unused.insert(Field::labels);
    if (given(Field::labels)) {
      refuse(fault(Field::labels, word, "must be left out, since {} has /targets", path));
    }
  } else {
    if (given(Field::labels) && setting().sampling.labels != Labels::sampled) {
      refuse(fault(Field::labels, word, "must be sampled, since {} has no /targets", path));
    }
    setting().sampling.labels = Labels::sampled;
  }
}

void Preparation::use_kernels() {
  auto kernels = given_kernels();
  if (!kernels) return;
  const std::string& path = setting().kernels;
  fix_vocabulary(kernels->vocabulary, path);
  fix(Field::parents, setting().sampling.prior.parents, kernels->parents, path);
  if (kernels_alone()) {
    fix(Field::chains, setting().sampling.count, kernels->count, path);
  } else if (!given(Field::chains)) {
    setting().sampling.count = kernels->count;
  }
  if (problem_.infinite()) {
    no_validation(
        phrase("must be 0 or left out beside {} in {} infinite", Field::kernels, Field::context));
  }
  problem_.kernels = std::move(kernels);
}

void Preparation::use_text() {
  const std::string& path = setting().text;
  if (path.empty()) return;
  for (const auto& [field, other] :
       {std::pair(Field::data, setting().data), std::pair(Field::kernels, setting().kernels)}) {
    if (other.empty()) continue;
    refuse(fault(Field::text, path, "must not be given beside {} {}", field, other));
    return;
  }
  if (faults_.about({Field::vocabulary, Field::parents, Field::alpha, Field::passage})) return;
  try {
    if (setting().text_as == TextUse::passages)
      use_passages();
    else
      use_text_kernels();
  } catch (const InputError& error) {
    for (const Fault& fault : error.faults()) {
      if (fault.field == Field::none)
        faults_.add(Field::text, within(path, fault));
      else
        refuse(fault);
    }
  }
}

void Preparation::use_text_kernels() {
  const std::string& path = setting().text;
  auto kernels = std::make_shared<const Kernels>(text_kernels(setting(), path));
  if (kernels_alone()) {
    fix(Field::chains, setting().sampling.count, kernels->count, path);
  } else if (!given(Field::chains) && kernels->count > 1) {
    setting().sampling.count = kernels->count;
  }
  if (problem_.infinite()) {
    no_validation(
        phrase("must be 0 or left out beside {} in {} infinite", Field::text, Field::context));
  }
  problem_.kernels = std::move(kernels);
}

// The first passages are the training sequences, the next ones those of validation.
void Preparation::use_passages() {
  const std::string& path = setting().text;
  if (problem_.infinite()) {
    refuse(fault(Field::text_as, "passages", "must be kernels in {} infinite", Field::context));
    return;
  }
  if (problem_.has<StageSetting>() && !problem_.has<DataSetting>()) {
    refuse(fault(Field::text_as, "passages",
                 "must be kernels here, since predictions are made from kernels"));
    return;
  }
  if (faults_.about({Field::length, Field::chains, Field::validation_chains})) return;
  const Index length = setting().sampling.length;
  const TextTokens text = read_text_tokens(path, setting().sampling.prior.vocabulary);
  const Index available = static_cast<Index>(text.tokens.size()) / (length + 1);
  Index& training = setting().sampling.count;
  Index& validation = setting().validation_chains;
  if (!problem_.has<ValidationDataSetting>() || !setting().validation_data.empty())
    validation = 0;
  else if (!given(Field::validation_chains))
    validation = std::min(validation, available / 10);
  if (!given(Field::chains)) training = available - validation;
  if (training < 1 || training + validation > available) {
    refuse(fault(Field::chains, training,
                 "with {} {} must be between 1 and {}, the passages of {} characters in {}",
                 Field::validation_chains, validation, available, length + 1, path));
    return;
  }
  problem_.data = std::make_shared<const Sequences>(passages_of_text(text, length, 0, training));
  if (validation > 0) {
    problem_.validation_data =
        std::make_shared<const Sequences>(passages_of_text(text, length, training, validation));
  }
  problem_.parents_known = given(Field::parents);
  if (!problem_.parents_known) problem_.unused.insert(Field::parents);
  if (given(Field::labels) && setting().sampling.labels != Labels::sampled) {
    refuse(fault(Field::labels, to_string(*find_option(Field::labels)->get(setting())),
                 "must be sampled, since passages of a text are data"));
  }
  setting().sampling.labels = Labels::sampled;
}

void Preparation::no_validation(Phrase must) {
  if (given(Field::validation_chains) && setting().validation_chains > 0) {
    refuse({Field::validation_chains, printed(setting().validation_chains), std::move(must), ""});
  }
  setting().validation_chains = 0;
}

void Preparation::use_validation_data() {
  auto data = sequences(Field::validation_data, setting().validation_data, inputs_.validation_data);
  if (!data) return;
  const std::string& path = setting().validation_data;
  if (!faults_.about({Field::data, Field::kernels, Field::vocabulary}) &&
      data->vocabulary != setting().model.vocabulary) {
    faults_.add(Field::validation_data,
                fault(path + ": attribute vocabulary_size", data->vocabulary,
                      "must be {}, as in training", setting().model.vocabulary));
  }
  if (setting().model.boundary == Boundary::masked && data->length <= setting().model.widest()) {
    faults_.add(Field::validation_data, fault(path + ": sequences of length", data->length,
                                              "must exceed the widest lag, {}, with {} masked",
                                              setting().model.widest(), Field::boundary));
  }
  fix(Field::validation_chains, setting().validation_chains, data->count, path);
  problem_.validation_data = std::move(data);
}

void Preparation::use_parameters() {
  if (problem_.resumed) {  // a continued run has them: their file is not read again
    if (!setting().parameters.empty()) problem_.parameters = problem_.resumed->run.state.start;
    return;
  }
  const std::string& path = setting().parameters;
  auto read_one = inputs_.parameters ? std::move(inputs_.parameters)
                                     : read(Field::parameters, path, read_parameters);
  if (!read_one) return;
  fix(Field::window, setting().model.window, read_one->window, path);
  fix(Field::heads, setting().model.heads, read_one->heads, path);
  fix(Field::degree, setting().model.degree, read_one->degree, path);
  check_blocks(*read_one, path);
  problem_.parameters = std::move(*read_one);
  note_other_conventions(path);
}

// Whether a file has the arrays of the model and no others.
void Preparation::check_blocks(const Parameters& given, const std::string& path) {
  for (const PlainArray& array : plain_arrays) {
    const bool there = !array.in(given).empty();
    if (there == array.present(setting().model)) continue;
    refuse(fault(Field::parameters, path, "{} /{}, which {} {} needs", there ? "has" : "has no",
                 array.name, array.option, array.choice));
  }
}

// Adds a note if the parameters are from a run with other conventions.
void Preparation::note_other_conventions(const std::string& path) {
  std::vector<std::string> differing;
  try {
    const Setting theirs =
        setting_of_config(read_run(path, setting().isolation).provenance.config, path);
    for (const Field field : {Field::boundary, Field::head_windows, Field::lags, Field::head_lags,
                              Field::head_normalization, Field::scores, Field::own_position,
                              Field::values, Field::rectify, Field::readout, Field::epsilon}) {
      const Option& option = *find_option(field);
      const auto words = [&](const Setting& s) {
        const std::optional<Value> value = option.get(s);
        return value ? to_string(*value) : std::string("none");
      };
      const std::string here = words(setting()), there = words(theirs);
      if (here == there) continue;
      differing.push_back(fmt::format("{} {} (here {})", option.name(), there, here));
    }
  } catch (const InputError&) {
    return;  // a parameter file, which has no conventions
  }
  if (!differing.empty()) {
    problem_.notes.push_back(
        fmt::format("{} was trained with {}", path, fmt::join(differing, ", ")));
  }
}

}  // namespace gihflow
