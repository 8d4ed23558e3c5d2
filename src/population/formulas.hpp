#pragma once

// The formulas that every engine on sufficient statistics shares: from products t_h to κ_S and
// back (4.3), and from counts to readout, loss and B, (4.1) and (4.2). Templated on the number
// types.

#include "population/scalar.hpp"
#include "population/views.hpp"

namespace gihflow::GIHFLOW_ISA {

constexpr double smallest_normal = 0x1p-1022;

using hot::ModelView;

using hot::norm_guard;
using hot::Segment;
using hot::StatisticsView;
using hot::widest_spread;

/// max(0, z), or with a width δ > 0 (z + √(z² + δ²))/2, formula (2.8); slope is its derivative.
template <class V>
V rectified(const ModelView& m, const V& z, V& slope) {
  V zero, one;
  set(zero, 0.0);
  set(one, 1.0);
  if (m.rectify_width > 0.0) {
    const V root = square_root(z * z + m.rectify_width * m.rectify_width);
    const V t = (z + root) * 0.5;
    slope = t / root;
    return t;
  }
  slope = where_positive(value(z), one, zero);
  return where_positive(value(z), z, zero);
}

/// The sums that one thread adds to, `stride` apart; that of the derivatives of sum i is number
/// half + i.
struct Sums {
  double* number;
  std::int64_t stride, half;

