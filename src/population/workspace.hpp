#pragma once

// The arrays of a block of chains, see segment.hpp.

#include "population/lanes.hpp"
#include "population/scalar.hpp"
#include "population/tile_batch.hpp"
#include "population/views.hpp"

namespace gihflow::GIHFLOW_ISA {

using hot::ModelView;

/// Hands out arrays of doubles from `base` on, or if that is null only counts their size.
struct Scratch {
  double* base;
  std::int64_t doubles = 0;

  /// Every array starts on a cache line.
  template <class T>
  T* take(std::int64_t n) {
    T* array = base == nullptr ? nullptr : reinterpret_cast<T*>(base + doubles);
    // NOLINTNEXTLINE(bugprone-sizeof-expression): T may be double itself
    doubles += (n * static_cast<std::int64_t>(sizeof(T) / sizeof(double)) + 7) / 8 * 8;
    return array;
  }
};

/// Arrays for one group at a time, and sums of the whole block.
template <class N>
struct Workspace {
  using S = typename N::S;
  using L = typename N::L;
  using V = typename N::V;
  S *p, *sigma;                  // the point: [subsets], [H, M]
  S* loss;                       // sum of the block: one number
  V *a_sum, *p_sum, *sigma_sum;  // ΣB·k, ΣB·κ_S [subsets], ∂/∂σ by windows [H, M]; lane by lane
  S* query_sigma_sum;            // ∂/∂σ by queries [H, M]
  S* u;                          // relative: u of the query [H, d+1]; last column 0
  V *u_bar, *query;              // ∂/∂u of the query; with a table its u; [H, d+1]
  V *t, *k;                      // [pairs/8, H] t_h; [pairs/8] k(Z,q)
  V* seen;                       // [pairs/8, H, d] with a table: u of the windows
  V* slope;                      // [pairs/8, H] derivative of the rectifier
  V* pulls;                      // [pairs/8, H] the segment's part of BlockTask::pulls
  S *x, *e;                      // [pairs] a·k, E(Z,q)
  L* b;                          // [pairs] Σ n·g of each lane, or Σ n·E·g in the shifted case
  V *kappa, *kappa_bar, *t_bar;  // [subsets] twice, [H]
  L *y, *g, *den;                // [tiles at once, d] twice, [tiles at once]
  TileBatch* batch;              // for tiles of eight chains
};

/// Tiles that go through each step of tiles() together: their readouts stay in the first-level
/// cache.
inline std::int64_t tiles_at_once(const ModelView& m) {
  return m.d < hot::most_tile_tokens ? hot::most_tile_tokens / m.d : 1;
}

/// For groups of at most `pairs` pairs, a multiple of the pack.
template <class N>
Workspace<N> layout(Scratch& scratch, const ModelView& m, std::int64_t pairs) {
  using S = typename N::S;
  using L = typename N::L;
  using V = typename N::V;
  Workspace<N> s;
  const std::int64_t sigmas = m.patterns * m.H * m.M, packs = pairs / hot::pack;
  s.p = scratch.template take<S>(m.subsets);
  s.sigma = scratch.template take<S>(sigmas);
  s.loss = scratch.template take<S>(1);
  s.a_sum = scratch.template take<V>(1);
  s.p_sum = scratch.template take<V>(m.subsets);
  s.sigma_sum = scratch.template take<V>(sigmas);
  s.query_sigma_sum = scratch.template take<S>(sigmas);
  s.u = scratch.template take<S>(m.H * (m.d + 1));
  s.u_bar = scratch.template take<V>(m.H * (m.d + 1));
  s.query = scratch.template take<V>(m.H * (m.d + 1));
  s.t = scratch.template take<V>(packs * m.H);
  s.slope = scratch.template take<V>(m.rectify ? packs * m.H : 0);
  s.seen = scratch.template take<V>(m.patterns == 0 ? packs * m.H * m.d : 0);
  s.pulls = nullptr;
  s.k = scratch.template take<V>(packs);
  s.x = scratch.template take<S>(pairs);
  s.e = scratch.template take<S>(pairs);
  s.b = scratch.template take<L>(pairs);
  s.kappa = scratch.template take<V>(m.subsets);
  s.kappa_bar = scratch.template take<V>(m.subsets);
  s.t_bar = scratch.template take<V>(m.H);
  const std::int64_t tiles = tiles_at_once(m);
  s.y = scratch.template take<L>(tiles * m.d);
  s.g = scratch.template take<L>(tiles * m.d);
  s.den = scratch.template take<L>(tiles);
  s.batch = scratch.template take<TileBatch>(N::lanes > 1 ? 1 : 0);
  return s;
}

template <class N>
std::int64_t scratch_size(const ModelView& m, std::int64_t pairs) {
  Scratch counting{nullptr};
  layout<N>(counting, m, pairs);
  return counting.doubles;
}

}  // namespace gihflow::GIHFLOW_ISA
