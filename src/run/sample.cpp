#include "gihflow/run/sample.hpp"

#include "gihflow/base/interrupted.hpp"
#include "gihflow/record/data_hash.hpp"
#include "gihflow/record/kernel_file.hpp"
#include "run/following.hpp"

namespace gihflow {

Sample sample(const Problem& problem, RunObserver* observer) {
  const Call call(problem, observer);
  const GivingUp on_interrupt;
  const Setting& setting = problem.setting;
  const auto file = call.output(setting.output, setting.force);
  const auto kernels_file = call.output(setting.kernels_output, setting.force);
  const HashingSource source(problem.chains());
  Sample result{collect(source), source.hash()};
  if (setting.sampling.labels == Labels::sampled) result.sequences.targets.clear();
  if (kernels_file) {
    write_kernels(*kernels_file,
                  draw_kernels(problem.prior(), setting.sampling.seed, setting.sampling.purpose,
                               setting.sampling.count),
                  problem.provenance());
  }
  if (file) write_data(*file, result.sequences, problem.provenance());
  return result;
}

Sample sample(const SampleSetting& setting, RunObserver* observer) {
  return sample(prepare(setting), observer);
}

}  // namespace gihflow
