#pragma once

#include <span>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/chain/kernel.hpp"
#include "gihflow/population/objective.hpp"

namespace GIHFLOW_API gihflow {

/// Stationary laws of a token and of its context Z_S = (x_{l−s})_{s∈S} in each of N chains.
struct ContextLaws {
  Index vocabulary = 0;             ///< d
  Index contexts = 0;               ///< d^|S|
  Index chains = 0;                 ///< N
  std::vector<double> context;      ///< μ(z) [N, contexts]
  std::vector<double> token;        ///< μ(e) [N, d]
  std::vector<double> conditional;  ///< μ(e|z) [N, contexts, d]; 0 where μ(z) = 0
};

/// The laws for increasing lags S ≥ 1; contexts are numbered base d with the nearest lag the most
/// significant digit. Throws InputError as stationary_window_law does for windows one longer than
/// the longest lag of S and of the parents.
ContextLaws context_laws(const Kernels& kernels, std::span<const Index> lags);

/// ȧ of stage III in 1/flow time, formula (7.3): one-hot attention on S, p = δ_S, infinite context,
/// readout log. With m = μ(z), u = 1/(1 + (e^a − 1)m), y = (1−u)μ(·|z) + uμ(·): ȧ = E Σ_z m·u²e^a
/// m·Σ_e μ(e|z)(μ(e|z) − μ(e))/(y(e) + ε). At a = 0 it is G_ε(S), Ĩ(S) at ε = 0. Exact.
double sharpening_rate(const ContextLaws& laws, double a, double epsilon);

/// Flow time from a = `from` to a = `to` > from, ∫ da/ȧ; ∞ if ȧ ≤ 0 on the way. Relative error
/// below about 1e-8 except near a root of ȧ.
double sharpening_time(const ContextLaws& laws, double from, double to, double epsilon);

/// a after flow time t from a = `from`: the inverse of sharpening_time.
double sharpening_at(const ContextLaws& laws, double from, double t, double epsilon);

/// lim e^a ȧ as a → ∞ for ε > 0: ε E Σ_z Σ_e (μ(e) − μ(e|z))/(μ(e|z) + ε), formula (7.3), the sum
/// over z with μ(z) > 0. If it is positive a ≃ log(constant·t); if it is negative a stops.
double slow_growth_constant(const ContextLaws& laws, double epsilon);

/// κ = E Σ_z χ²(μ‖μ(·|z))/μ(z) = lim e^{2a} ȧ at ε = 0, formula (7.3). It exists for any finite set
/// of kernels; its expectation over the prior is finite only for α > 1 or with a floor. Then a ≃ ½
/// log(2κt).
double fast_growth_constant(const ContextLaws& laws);

/// e of ȧ ~ exp(−e·a) over a prior with P(π(e|z) < x) ~ x^b, b = `small_entries`, formula (7.3): 1
/// with ε > 0, else 1 + min(b, 1), up to slowly varying factors (logarithms if b is 1). This is 1 +
/// min(α, 1) for Dirichlet(α), 2 with a floor or for finitely many kernels without zeros, and 1 for
/// kernels with zeros.
double growth_exponent(double small_entries, double epsilon);

/// a* of a long finite context, formula (7.5), to leading order in 1/L: `positions` L admitted
/// positions, one-hot attention on S, p = δ_S, contexts that occur often, readout log. ∞ if ε > 0
/// and the context is so long that smoothing keeps a growing.
double long_context_plateau(const ContextLaws& laws, Index positions, double epsilon);

/// Rest point of stage III in finite context, (7.3): the smallest a* > 0 at which ∂𝓛/∂a changes
/// from negative to positive.
struct Plateau {
  double a = 0;          ///< NaN if the loss does not fall at a = 0, or falls up to a = 500
  double curvature = 0;  ///< ∂²𝓛/∂a² at a*, the rate of relaxation; NaN if a is
  double loss = 0;       ///< nats; NaN if a is
};

/// The plateau of the objective at a point, of which all but a is fixed.
Plateau plateau(const Objective& objective, Point at);

}  // namespace gihflow
