#pragma once

#include <span>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/export.hpp"
#include "gihflow/chain/prior_family.hpp"

namespace GIHFLOW_API gihflow {

/// Doubly stochastic kernels (1.7), n = 1: rows and columns of D₁AD₂ sum to 1, with A a matrix of
/// independent Gamma(alpha) variates and D₁, D₂ diagonal (Sinkhorn 1964). The stationary law is
/// uniform, so that Ĩ({r}) = I({r})/d for every chain (6.4).
struct DoublyStochastic {
  /// Adds the faults of parents other than a single lag and of an alpha below 0.01.
  void check(const Prior& prior, ErrorList& errors) const;
  /// π of a chain into kernel [d, d].
  void draw(const Prior& prior, const ChainKey& chain, std::span<double> kernel) const;
  /// b, see gihflow::small_entries: alpha, as in A, but 2·alpha for d = 2, where the two entries of
  /// a diagonal are small together.
  double small_entries(const Prior& prior) const;
  /// Lower bound on all entries: 0.
  double least_probability(const Prior&) const { return 0.0; }
  friend bool operator==(const DoublyStochastic&, const DoublyStochastic&) = default;
};

/// Scales the matrix exp(log_a) [d, d], log_a finite, to row and column sums 1 and writes it into
/// `scaled` [d, d]. Minimises the convex function Σ_i log Σ_j a_ij e^{y_j} − Σ_j y_j by damped
/// Newton steps. Its Hessian is the Laplacian of the graph with weights (PᵀP)_jk, solved without
/// subtractions, and column sums are compared with 1 without cancellation, so that small entries
/// come out with small relative errors even if the matrix is nearly a permutation.
void balance(std::span<const double> log_a, Index d, std::span<double> scaled);

}  // namespace gihflow
