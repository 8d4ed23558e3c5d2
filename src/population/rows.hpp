#pragma once

// Losses and derivatives of single chains, for standard errors.

#include <cstdint>

#include "population/views.hpp"

namespace gihflow::hot {

/// Tiles of eight chains that share a query window, features being relative. A chain's sums a, p,
/// sigma (see partial_a) are linear in its counts times its g(e), so the pairs' share of every
/// number of a row is computed once for all chains.
struct RowTask {
  const ModelView* model;
  const StatisticsView* statistics;
  const PointView* point;
  Segment segment;
  std::int64_t width;       ///< of a row: its loss and the derivatives
  const double* from_sums;  ///< [width − 1, sums] derivatives from a chain's sums without its loss
  const std::int64_t* slot_begin;  ///< [tiles · 8 + 1] first of `chains` in each lane
  const std::int64_t* chains;      ///< those of each lane
  const double* targets;           ///< [all chains, d] T
  double* rows;                    ///< [all chains, width] is written
  double* scratch;                 ///< as many numbers as RowFunctions::scratch says, aligned
};

/// Of one instruction set.
struct RowFunctions {
  /// [count bytes: 1, 2, 4]. False, and nothing is written, where every chain needs its own shift.
  bool (*run[3])(const RowTask&);
  std::int64_t (*scratch)(const ModelView&, std::int64_t pairs, std::int64_t width);
};

}  // namespace gihflow::hot
