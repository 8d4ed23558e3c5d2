#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/model/model.hpp"
#include "gihflow/model/parameters.hpp"
#include "gihflow/population/window_sample.hpp"

namespace GIHFLOW_API gihflow {

/// Distances (8.2) of predictions y to the reference law g, both [N, d]; means over chains,
/// standard errors their standard deviation / √N (NaN at N = 1).
struct Distance {
  double total_variation = 0;  ///< ½ Σ_e |g − y|
  double total_variation_error = 0;
  /// Σ_e g log(g/ŷ), ŷ = (y + ε)/(1 + dε), nats; infinite where ŷ is 0 and g is not
  double kl = 0;
  double kl_error = 0;
  double argmax_agreement = 0;  ///< share of chains whose sets of maximisers meet
};

/// Between two laws of the next token for one context after the other, [contexts, d] each.
Distance distance(std::span<const double> reference, std::span<const double> prediction,
                  Index vocabulary, double epsilon);

/// The parts of the mechanism: p selects the heads, attention copies their lags, a classifies.
struct Parts {
  bool selector = false;
  bool copier = false;
  bool classifier = false;

  bool operator==(const Parts&) const = default;
};

/// Names of the parts, in the order selector, copier, classifier.
std::vector<std::string> names_of(const Parts& parts);

/// What is left of the distance when some parts are replaced by ideal ones.
struct Substitution {
  Parts parts;
  double a = 0;  ///< with an ideal classifier: the a that is closest
  double total_variation = 0;
};

/// Lags that the heads of a subset attend to most: for each of its heads the lag of the largest
/// attention (the nearest one on ties), each lag once, increasing. `mask` as in subsets().
std::vector<Index> attended_lags(const Parameters& parameters, const Model& model,
                                 std::uint32_t mask);

/// The run's own leading set: attended_lags of the head subset with the largest p.
std::vector<Index> leading_lags(const Parameters& parameters, const Model& model);

/// Finds the parts that keep a model from GIH(S): replaces every combination of parts by ideal
/// ones, fewest first. Selector: p = δ on the head subset that attends to S (none: as it is; with a
/// copier as well, the subset of |S| heads that attends to S best). Copier: the heads of the
/// leading subset on one lag of S each, the assignment with the largest attention; other heads as
/// they are. Classifier: the a that comes closest. Order: by number of parts, then as in names_of.
std::vector<Substitution> substitutions(const WindowSample& sample, const Parameters& parameters,
                                        std::span<const Index> lags);

/// The first substitution within the tolerance; all parts when none is.
Parts missing_parts(std::span<const Substitution> substitutions, double tolerance);

}  // namespace gihflow
