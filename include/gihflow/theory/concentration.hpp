#pragma once

#include <memory>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/population/objective.hpp"

namespace GIHFLOW_API gihflow {

/// Concentration of one head of S* on its lag in stage II, formula (7.2).
struct Concentration {
  Index head = 0;             ///< 0-based
  Index component = 0;        ///< the component of its window that it concentrates on, 0-based
  std::vector<double> gamma;  ///< γ_j [M]; 0 at j = component
  /// lim t·(1 − σ(t)) = Σ_j 1/γ_j / (aM) as t → ∞, in flow time; NaN if some γ_j ≤ 0: then one-hot
  /// attention on the component is not attracting.
  double constant = 0;
};

/// (7.2) for every head of the subset `set` (its position in subsets()), at one-hot attention of
/// each head on the component of its largest logit. Exact as a → 0 and t → ∞, with p = δ_S. G is
/// that of the objective, and γ follows from selection_gain_slope. Other heads do not move.
std::vector<Concentration> concentrations(const Objective& objective, Index set,
                                          const PlainBlocks& at);

/// Stage II at finite t: the gradient flow ẇ = a·∂G(S;w)/∂w in w alone (7.2). Exact as a → 0.
/// Integrated by Dormand–Prince 5(4) with relative tolerance 1e-8.
class ReducedAttention {
 public:
  /// From w at t = 0; the other arrays do not move. The objective must outlive this object and must
  /// not use the reference engine.
  ReducedAttention(const Objective& objective, Index set, const PlainBlocks& start);
  ~ReducedAttention();

  /// w [H, M] at flow time t ≥ the time of the last call.
  std::vector<double> advance(double t);
  /// Advances until every head of S has at least 1 − δ of its attention on one component, and
  /// returns the flow time; ∞ if that does not happen by `latest`.
  double advance_until(double delta, double latest);

 private:
  class Flow;
  std::unique_ptr<Flow> flow_;
};

}  // namespace gihflow
