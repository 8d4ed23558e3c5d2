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

std::optional<SelectionAtStart> selection_at_start(const Problem& problem, const Ranking& ranking) {
  const ContextScope scope({.threads = problem.setting.threads});
  const GivingUp on_interrupt;
  const Model& model = problem.setting.model;
  const std::vector<Index> lags = model.used_lags();
  const Index count =
      kernels_for_selection(ranking.vocabulary, static_cast<Index>(lags.size()), ranking.chains);
  if (count == 0) return std::nullopt;
  return selection_at_start(*problem.chain_kernels(count), lags, model.degree,
                            problem.setting.initial, ranking.by_modified.front());
}

Ranking rank(const RankSetting& setting, RunObserver* observer) {
  return rank(prepare(setting), observer);
}

}  // namespace gihflow
