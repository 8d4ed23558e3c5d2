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
  /// Σ_e g log(g/ŷ), ŷ = (y + ε)/(1 + dε), nats; infinite if ŷ is 0 where g is not
  double kl = 0;
  double kl_error = 0;
  double argmax_agreement = 0;  ///< share of chains whose sets of maximisers meet
};

/// Distance of two arrays of laws of the next token, [contexts, d] each.
Distance distance(std::span<const double> reference, std::span<const double> prediction,
                  Index vocabulary, double epsilon);

/// The parts of the induction head mechanism: p selects heads (selector), attention copies the
/// tokens at their lags (copier), a weights matching positions (classifier).
struct Parts {
  bool selector = false;
  bool copier = false;
  bool classifier = false;

  bool operator==(const Parts&) const = default;
};

/// Names of the parts, in the order selector, copier, classifier.
std::vector<std::string> names_of(const Parts& parts);

/// Distance to GIH(S) after some parts are replaced by ideal ones.
struct Substitution {
  Parts parts;
  double a = 0;  ///< with an ideal classifier: the a of the smallest distance
  double total_variation = 0;
};

/// The lags with the largest attention of the heads in a subset (the nearest one on ties), each lag
/// once, increasing. `mask` as in subsets().
std::vector<Index> attended_lags(const Parameters& parameters, const Model& model,
                                 std::uint32_t mask);

/// The leading set of a model: attended_lags of the head subset with the largest p.
std::vector<Index> leading_lags(const Parameters& parameters, const Model& model);

/// Distances to GIH(S) with every combination of parts replaced by ideal ones, ordered by number of
/// parts, then as in names_of. Ideal selector: p = δ on the head subset that attends to S
/// (unchanged if there is none; together with an ideal copier, the subset of |S| heads that attends
/// most to S). Ideal copier: one-hot attention of the heads of the leading subset on one lag of S
/// each, by the assignment with the largest attention; other heads are unchanged. Ideal classifier:
/// the a of the smallest distance.
std::vector<Substitution> substitutions(const WindowSample& sample, const Parameters& parameters,
                                        std::span<const Index> lags);

/// The parts of the first substitution within the tolerance on the total variation; all parts if
/// there is none.
Parts missing_parts(std::span<const Substitution> substitutions, double tolerance);

}  // namespace gihflow
