#pragma once

// Moments of losses and derivatives of single chains, for standard errors.

#include <cstdint>

#include "population/views.hpp"

namespace gihflow::hot {

/// Tiles of eight chains that share a query window, features being relative. A chain's loss and
/// derivatives are linear in its T, so that a lane whose chains are alike in (n, q) needs what each
/// label alone would give, and of its chains' T the moments. Derivatives are linear in counts times
/// g(e), so the pairs' share of each is computed once for all chains.
struct MomentTask {
  const ModelView* model;
  const StatisticsView* statistics;
  const PointView* point;
  Segment segment;
  std::int64_t derivatives;
  const double* from_sums;  ///< [derivatives, sums] from a chain's sums a, p, sigma (see partial_a)
  const std::int64_t* first_sum;  ///< [derivatives] those before add nothing to it
  const std::int64_t* end_sum;    ///< [derivatives] nor those from here on
  /// Further derivatives, each the negative sum of M − 1 others [further, M − 1].
  std::int64_t further;
  const std::int64_t* others;
  const std::int64_t* lane_begin;  ///< [tiles · 8 + 1] first chain of each lane among those of all
  /// Whose T each has [all chains, d], or −1 − i for (1, T) with the number i of `condensed`
  /// [.., d + 1]: where a lane has more than d + 1 chains, its first d + 1 have the second moments
  /// of all of them.
  const std::int64_t* chains;
  const double* targets;
  const double* condensed;
  double* mean;     ///< [1 + derivatives + further], the loss first
  double* squares;  ///< the same: Σ (x − mean)² over the segment's chains
  double* scratch;  ///< as many numbers as MomentFunctions::scratch says, aligned
};

/// Of one instruction set.
struct MomentFunctions {
  /// [count bytes: 1, 2, 4]. False, and nothing is written, where every chain needs its own shift.
  bool (*run[3])(const MomentTask&);
  std::int64_t (*scratch)(const ModelView&, std::int64_t pairs, std::int64_t derivatives);
};

}  // namespace gihflow::hot
