#include "gihflow/run/rank.hpp"

#include "gihflow/base/interrupted.hpp"
#include "run/following.hpp"

namespace gihflow {

Ranking rank(const Problem& problem, RunObserver* observer) {
  const Call call(problem, observer);
  const GivingUp on_interrupt;
  const Model& model = problem.setting.model;
  const Kernels kernels = *problem.chain_kernels();
  return model.head_lags.empty() ? rank_lag_sets(kernels, model.window, model.degree)
                                 : rank_lag_sets(kernels, model.head_lags.front(), model.degree);
}

Ranking rank(const RankSetting& setting, RunObserver* observer) {
  return rank(prepare(setting), observer);
}

}  // namespace gihflow
