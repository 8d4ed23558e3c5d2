#pragma once

#include <span>
#include <string>
#include <vector>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/export.hpp"
#include "gihflow/model/blocks.hpp"
#include "gihflow/model/model.hpp"

namespace GIHFLOW_API gihflow {

/// Parameters of a model: c and the plain blocks. The coefficients are kept as θ_S = log c_S² and a
/// sign, since c underflows in long runs and θ does not, formula (3.3).
struct Parameters : PlainBlocks {
  Index window = 0;                   ///< M
  Index heads = 0;                    ///< H
  Index degree = 0;                   ///< D
  std::vector<double> log_c_squared;  ///< θ [subsets]; −∞ where c_S = 0
  std::vector<int> c_sign;            ///< −1, 0 or +1 [subsets]

  /// d if a block has an axis of tokens (query, key, value, gain or bias), else 0.
  Index vocabulary() const;
  /// c_S = sign·exp(θ_S/2) [subsets]; 0 where that underflows.
  std::vector<double> c() const;
  /// Sets θ and signs from c.
  void set_c(std::span<const double> c);
  /// p_S = c_S²/C_D of (2.2), as softmax(θ) [subsets].
  std::vector<double> p() const;
  /// log C_D = logsumexp(θ).
  double log_normalizer() const;
  /// σ^{(h)} = softmax(w^{(h)}) [H, M], over the full window, (2.1); 0 where a logit is −∞: a lag
  /// that the head does not have.
  std::vector<double> attention() const;

  // Conserved by the flow (3.8); empty if the model does not have the matrices.
  /// Q_hᵀQ_h − K_hᵀK_h [H, d, d].
  std::vector<double> balancedness() const;
  /// 1ᵀK_h, sums over tokens [H, d].
  std::vector<double> key_sum() const;
  /// V_h·1, row sums [H, d]; conserved where layer norm removes the mean.
  std::vector<double> value_sum() const;

  bool operator==(const Parameters&) const = default;
};

/// The initial point of theory §2: w is `w_own` on head h's own lag h (with head_lags the h-th of
/// its list, or the last of a shorter one) and `w_other` on its other lags, every c_S = c, a = a;
/// Q_h = K_h = query_key·1, V_h = value·1, γ = 1 and β = 0 (2.9).
struct InitialPoint {
  double w_own = 3.0;
  double w_other = 0.01;
  double c = 0.01;
  double a = 0.01;
  double query_key = 0.001;
  double value = 0.001;

  bool operator==(const InitialPoint&) const = default;
};

/// Throws InputError if a head's own lag lies outside its window: shared windows with H > M.
Parameters initial_parameters(const Model& model, const InitialPoint& point);

/// Faults of given parameters, called `name` in messages: values that are not finite, all
/// coefficients zero (2.2). A logit of the first attention may be −∞, attention 0.
ErrorList value_errors(const Parameters& parameters, const std::string& name);

/// The same and wrong sizes for a model; logits must be −∞ where the model's head has no lag, and
/// finite elsewhere.
ErrorList parameter_errors(const Parameters& parameters, const Model& model,
                           const std::string& name);

/// softmax of θ, −∞ entries allowed, but not all of them.
std::vector<double> softmax(std::span<const double> theta);
/// log Σ exp θ_i; −∞ entries allowed, −∞ for all of them or none at all.
double logsumexp(std::span<const double> theta);

}  // namespace gihflow
