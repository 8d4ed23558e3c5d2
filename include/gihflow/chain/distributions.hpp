#pragma once

#include <span>

#include "gihflow/base/export.hpp"
#include "gihflow/base/random.hpp"

namespace GIHFLOW_API gihflow {

/// Standard normal variate (Box–Muller). Every call takes two uniforms; the second variate is
/// dropped.
double normal_variate(Stream& stream);

/// Logarithm of a Gamma(shape, 1) variate, shape > 0. In log space because Gamma(0.01) underflows
/// often. Marsaglia & Tsang 2000 for shape ≥ 1, and log G(shape+1) + log(U)/shape below.
double log_gamma_variate(Stream& stream, double shape);
/// As many of them, the same as one by one, in less time.
void log_gamma_variates(Stream& stream, double shape, std::span<double> variates);

/// One draw of Dirichlet(alpha·1_d) into `row` (d entries): log-gamma variates, normalised in log
/// space and clamped below at the smallest normal double. As alpha → 0 a row becomes a vertex of
/// the simplex, each with probability 1/d.
void dirichlet(Stream& stream, double alpha, std::span<double> row);
/// The rows [n, d] that dirichlet() draws from the stream one after the other, in less time.
void dirichlet_rows(Stream stream, double alpha, Index d, std::span<double> rows);

/// Largest |sum − 1| of given probabilities, see sums_to_one.
inline constexpr double sum_tolerance = 1e-9;
/// Whether `sum`, that of the d probabilities, is 1 within sum_tolerance. Probabilities that are
/// all representable in single or half precision may miss it by d·2⁻²⁴ or d·2⁻¹¹, their rounding.
bool sums_to_one(double sum, std::span<const double> probabilities);

/// Index drawn with the given probabilities (non-negative, sum 1 up to rounding) from one uniform:
/// the smallest k with u < p_0 + … + p_k; never an index of probability zero.
Index categorical(double uniform, std::span<const double> probabilities);

}  // namespace gihflow
