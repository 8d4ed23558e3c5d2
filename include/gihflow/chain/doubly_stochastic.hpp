#pragma once

#include <span>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/export.hpp"
#include "gihflow/chain/prior_family.hpp"

namespace GIHFLOW_API gihflow {

/// Columns sum to 1 as rows do (1.7): the matrix D₁AD₂ that scaling by diagonal D₁, D₂ (Sinkhorn
/// 1964) makes of a matrix A of independent Gamma(alpha) variates; n = 1. The stationary law is
/// uniform, so that Ĩ({r}) = I({r})/d for every chain (6.4).
struct DoublyStochastic {
  /// What is wrong with it.
  void check(const Prior& prior, ErrorList& errors) const;
  /// π of a chain into kernel [d, d].
  void draw(const Prior& prior, const ChainKey& chain, std::span<double> kernel) const;
  /// How rare small entries are: alpha, as in A, but 2·alpha for d = 2, where the two entries of a
  /// diagonal are small together.
  double small_entries(const Prior& prior) const;
  /// A bound from below on all entries.
  double least_probability(const Prior&) const { return 0.0; }
  friend bool operator==(const DoublyStochastic&, const DoublyStochastic&) = default;
};

/// Scales the matrix exp(log_a) [d, d], finite entries, to row and column sums 1, into `scaled`
/// [d, d]: minimises the convex function Σ_i log Σ_j a_ij e^{y_j} − Σ_j y_j by damped Newton steps.
/// Its Hessian is the Laplacian of the graph with weights (PᵀP)_jk, solved without subtractions,
/// and column sums are compared with 1 without cancellation, so that small entries come out with
/// small relative errors however nearly the matrix is a permutation.
void balance(std::span<const double> log_a, Index d, std::span<double> scaled);

}  // namespace gihflow
