#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/population/objective.hpp"
#include "gihflow/run/observer.hpp"
#include "gihflow/run/problem.hpp"
#include "gihflow/theory/accuracy.hpp"

namespace GIHFLOW_API gihflow {

/// Loss (2.4) in nats and its gradient at a point, with standard errors over chains.
struct Evaluation {
  Parameters at;
  double loss = 0.0;      ///< infinite where ε = 0 and a label has probability 0
  std::vector<double> c;  ///< ∂𝓛/∂c [subsets]
  Gradient gradient;      ///< in p and the plain blocks, p treated as free (3.1)
  StandardErrors errors;
  std::optional<Accuracy> accuracy;  ///< (8.4); none in infinite context
  std::string engine;                ///< engine that computed it, see Objective::engine
};

/// Evaluates an objective at given parameters.
Evaluation evaluate(const Objective& objective, const Parameters& at);

/// Evaluates at the parameters, or the initial point, and on the chains of a setting. Throws
/// InputError; Interrupted.
Evaluation evaluate(const EvaluateSetting& setting, RunObserver* observer = nullptr);
/// \overload
Evaluation evaluate(const Problem& problem, RunObserver* observer = nullptr);

}  // namespace gihflow
