#include "gihflow/run/sample.hpp"

#include "gihflow/record/data_hash.hpp"
#include "gihflow/record/kernel_file.hpp"
#include "run/following.hpp"

namespace gihflow {

namespace {

std::unique_ptr<OutputFile> output(const std::string& path, bool force, RunObserver& observer) {
  if (path.empty()) return nullptr;
  auto file = std::make_unique<OutputFile>(path, force);
  if (!file->note().empty()) observer.note(file->note());
  return file;
}

}  // namespace

Sample sample(const Problem& problem, RunObserver* observer) {
  const Call call(problem, observer);
  const Setting& setting = problem.setting;
  const auto file = output(setting.output, setting.force, call.observer);
  const auto kernels_file = output(setting.kernels_output, setting.force, call.observer);
  const HashingSource source(problem.chains());
  Sample result{collect(source), source.hash()};
  if (setting.sampling.labels == Labels::sampled) result.sequences.targets.clear();
  if (interrupt_requested()) return result;
  if (kernels_file) {
    write_kernels(*kernels_file,
                  draw_kernels(setting.sampling.prior, setting.sampling.seed,
                               setting.sampling.purpose, setting.sampling.count),
                  problem.provenance());
  }
  if (file) write_data(*file, result.sequences, problem.provenance());
  return result;
}

Sample sample(const SampleSetting& setting, RunObserver* observer) {
  return sample(prepare(setting), observer);
}

}  // namespace gihflow
