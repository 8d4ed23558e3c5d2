#pragma once

// Moments of losses and derivatives of single chains, for standard errors (5.2).

#include <cstdint>

#include "population/views.hpp"

namespace gihflow::hot {

/// A segment of tiles of eight lanes, with relative features. The chains of a lane have the same
/// (n, q) and differ in T alone, in which loss and derivatives are linear. So a lane computes them
/// once for each label e, as if T were one-hot at e; their moments over its chains then follow from
/// the first and second moments of T. Derivatives are also linear in n(Z,e)·g(e), with coefficients
/// that depend on the pair alone and are computed once for all chains of the segment.
struct MomentTask {
  const ModelView* model;
  const StatisticsView* statistics;
  const PointView* point;
  Segment segment;
  std::int64_t derivatives;
  /// [derivatives, sums] coefficients of a chain's sums a, p, sigma, in the order of partial_a.
  const double* from_sums;
  const std::int64_t* first_sum;  ///< [derivatives] coefficients before this one are 0
  const std::int64_t* end_sum;    ///< [derivatives] coefficients from this one on are 0
  /// Further derivatives, each minus the sum of M − 1 others: numbers of these [further, M − 1].
  std::int64_t further;
  const std::int64_t* others;
  const std::int64_t* lane_begin;  ///< [tiles · 8 + 1] where the chains of each lane begin
  /// [all chains] numbers of chains, lane after lane. In a lane of more than d + 1 chains the first
  /// d + 1 are −1 − i instead, for rows i of `condensed`: vectors with the same second moments as
  /// the (1, T) of all its chains.
  const std::int64_t* chains;
  const double* targets;    ///< T [all chains, d]
  const double* condensed;  ///< [rows, d + 1]
  double* mean;             ///< [1 + derivatives + further], the loss first
  double* squares;          ///< the same: Σ (x − mean)² over the segment's chains
  double* scratch;          ///< as many numbers as MomentFunctions::scratch says, 64-byte aligned
};

/// The functions for one instruction set.
struct MomentFunctions {
  /// [count bytes: 1, 2, 4]. Returns false, without writing mean and squares, where a·k spreads
  /// over more than widest_spread, so that each chain needs a shift of its own.
  bool (*run[3])(const MomentTask&);
  std::int64_t (*scratch)(const ModelView&, std::int64_t pairs, std::int64_t derivatives);
};

}  // namespace gihflow::hot
