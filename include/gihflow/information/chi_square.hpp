#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/chain/kernel.hpp"

namespace GIHFLOW_API gihflow {

/// A set of lags as text, "{1,2}"; "{}" without any.
std::string set_of_lags(std::span<const Index> lags);

/// Chi-square mutual information between the next token e and the tokens at a set S of lags, and
/// its modified form (Chen et al. 2024, arXiv:2409.10559).
struct ChiSquare {
  /// Σ_Z μ(Z)·χ²(Z), χ²(Z) = Σ_e μ(e|Z)²/μ(e) − 1: the term of one chain in (6.1).
  double standard = 0.0;
  double modified = 0.0;  ///< Σ_Z μ(Z)²·χ²(Z): the term of one chain in (6.2)
};

/// Both informations of one chain with kernel π [dⁿ, d] for every S ⊆ {1 … window}, |S| ≤ degree,
/// in the order of subsets(); dimensionless. Any lag of the window may be in S, parent or not.
/// Marginals of the stationary law of window+1 consecutive tokens, the oldest lag summed out first.
/// 0/0 at μ(Z_S) = 0 or μ(e) = 0 counts as 0. Computed as Σ (μ(e|Z) − μ(e))(μ(Z|e) − μ(Z)), which
/// does not cancel against the −1 and never overflows. Throws InputError: window < 1, degree < 0,
/// and as stationary_window_law does.
std::vector<ChiSquare> chi_square_information(std::span<const double> kernel, Index vocabulary,
                                              std::span<const Index> parents, Index window,
                                              Index degree);

/// (6.1) and (6.2) of one set of lags, the mean over chains. Errors are standard deviations over
/// chains / √N, NaN for one chain.
struct RankedSet {
  std::uint32_t lags = 0;           ///< bit s−1 stands for the s-th of the ranked lags
  std::vector<Index> members = {};  ///< the lags of the set, increasing
  double chi_square = 0.0, chi_square_error = 0.0;  ///< I(S)
  double modified = 0.0, modified_error = 0.0;      ///< Ĩ(S)
};

/// All sets of lags with I and Ĩ, their order, and the information set and gap of (6.3).
struct Ranking {
  Index vocabulary = 0;
  Index chains = 0;
  std::vector<RankedSet> sets;           ///< in the order of subsets()
  std::vector<std::size_t> by_modified;  ///< indices of sets, Ĩ decreasing; ties as in subsets()
  std::vector<std::size_t> by_chi_square;
  double gap = 0.0;        ///< Ĩ(S*) − max_{S≠S*} Ĩ(S); NaN if there is only one set
  double gap_error = 0.0;  ///< standard error of Ĩ_π(S*) − Ĩ_π(runner-up) over chains
  double gap_z = 0.0;      ///< gap / gap_error; NaN unless gap_error > 0

  /// S*, the set of the largest Ĩ.
  const RankedSet& information_set() const { return sets[by_modified.front()]; }
  /// Rank of every set by a member of RankedSet, in the order of `sets`: 1 plus the number of sets
  /// with a larger value. Values that agree to a relative 1e-9 share a rank; sets that differ by a
  /// lag beyond all parents often do.
  std::vector<std::size_t> places(double RankedSet::*measure) const;
  /// d^|S|·Ĩ(S)/I(S) of one of its sets: 1 if the windows Z_S are equally likely (6.4); NaN unless
  /// I(S) > 0.
  double uniformity(const RankedSet& set) const;
};

/// Ranks every S ⊆ {1 … window}, |S| ≤ degree, over the chains of `kernels`, in parallel; the same
/// bits for any number of threads. Throws InputError: kernels that validate() refuses, window < 1,
/// degree < 0, more than 2^24 sets, a chain with more than one closed class, more memory than
/// memory_limit().
Ranking rank_lag_sets(const Kernels& kernels, Index window, Index degree);
/// The same for sets of the given lags, increasing and at least 1, such as Model::used_lags().
Ranking rank_lag_sets(const Kernels& kernels, std::span<const Index> lags, Index degree);

/// Upper bound in bytes of what rank_lag_sets() takes beside the kernels, on the threads of the
/// Context. longest_lag: r_n.
double ranking_memory(Index vocabulary, Index longest_lag, Index chains, Index window,
                      Index degree);

}  // namespace gihflow
