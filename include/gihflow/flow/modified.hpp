#pragma once

#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/flow/trajectory.hpp"
#include "gihflow/population/objective.hpp"

namespace GIHFLOW_API gihflow {

/// How the modified flow (3.6) is integrated.
struct ModifiedFlowOptions {
  double rtol = 1e-10;             ///< > 0
  double atol = 1e-13;             ///< ≥ 0
  Index max_evaluations = 100000;  ///< of the right-hand side
};

/// The modified flow up to its end, or as far as it went.
struct ModifiedFlow {
  std::vector<Parameters> points;  ///< at the times that were reached
  Index evaluations = 0;  ///< of the right-hand side, each a gradient and a Hessian product
  Outcome outcome = Outcome::reached;  ///< or step_limit, step_underflow, non_finite
};

/// The modified equation of gradient descent (3.6) (Barrett & Dherin 2021): the flow of 𝓛 +
/// (η/4)‖∇𝓛‖² in the coordinates of the trained blocks, c itself and not θ, ẋ = −∇𝓛 − (η/2)∇²𝓛·∇𝓛,
/// from `start` at t = 0, by Fehlberg's method of order 7(8) with steps that end at the given times
/// (increasing, ≥ 0). C_D is not constant along it: Ċ_D = η‖∇_c𝓛‖². With η = 0 it is the plain
/// flow.
ModifiedFlow modified_flow(const Objective& objective, const Stage& blocks, const Parameters& start,
                           double learning_rate, const std::vector<double>& times,
                           const ModifiedFlowOptions& options = {});

}  // namespace gihflow
