#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/chain/sequence.hpp"
#include "gihflow/model/model.hpp"

namespace GIHFLOW_API gihflow {

/// The generalised induction head GIH(S) (Chen et al. 2024, arXiv:2409.10559), formula (8.1): the
/// law of the token after the context positions whose lags S match the query's; the uniform average
/// over the admitted positions when nothing matches. `lags` are the elements of S (all ≤ W); tokens
/// [L + 1] (the label in the last column is not read); admitted positions as in (2.3) for `model`:
/// W < l ≤ L with masked boundary, 1 … L with partial. Result y [d]. Partial boundary: a position
/// where a lag of S does not exist matches nothing, and nothing matches a query where one does not.
/// S = {} matches everything. Cost O(L·|S|). Throws InputError: a lag outside [1, W]; L < 1, or L ≤
/// W with masked boundary.
std::vector<double> gih_predict(std::span<const Token> tokens, const Model& model,
                                std::span<const Index> lags);

/// Loss in nats and accuracy (8.4) of a predictor, with standard errors over chains.
struct PredictorLine {
  std::optional<double> loss, loss_error, accuracy, accuracy_error;
};

/// Losses in nats and accuracies of reference predictors on given chains; standard errors are
/// standard deviations over chains / √N (NaN at N = 1 and for an infinite mean).
struct Baselines {
  /// −Σ T log((y+ε)/(1+dε)) with y from GIH(S); −Σ T log softmax(y) with readout softmax. Infinite
  /// if ε = 0 and y(e) = 0 for a token with T(e) > 0.
  double gih_loss = 0, gih_loss_error = 0;
  /// Cross-entropy −Σ T log T̂ of the posterior predictor, see SequenceSource::posterior_law;
  /// absent if no posterior is known (given data or kernels, most families of priors).
  std::optional<double> posterior_loss, posterior_loss_error;
  /// (8.3): the Bayes loss E[−Σ T log T] with T the posterior if the source knows it exactly; else
  /// the looser E[−Σ π log π] if it knows the kernels; else E[−Σ T log T] of the given targets.
  double entropy_floor = 0, entropy_floor_error = 0;
  /// Accuracies (8.4) of GIH(S), of the posterior predictor, and of the law whose entropy is the
  /// floor; absent in files of older programs.
  std::optional<double> gih_accuracy, gih_accuracy_error;
  std::optional<double> posterior_accuracy, posterior_accuracy_error;
  std::optional<double> best_accuracy, best_accuracy_error;
  /// Predictors that count in the context: GIH({}), GIH({1}), and GIH({1, …, r}) up to the largest
  /// lag r of S, read out as the model is.
  PredictorLine unigram, bigram, ngram;
};

/// Loss and accuracy of predictions y [N, d] of (2.3), read out by the model (2.4), against label
/// laws [N, d].
PredictorLine predictor_line(std::span<const double> predictions, std::span<const double> targets,
                             const Model& model);

/// Reference losses on the chains of `source`, in one parallel pass; the same bits for any number
/// of threads. `lags`: the set S of GIH(S). Throws InputError as gih_predict does, and if the
/// vocabulary is not the model's.
Baselines baselines(const SequenceSource& source, const Model& model, std::span<const Index> lags);

/// The same in infinite context, exact for each chain: GIH(S) is then μ^π(e|Z_S) and the floor is
/// E[−Σ π log π]; there is no posterior loss. Throws InputError: a lag outside [1, W], a vocabulary
/// that is not the model's, and as stationary_window_law does.
Baselines baselines(const Kernels& kernels, const Model& model, std::span<const Index> lags);

}  // namespace gihflow
