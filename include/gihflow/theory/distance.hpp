#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/chain/sequence.hpp"
#include "gihflow/model/model.hpp"
#include "gihflow/model/parameters.hpp"

namespace GIHFLOW_API gihflow {

/// The window counts n(Z,e) and queries q of sequences (§4), from which the model's and GIH's
/// predictions follow at a cost that does not depend on L.
class WindowSample {
 public:
  /// Draws every sequence of `source` once, in parallel, counts it and forgets it. Throws
  /// InputError: vocabulary of source ≠ vocabulary of model, L ≤ W with masked boundary, windows
  /// too wide to be numbered.
  WindowSample(const Model& model, const SequenceSource& source);

  const Model& model() const { return model_; }
  Index chains() const { return static_cast<Index>(query_.size()); }  ///< N
  Index length() const { return length_; }                            ///< L

  /// k(Z,q) of (2.2) for every distinct window Z of every chain, in the order of the sample; p
  /// [subsets], w [H, M].
  std::vector<double> scores(std::span<const double> p, std::span<const double> w) const;
  /// y of (2.3) by (4.1) from scores and a; [N, d].
  std::vector<double> predict(std::span<const double> scores, double a) const;
  /// Loss (2.4), or with readout softmax its cross-entropy, at scores and a; nats.
  double loss(std::span<const double> scores, double a) const;
  /// ∂𝓛/∂a at scores and a.
  double loss_slope(std::span<const double> scores, double a) const;
  /// GIH(S) of (8.1), as gih_predict gives it position by position; [N, d]. Throws InputError for a
  /// lag outside [1, W].
  std::vector<double> gih(std::span<const Index> lags) const;

 private:
  Model model_;
  Index length_;
  std::vector<Index> window_begin_;    // [N + 1], windows of a chain
  std::vector<std::uint64_t> window_;  // distinct windows of each chain, numbered as in §4
  std::vector<double> count_;          // [windows, d] n(Z,e)
  std::vector<std::uint64_t> query_;   // [N]
  std::vector<double> targets_;        // [N, d] T
};

/// Where stage III comes to rest in finite context, (7.3): the smallest a* > 0 at which ∂𝓛/∂a turns
/// from negative to positive.
struct Plateau {
  double a = 0;          ///< NaN: the loss does not fall at a = 0, or falls up to a = 500
  double curvature = 0;  ///< ∂²𝓛/∂a² at a*, the rate of relaxation; NaN with a
  double loss = 0;       ///< nats; NaN with a
};
Plateau plateau(const WindowSample& sample, std::span<const double> p, std::span<const double> w);

/// Distances (8.2) of predictions y to the reference law g, both [N, d]; means over chains,
/// standard errors their standard deviation / √N (NaN at N = 1).
struct Distance {
  double total_variation = 0;  ///< ½ Σ_e |g − y|
  double total_variation_error = 0;
  double kl =
      0;  ///< Σ_e g log(g/ŷ), ŷ = (y + ε)/(1 + dε), nats; infinite where ŷ is 0 and g is not
  double kl_error = 0;
  double argmax_agreement = 0;  ///< share of chains whose sets of maximisers meet
};

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

/// Which parts keep a model from GIH(S): every combination of parts replaced by ideal ones,
/// smallest first. Selector: p = δ on the head subset that attends to S (none: as it is; with a
/// copier as well, the subset of |S| heads that attends to S best). Copier: the heads of the
/// leading subset on one lag of S each, the assignment with the largest attention; other heads as
/// they are. Classifier: the a that comes closest. Order: by number of parts, then as in names_of.
std::vector<Substitution> substitutions(const WindowSample& sample, const Parameters& parameters,
                                        std::span<const Index> lags);

/// The first substitution within the tolerance; all parts when none is.
Parts missing_parts(std::span<const Substitution> substitutions, double tolerance);

}  // namespace gihflow
