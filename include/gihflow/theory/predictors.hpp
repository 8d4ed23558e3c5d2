#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "gihflow/chain/sequence.hpp"
#include "gihflow/model/model.hpp"

namespace gihflow {

/// GIH(S), formula (8.1): the law of the token after the context positions whose lags S match the
/// query's; the uniform average over the admitted positions when nothing matches. `lags` are the
/// elements of S (all ≤ W); tokens [L + 1] (the label in the last column is not read); admitted
/// positions as in (2.3) for `model`. Result y [d].
/// Partial boundary: a position where a lag of S does not exist matches nothing.
std::vector<double> gih_predict(std::span<const Token> tokens, const Model& model,
                                std::span<const Index> lags);

/// Posterior predictor (n_{z,e}+α)/(n_z+dα) of (1.4) from the tokens alone. Result [d].
std::vector<double> posterior_predict(std::span<const Token> tokens, Index vocabulary,
                                      std::span<const Index> parents, double alpha);

/// Lines that a trained model's loss is held against, on the same chains, in nats; standard errors
/// are standard deviations over chains / √N (NaN at N = 1).
struct Baselines {
  double gih_loss = 0, gih_loss_error = 0;  ///< −Σ T log((y+ε)/(1+dε)) with y from GIH(S)
  /// Cross-entropy −Σ T log T̂ of the posterior predictor; absent without a prior (given data).
  std::optional<double> posterior_loss, posterior_loss_error;
  double entropy_floor = 0, entropy_floor_error = 0;  ///< E[−Σ T log T], (8.3)
};

/// One pass over the chains of `source`, in parallel, deterministic. `alpha` empty: no posterior.
Baselines baselines(const SequenceSource& source, const Model& model, std::span<const Index> lags,
                    std::span<const Index> parents, std::optional<double> alpha);

}  // namespace gihflow