  GIHFLOW_HD void add(std::int64_t i, double x) { number[i * stride] += x; }
  GIHFLOW_HD void add(std::int64_t i, const Dual<double>& x) {
    add(i, x.v);
    add(half + i, x.d);
  }
};

/// κ_S = Π_{h∈S} t_h for all S, each from the subset without its last head.
template <class V>
GIHFLOW_HD void products(const ModelView& m, const V* t, V* kappa) {
  set(kappa[0], 1.0);
  for (std::int64_t i = 1; i < m.subsets; ++i) kappa[i] = kappa[m.parent[i]] * t[m.last[i]];
}

/// Reverse sweep through products(): from ∂/∂κ_S in kappa_bar, which it overwrites, to t_bar [H],
/// ∂/∂t_h.
template <class V>
GIHFLOW_HD void products_backward(const ModelView& m, const V* t, const V* kappa, V* kappa_bar,
                                  V* t_bar) {
  for (std::int64_t h = 0; h < m.H; ++h) set(t_bar[h], 0.0);
  for (std::int64_t i = m.subsets - 1; i > 0; --i) {
    const std::int64_t parent = m.parent[i], h = m.last[i];
    t_bar[h] = t_bar[h] + kappa_bar[i] * kappa[parent];
    kappa_bar[parent] = kappa_bar[parent] + kappa_bar[i] * t[h];
  }
}

/// Returns the loss ℓ (2.4) of every lane with the readout y [d], and writes to g [d]
/// g(e) = (r(e) − r̄)·share with r(e) = ∂ℓ/∂y(e) of (4.2) and share = 1/den. targets [d, stride]: T,
/// or the sum of T over chains that share a lane. Without loss 0 is returned, without gradient the
/// values in g have no meaning.
///
/// One division serves all tokens with `one_division`, for readout log with an ε whose d-th power
/// is far from the smallest number.
template <class N, bool one_division = false>
GIHFLOW_HD typename N::L losses_of_lanes(const ModelView& m, const typename N::L* y,
                                         typename N::L* g, const typename N::L& share,
                                         const double* targets, std::int64_t stride, bool with_loss,
                                         bool with_gradient = true) {
  using L = typename N::L;
  using C = typename N::C;
  L loss, mean, zero;
  set(loss, 0.0);
  set(mean, 0.0);
  set(zero, 0.0);
  C target;
  if (m.softmax) {
    L total;
    C mass;
    set(total, 0.0);
    set(mass, 0.0);
    for (std::int64_t e = 0; e < m.d; ++e) {
      g[e] = exponential(y[e]);  // 0 ≤ y ≤ 1: no shift needed
      total = total + g[e];
      load(target, targets + e * stride);
      mass = mass + target;
    }
    L log_total = zero;
    if (with_loss) log_total = logarithm(total);
    for (std::int64_t e = 0; e < m.d; ++e) {
      load(target, targets + e * stride);
      if (with_loss) loss = loss + target * (log_total - y[e]);
      if (!with_gradient) continue;
      L r = minus(mass * (g[e] / total), target);
      g[e] = r;
      mean = mean + r * y[e];
    }
  } else if (one_division) {
    const double scale = 1.0 / (1.0 + static_cast<double>(m.d) * m.epsilon);
    L product;
    set(product, 1.0);
    for (std::int64_t e = 0; e < m.d; ++e) {
      const L smoothed = y[e] + m.epsilon;
      load(target, targets + e * stride);
      if (with_loss) loss = loss - target * logarithm(smoothed * scale);
      g[e] = product;
      product = product * smoothed;
    }
    L rest;
    set(rest, 1.0);
    if (with_gradient) rest = rest / product;
    for (std::int64_t e = m.d - 1; with_gradient && e >= 0; --e) {
      load(target, targets + e * stride);
      const L r = zero - target * (rest * g[e]);
      rest = rest * (y[e] + m.epsilon);
      g[e] = r;
      mean = mean + r * y[e];
    }
  } else {
    double scale = 1.0 / (1.0 + static_cast<double>(m.d) * m.epsilon);
    for (std::int64_t e = 0; e < m.d; ++e) {
      load(target, targets + e * stride);
      L smoothed = y[e] + m.epsilon;
      // With ε = 0 a label that the context lacks costs ∞, but y(e) is 0 whatever the parameters
      // are and contributes nothing to the gradient. Nor does one whose y(e) underflows.
      smoothed = where_positive(value(smoothed) + -smallest_normal, smoothed, zero);
      if (with_loss)
        loss = loss - where_positive(target, target * logarithm(smoothed * scale), zero);
      if (!with_gradient) continue;
      L r = where_positive(value(smoothed), zero - quotient(target, smoothed), zero);
      g[e] = r;
      mean = mean + r * y[e];
    }
  }
  if (with_gradient)
    for (std::int64_t e = 0; e < m.d; ++e) g[e] = (g[e] - mean) * share;
  return loss;
}

/// The same from y(e) = Σ_Z n(Z,e) E(Z,q) and den = Σ_e y(e); y becomes the readout (4.1). Returns
/// the sum of ℓ over lanes.
template <class N>
GIHFLOW_HD typename N::S loss_of_sums(const ModelView& m, typename N::L* y, typename N::L* g,
                                      const typename N::L& den, const double* targets,
                                      std::int64_t stride, bool with_loss,
                                      bool with_gradient = true) {
  typename N::L share;
  set(share, 1.0);
  share = share / den;
  for (std::int64_t e = 0; e < m.d; ++e) y[e] = y[e] * share;
  return sum_lanes(losses_of_lanes<N>(m, y, g, share, targets, stride, with_loss, with_gradient));
}

/// N::lanes chains of a tile, on which one thread works: from their counts to loss and B, (4.1) and
/// (4.2). Shifted: each chain's exponents are shifted by its own largest a·k, which is necessary
/// where a·k spreads over more than widest_spread.
template <class N, class Count, bool Shifted>
struct Chains {
  using S = typename N::S;
  using L = typename N::L;
  using C = typename N::C;

  const std::int64_t* begin;  ///< [d + 1] first entry of each token
  const std::uint32_t* pair;  ///< [entries] pair, counted from the group's first
  const Count* count;         ///< [entries, stride]
  const double* targets;      ///< [d, stride]
  std::int64_t stride;        ///< chains of the tile
  const S* factor;            ///< [pairs of the group] E(Z,q), or a·k if Shifted
  C top;                      ///< largest a·k of each chain, if Shifted

