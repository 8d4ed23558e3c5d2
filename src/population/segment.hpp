#pragma once

// Loss and gradient of the chains that share a query window, formulas (4.1)–(4.5), as one pass:
// features of the window pairs, forward over the tiles of counts, backward over the same tiles,
// backward through the pairs. Templated on the model's features and on the number types, so that
// the same lines serve every model, one chain or eight at a time, values or dual numbers.

#include <type_traits>

#include "population/features_relative.hpp"
#include "population/features_table.hpp"

namespace gihflow::GIHFLOW_ISA {

/// Up to this many packs, an array of a pack of pairs (κ_S, its derivative, ∂/∂t_h) is a local
/// variable, which the compiler can keep in registers; a longer one stands in the workspace.
constexpr std::int64_t few = 8;

/// Writes t_h(Z,q), k(Z,q) and a·k(Z,q) of the group's pairs, which begin at `first`, to s.t, s.k
/// and s.x, formula (2.2); top and bottom become the largest and the smallest a·k.
template <template <class> class Features, class N>
void pair_features(const BlockTask& task, Workspace<N>& s, std::int64_t first, std::int64_t pairs,
                   const typename N::S& a, double& top, double& bottom) {
  using V = typename N::V;
  const ModelView& m = *task.model;
  V scale, p, some[few];
  V* const kappa = m.subsets <= few ? some : s.kappa;
  Pack highest, lowest;  // largest a·k and largest −a·k
  spread(scale, a);
  set(highest, -__builtin_huge_val());
  set(lowest, -__builtin_huge_val());
  for (std::int64_t j = 0; j < pairs; j += hot::pack) {
    V* t = s.t + j / hot::pack * m.H;
    Features<N>::inner_products(task, s, first, j, t);
    if (m.rectify)
      for (std::int64_t h = 0; h < m.H; ++h)
        t[h] = rectified(m, t[h], s.slope[j / hot::pack * m.H + h]);
    products(m, t, kappa);
    V k;
    set(k, 0.0);
    for (std::int64_t i = 0; i < m.subsets; ++i) {
      spread(p, s.p[i]);
      k = k + p * kappa[i];
    }
    s.k[j / hot::pack] = k;
    const V x = scale * k;
    store_lanes(x, s.x + j);
    highest = maximum(value(x), highest);  // skips NaN, which reaches the result through s.x
    lowest = maximum(value(x) * -1.0, lowest);
  }
  top = largest_lane(highest);
  bottom = -largest_lane(lowest);
}

/// e[j] = e^{x[j] − shift}, values first, so that the compiler uses the vector version of exp().
inline void exponentials(const double* x, double shift, double* e, std::int64_t n) {
  for (std::int64_t j = 0; j < n; ++j) e[j] = exp(x[j] - shift);
}
inline void exponentials(const Dual<double>* x, double shift, Dual<double>* e, std::int64_t n) {
  for (std::int64_t j = 0; j < n; ++j) e[j].v = exp(x[j].v - shift);
  for (std::int64_t j = 0; j < n; ++j) e[j].d = e[j].v * x[j].d;
}

/// The sums Σ n·E of every list of entries of tiles [first, end) into y [tiles, d]; and from g
/// [tiles, d] to b.
template <class N, class Count>
[[gnu::always_inline]] inline void sums_of_tiles(const ModelView& m, const StatisticsView& v,
                                                 std::int64_t first, std::int64_t end,
                                                 const typename N::S* e, typename N::L* y) {
  for (std::int64_t tile = first; tile < end; ++tile) {
    const Chains<N, Count, false> chains(m, v, tile, e);
    for (std::int64_t token = 0; token < m.d; ++token) *y++ = chains.sum(token);
  }
}
template <class N, class Count>
[[gnu::always_inline]] inline void back_of_tiles(const ModelView& m, const StatisticsView& v,
                                                 std::int64_t first, std::int64_t end,
                                                 const typename N::L* g, typename N::L* b) {
  for (std::int64_t tile = first; tile < end; ++tile, g += m.d)
    Chains<N, Count, false>(m, v, tile, nullptr)
        .back(m, g, [&](std::uint32_t z, const typename N::L& x) { b[z] = b[z] + x; });
}

/// The same as functions of their own. Inlined, their branches moved whenever code beside them
/// changed, and for lists of some ten entries that took up to a tenth of the time.
template <class Count>
[[gnu::noinline]] void sums_apart(std::int64_t d, const StatisticsView& v, std::int64_t first,
                                  std::int64_t end, const double* e, Pack* y) {
  ModelView m{};
  m.d = d;
  sums_of_tiles<PlainPack, Count>(m, v, first, end, e, y);
}
template <class Count>
[[gnu::noinline]] void back_apart(std::int64_t d, const StatisticsView& v, std::int64_t first,
                                  std::int64_t end, const Pack* g, Pack* b) {
  ModelView m{};
  m.d = d;
  back_of_tiles<PlainPack, Count>(m, v, first, end, g, b);
}

/// Forward and backward over the tiles of a segment: adds the loss to s.loss and, with gradient,
/// Σ_e n(Z,e) g(e) of each pair and lane to s.b [pairs]. Each step runs over several tiles before
/// the next one begins, so that divisions and logarithms of different tiles overlap. Where
/// StatisticsView::batches says so, the sums over entries run over the list of a TileBatch.
template <class N, class Count>
void tiles(const BlockTask& task, Workspace<N>& s, const Segment& segment) {
  using L = typename N::L;
  const ModelView& m = *task.model;
  const StatisticsView& v = *task.statistics;
  constexpr bool plain_packs = std::is_same_v<N, PlainPack>;
  const std::int64_t at_once = tiles_at_once(m);
  std::int64_t end = 0;
  for (std::int64_t first = segment.tile_begin; first < segment.tile_end; first = end) {
    end = first + at_once < segment.tile_end ? first + at_once : segment.tile_end;
    bool batched = false;
    if constexpr (plain_packs) {
      if (v.batches) batched = s.batch->template forward<Count>(m.d, v, first, end, s.e, s.y, s.g);
      if (!batched) sums_apart<Count>(m.d, v, first, end, s.e, s.y);
    } else {
      sums_of_tiles<N, Count>(m, v, first, end, s.e, s.y);
    }
    for (std::int64_t i = 0; i < end - first; ++i) {
      L sum;
      set(sum, 0.0);
      for (std::int64_t e = i * m.d; e < (i + 1) * m.d; ++e) {
        if (batched) s.y[e] = s.y[e] + s.g[e];
        sum = sum + s.y[e];
      }
      s.den[i] = sum;
    }
    for (std::int64_t i = 0; i < end - first; ++i)
      *s.loss = *s.loss + Chains<N, Count, false>(m, v, first + i, s.e)
                              .loss(m, s.y + i * m.d, s.g + i * m.d, L(s.den[i]), task.with_loss,
                                    task.with_gradient);
    if (!task.with_gradient) continue;
    if constexpr (plain_packs) {
      if (batched)
        s.batch->backward(v.entry_pair, s.g, s.b);
      else
        back_apart<Count>(m.d, v, first, end, s.g, s.b);
    } else {
      back_of_tiles<N, Count>(m, v, first, end, s.g, s.b);
    }
  }
}

/// The same with the exponents of each chain shifted by its own largest a·k; adds
/// Σ_e n(Z,e) E(Z,q) g(e) to s.b.
template <class N, class Count>
void tiles_shifted(const BlockTask& task, Workspace<N>& s, const Segment& segment) {
  const ModelView& m = *task.model;
  for (std::int64_t tile = segment.tile_begin; tile < segment.tile_end; ++tile) {
    const Chains<N, Count, true> chains(m, *task.statistics, tile, s.x);
    *s.loss = *s.loss + chains.readout(m, s.y, s.g, task.with_loss, task.with_gradient);
    if (!task.with_gradient) continue;
    chains.back(m, s.g, [&](std::uint32_t z, const typename N::L& x) { s.b[z] = s.b[z] + x; });
  }
}

/// From s.b, with the factor E(Z,q) already in it where it is `weighted`, to ΣB·k, ΣB·κ_S and the
/// derivatives in the inner products of features, formula (4.3).
template <template <class> class Features, class N>
void pairs_backward(const BlockTask& task, Workspace<N>& s, std::int64_t first, std::int64_t pairs,
                    const typename N::S& a, bool weighted) {
  using V = typename N::V;
  const ModelView& m = *task.model;
  V scale, p, some[3][few];
  V* const kappa = m.subsets <= few ? some[0] : s.kappa;
  V* const kappa_bar = m.subsets <= few ? some[1] : s.kappa_bar;
  V* const t_bar = m.H <= few ? some[2] : s.t_bar;
  spread(scale, a);
  for (std::int64_t j = 0; j < pairs; j += hot::pack) {
    V b;
    sum_lanes_of_eight(b, s.b + j);
    if (!weighted) {
      V e;
      load_lanes(e, s.e + j);
      b = b * e;
    }
    *s.a_sum = *s.a_sum + b * s.k[j / hot::pack];
    if (!task.with_weights) continue;
    const V* t = s.t + j / hot::pack * m.H;
    products(m, t, kappa);
    // kappa_bar = ∂(ΣB·k)/∂κ_S.
    for (std::int64_t i = 0; i < m.subsets; ++i) {
      spread(p, s.p[i]);
      s.p_sum[i] = s.p_sum[i] + b * kappa[i];
      kappa_bar[i] = b * p;
    }
    if (!task.with_features) continue;
    products_backward(m, t, kappa, kappa_bar, t_bar);
    for (std::int64_t h = 0; h < m.H; ++h) {
      V g = scale * t_bar[h];
      if (m.rectify) g = g * s.slope[j / hot::pack * m.H + h];
      Features<N>::pull(task, s, first, j, h, g);
    }
  }
}

/// One block: all its segments, whose sums are added to task.partial.
template <template <class> class Features, class N, class Count>
void block_of_any_model(const BlockTask& task) {
  const ModelView& m = *task.model;
  const StatisticsView& v = *task.statistics;
  Scratch scratch{task.scratch};
  Workspace<N> s = layout<N>(scratch, m, v.most_pairs);
  const std::int64_t sigmas = m.patterns * m.H * m.M;
  typename N::S a;
  fetch(a, &task.point->a, &task.point->a_along, 0);
  set(*s.loss, 0.0);
  set(*s.a_sum, 0.0);
  for (std::int64_t i = 0; i < m.subsets; ++i) {
    fetch(s.p[i], task.point->p, task.point->p_along, i);
    set(s.p_sum[i], 0.0);
  }
  for (std::int64_t i = 0; i < sigmas; ++i) {
    fetch(s.sigma[i], task.point->sigma, task.point->sigma_along, i);
    set(s.sigma_sum[i], 0.0);
    set(s.query_sigma_sum[i], 0.0);
  }
  for (std::int64_t number = task.first_segment; number < task.first_segment + task.segment_count;
       ++number) {
    const Segment& segment = task.segments[number - task.first_segment];
    const std::int64_t first = v.group_pairs[segment.group],
                       pairs = v.group_pairs[segment.group + 1] - first;
    if (v.segment_pairs != nullptr)
      s.pulls =
          reinterpret_cast<typename N::V*>(task.pulls) + v.segment_pairs[number] / hot::pack * m.H;
    double top = 0.0, bottom = 0.0;
    Features<N>::begin_group(task, s, segment.group, number);
    pair_features<Features>(task, s, first, pairs, a, top, bottom);
    if (task.with_gradient)
      for (std::int64_t j = 0; j < pairs; ++j) set(s.b[j], 0.0);
    // Where the spread is not finite, the unshifted path carries NaN to the result.
    const bool shifted = top - bottom > widest_spread && top - bottom < __builtin_huge_val();
    if (shifted) {
      tiles_shifted<N, Count>(task, s, segment);
    } else {
      exponentials(s.x, top, s.e, pairs);
      tiles<N, Count>(task, s, segment);
    }
    if (!task.with_gradient) continue;
    pairs_backward<Features>(task, s, first, pairs, a, shifted);
    if (task.with_features) Features<N>::end_group(task, s, segment.group, number);
  }
  Sums out{task.partial, 1, hot::partial_p + m.subsets + sigmas};
  out.add(hot::partial_loss, *s.loss);
  out.add(hot::partial_a, sum_lanes(*s.a_sum));
  for (std::int64_t i = 0; i < m.subsets; ++i) out.add(hot::partial_p + i, sum_lanes(s.p_sum[i]));
  for (std::int64_t i = 0; i < sigmas; ++i)
    out.add(hot::partial_p + m.subsets + i, s.query_sigma_sum[i] + sum_lanes(s.sigma_sum[i]));
}

/// The sizes of the paper's experiment, d = M = H = 3 and D = 2; parent and last as in ModelView.
struct PaperSizes {
  static constexpr std::int64_t size = 3, subsets = 7;
  static constexpr std::int32_t parent[subsets] = {-1, 0, 0, 0, 1, 1, 2},
                                last[subsets] = {-1, 0, 1, 2, 1, 2, 2};

  static bool are_those_of(const ModelView& m) {
    return m.d == size && m.M == size && m.H == size && m.subsets == subsets;
  }
};

/// block_of_any_model() compiled for the paper's sizes: every loop over heads, lags, tokens and
/// subsets is unrolled, and its sums stay in registers.
template <template <class> class Features, class N, class Count>
[[gnu::flatten]] void block_of_paper_sizes(const BlockTask& task) {
  ModelView m = *task.model;
  m.d = m.M = m.H = PaperSizes::size;
  m.subsets = PaperSizes::subsets;
  m.parent = PaperSizes::parent;
  m.last = PaperSizes::last;
  BlockTask same = task;
  same.model = &m;
  block_of_any_model<Features, N, Count>(same);
}

/// The function of a block, see BlockFunctions. Counts of one byte have a version for the paper's
/// sizes.
template <template <class> class Features, class N, class Count>
void run_block(const BlockTask& task) {
  if constexpr (sizeof(Count) == 1)
    if (PaperSizes::are_those_of(*task.model))
      return block_of_paper_sizes<Features, N, Count>(task);
  block_of_any_model<Features, N, Count>(task);
}

}  // namespace gihflow::GIHFLOW_ISA
