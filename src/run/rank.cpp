#include "gihflow/run/rank.hpp"

#include "gihflow/base/interrupted.hpp"
#include "run/following.hpp"

namespace gihflow {

Ranking rank(const Problem& problem, RunObserver* observer) {
  const Call call(problem, observer);
  const GivingUp on_interrupt;
  const Model& model = problem.setting.model;
  return rank_lag_sets(*problem.chain_kernels(), model.used_lags(), model.degree);
}

Ranking rank(const RankSetting& setting, RunObserver* observer) {
  return rank(prepare(setting), observer);
}

}  // namespace gihflow