  GIHFLOW_HD Chains(const ModelView& m, const StatisticsView& v, std::int64_t tile,
                    const S* factors, std::int64_t lanes = N::lanes, std::int64_t first_lane = 0)
      : begin(v.tile_entries + tile * m.d),
        pair(v.entry_pair),
        count(static_cast<const Count*>(v.entry_count) + first_lane),
        targets(v.targets + tile * m.d * lanes + first_lane),
        stride(lanes),
        factor(factors) {
    if constexpr (Shifted) {
      C lowest, height;
      set(lowest, -__builtin_huge_val());
      top = lowest;
      for (std::int64_t token = 0; token < m.d; ++token)
        visit<entries_forward, false>(token, [&](std::uint32_t z, const C& n) {
          set(height, value(factor[z]));
          top = maximum(top, where_positive(n, height, lowest));
        });
    }
  }

  /// Σ_Z n(Z,e) E(Z,q) of the token e.
  GIHFLOW_HD L sum(std::int64_t token) const {
    L here, other;
    set(here, 0.0);
    set(other, 0.0);
    visit<entries_forward, true>(token, [&](std::uint32_t, const L& x) {
      const L next = here + x;
      if constexpr (two_sums) here = other;
      (two_sums ? other : here) = next;
    });
    return two_sums ? here + other : here;
  }
  /// loss_of_sums() of these chains.
  GIHFLOW_HD S loss(const ModelView& m, L* y, L* g, const L& den, bool with_loss,
                    bool with_gradient = true) const {
    return loss_of_sums<N>(m, y, g, den, targets, stride, with_loss, with_gradient);
  }
  /// sum() of every token, then loss().
  GIHFLOW_HD S readout(const ModelView& m, L* y, L* g, bool with_loss,
                       bool with_gradient = true) const {
    L den;
    set(den, 0.0);
    for (std::int64_t e = 0; e < m.d; ++e) {
      y[e] = sum(e);
      den = den + y[e];
    }
    return loss(m, y, g, den, with_loss, with_gradient);
  }
  /// Calls add(pair, n·g(e)), or add(pair, n·E·g(e)) if Shifted, for every entry.
  template <class Add>
  GIHFLOW_HD void back(const ModelView& m, const L* g, const Add& add) const {
    for (std::int64_t e = 0; e < m.d; ++e) {
      const L slope = g[e];
      visit<entries_back, Shifted>(e,
                                   [&](std::uint32_t z, const auto& x) { add(z, L(x * slope)); });
    }
  }

 private:
  /// Calls use(pair, n), or use(pair, n·E) if Weighted, for the entries of a token; their counts
  /// are loaded Some at a time.
  template <int Some, bool Weighted, class Use>
  GIHFLOW_HD void visit(std::int64_t token, const Use& use) const {
    std::int64_t i = begin[token];
    const std::int64_t end = begin[token + 1];
    for (; i + Some <= end; i += Some) visit_some<Some, Weighted>(i, use);
    if constexpr (Some > 1) visit_rest<Some / 2, Weighted>(i, end, use);
  }
  template <int Some, bool Weighted, class Use>
  GIHFLOW_HD void visit_rest(std::int64_t i, std::int64_t end, const Use& use) const {
    if (i + Some <= end) {
      visit_some<Some, Weighted>(i, use);
      i += Some;
    }
    if constexpr (Some > 1) visit_rest<Some / 2, Weighted>(i, end, use);
  }
  /// Entries i … i + Some − 1.
  template <int Some, bool Weighted, class Use>
  GIHFLOW_HD void visit_some(std::int64_t i, const Use& use) const {
    C n[Some];
    std::uint32_t z[Some];
    for (int k = 0; k < Some; ++k) {
      z[k] = pair[i + k];
      load_counts(n[k], count + (i + k) * stride);
    }
    for (int k = 0; k < Some; ++k) {
      if constexpr (!Weighted) {
        use(z[k], n[k]);
      } else if constexpr (!Shifted) {
        use(z[k], L(n[k] * factor[z[k]]));
      } else {
        L height, zero;
        set(zero, 0.0);
        spread(height, factor[z[k]]);
        use(z[k], L(n[k] * where_positive(n[k], exponential(minus(height, top)), zero)));
      }
    }
  }
};

}  // namespace gihflow::GIHFLOW_ISA
