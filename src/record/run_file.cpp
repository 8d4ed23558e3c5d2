#include "gihflow/record/run_file.hpp"

#include <fmt/format.h>

#include "base/make_fault.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/record/chain_hashes.hpp"
#include "gihflow/record/difference.hpp"
#include "record/checkpoint_record.hpp"
#include "record/fields.hpp"
#include "record/parameter_record.hpp"
#include "record/provenance.hpp"
#include "record/stage_record.hpp"

namespace gihflow {

namespace {

using hdf5::Image;
using hdf5::InputFile;

// Parameters at the last recorded point; those of the start if there is none.
Parameters last_parameters(const TrainingState& state) {
  for (auto stage = state.trajectory.stages.rbegin(); stage != state.trajectory.stages.rend();
       ++stage) {
    if (!stage->snapshots.empty()) return stage->snapshots.back().parameters;
  }
  return state.start;
}

// Whether the bits are equal, NaN included.
bool same(std::span<const double> a, std::span<const double> b) {
  return a.size() == b.size() && difference(a, b).different == 0;
}
bool same_parameters(const Parameters& a, const Parameters& b) {
  return same(a.log_c_squared, b.log_c_squared) && a.c_sign == b.c_sign &&
         std::all_of(plain_arrays.begin(), plain_arrays.end(),
                     [&](const PlainArray& array) { return same(array.in(a), array.in(b)); });
}

ChainHashes read_chain_hashes(InputFile& file) {
  ChainHashes hashes{file.text_attribute("/", "tokens_hash").value_or(""), ""};
  if (file.has_attribute("/", "validation_tokens_hash")) {
    hashes.validation = file.text_attribute("/", "validation_tokens_hash").value_or("");
  }
  return hashes;
}

}  // namespace

void write_run(OutputFile& file, const RunFile& run) {
  write_image(file, [&](Image& image) {
    const Parameters& start = run.state.start;
    image.attribute("/", "schema_version", static_cast<Index>(run.schema_version));
    write_provenance(image, run.provenance);
    image.attribute("/", "outcome", to_string(run.state.outcome));
    image.attribute("/", "tokens_hash", run.tokens_hash);
    if (!run.validation_hash.empty()) {
      image.attribute("/", "validation_tokens_hash", run.validation_hash);
    }
    image.attribute("/", "vocabulary_size", run.vocabulary);
    image.attribute("/", "degree", start.degree);
    write_parameter_axes(image, start);
    image.dataset<std::int64_t>(
        "/lag", run.lags, file_shape("HM", start),
        {"1", "lag that a component of a head's window looks at", scales_of("HM")});
    for (std::size_t k = 0; k < run.state.trajectory.stages.size(); ++k) {
      write_stage(image, stage_group(k), run.state.trajectory.stages[k], start,
                  !run.validation_hash.empty());
    }
    image.group("/initial");
    write_parameters_into(image, "/initial", run.state.initial);
    image.group("/final");
    write_parameters_into(image, "/final", last_parameters(run.state));
    if (run.baselines) {
      image.group("/baselines");
      image.attribute("/baselines", "lags", run.baselines->lags);
      write_datasets(image, "/baselines/training", run.baselines->training, start);
      if (run.baselines->validation) {
        write_datasets(image, "/baselines/validation", *run.baselines->validation, start);
      }
    }
    if (run.standard_errors) {
      write_datasets(image, "/standard_errors", *run.standard_errors, start);
    }
    if (run.accuracy) write_datasets(image, "/accuracy", *run.accuracy, start);
    write_checkpoint(image, run.state);
    image.group("/execution");
    write_attributes(image, "/execution", run.execution);
    write_table(image, "/execution/processes", run.execution.processes, "process", "process");
  });
}

ChainHashes read_chain_hashes(const std::string& path, Isolation isolation) {
  InputFile file(path, isolation);
  const ChainHashes hashes = file.has("/checkpoint") ? read_chain_hashes(file) : ChainHashes();
  file.finish();
  return hashes;
}

RunFile read_run(const std::string& path, Isolation isolation) {
  InputFile file(path, isolation);
  RunFile run;
  if (!file.has_attribute("/", "schema_version") || !file.has("/checkpoint")) {
    throw InputError(fault(path, "", "is not a run file; must be one that gihflow train wrote"));
  }
  const auto version = file.integer_attribute("/", "schema_version", "an integer");
  if (version && (*version < 1 || *version > run_schema_version)) {
    throw InputError(fault(path + ": schema_version", *version,
                           "must be from 1 to {}, what this program knows", run_schema_version));
  }
  run.schema_version = static_cast<int>(version.value_or(run_schema_version));
  run.provenance = read_provenance(file);
  ChainHashes hashes = read_chain_hashes(file);
  run.tokens_hash = std::move(hashes.training);
  run.validation_hash = std::move(hashes.validation);
  run.vocabulary = read_count(file, "/", "vocabulary_size");
  run.state = read_state(file, read_count(file, "/", "degree"));
  if (const auto outcome = file.text_attribute("/", "outcome")) {
    try {
      run.state.outcome = parse_outcome(*outcome);
    } catch (const InputError& error) {
      file.fault(fmt::format("attribute outcome of / {}", error.what()));
    }
  }
  const Parameters& start = run.state.start;
  file.finish();
  const auto last = read_parameters_from(file, "/final", start.degree);
  if (!last || !same_parameters(*last, last_parameters(run.state))) {
    file.fault("is damaged: /final must hold the parameters of the last output");
  }
  run.lags = file.integers("/lag", file_shape("HM", start)).value_or(std::vector<std::int64_t>());
  if (file.has("/baselines")) {
    RunBaselines baselines;
    baselines.lags =
        file.integers_attribute("/baselines", "lags", "lags").value_or(std::vector<Index>());
    read_datasets(file, "/baselines/training", baselines.training, start);
    if (file.has("/baselines/validation")) {
      read_datasets(file, "/baselines/validation", baselines.validation.emplace(), start);
    }
    run.baselines = std::move(baselines);
  }
  if (file.has("/standard_errors")) {
    read_datasets(file, "/standard_errors", run.standard_errors.emplace(), start);
  }
  if (file.has("/accuracy")) read_datasets(file, "/accuracy", run.accuracy.emplace(), start);
  read_attributes(file, "/execution", run.execution);
  run.execution.processes = read_table<ProcessRecord>(file, "/execution/processes", "process");
  file.finish();
  return run;
}

}  // namespace gihflow
