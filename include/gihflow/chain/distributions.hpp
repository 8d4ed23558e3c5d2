#pragma once

#include <span>

#include "gihflow/base/export.hpp"
#include "gihflow/base/random.hpp"

namespace GIHFLOW_API gihflow {

/// Standard normal variate (Box–Muller; two uniforms a call, the second variate is dropped so that
/// every call uses the same number of draws).
double normal_variate(Stream& stream);

/// Logarithm of a Gamma(shape, 1) variate, shape > 0. In log space because Gamma(0.01) underflows
/// often. Marsaglia & Tsang 2000 for shape ≥ 1, and log G(shape+1) + log(U)/shape below.
double log_gamma_variate(Stream& stream, double shape);

/// One draw of Dirichlet(alpha·1_d) into `row` (d entries): log-gamma variates, normalised in log
/// space and clamped below at the smallest normal double. As alpha → 0 a row becomes a vertex of
/// the simplex, each with probability 1/d.
void dirichlet(Stream& stream, double alpha, std::span<double> row);

/// How far from 1 the sum of a law's probabilities may be.
inline constexpr double sum_tolerance = 1e-9;
/// Whether `sum`, that of the probabilities, is 1 within sum_tolerance, or as nearly as d numbers
/// of single or half precision can say it where all of them are such: within d·2⁻²⁴ or d·2⁻¹¹.
bool sums_to_one(double sum, std::span<const double> probabilities);

/// Index drawn with the given probabilities (non-negative, sum 1 up to rounding) from one uniform:
/// the smallest k with u < p_0 + … + p_k; never an index of probability zero.
Index categorical(double uniform, std::span<const double> probabilities);

}  // namespace gihflow
