#pragma once

// The formulas that every engine on sufficient statistics shares: what lies between features and
// the kernel k, and between readout and loss. Templated on the number types.

#include "population/scalar.hpp"
#include "population/views.hpp"

namespace gihflow::GIHFLOW_ISA {

constexpr double smallest_normal = 0x1p-1022;

using hot::ModelView;

using hot::norm_guard;
using hot::widest_spread;

/// max(0, z) smoothed over the width δ (2.8), and its slope.
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

/// ℓ of every lane, and g(e) = (r(e) − r̄)·share, share = 1/den, with r(e) = ∂ℓ/∂y(e), formula
/// (4.2), of the lanes with readouts y [d]. Their labels' distributions stand in targets [d,
/// stride]. Without gradient g holds nothing.
template <class N>
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
    for (std::int64_t e = 0; e < m.d; ++e) {
      load(target, targets + e * stride);
      if (with_loss) loss = loss + target * (logarithm(total) - y[e]);
      if (!with_gradient) continue;
      L r = minus(mass * (g[e] / total), target);
      g[e] = r;
      mean = mean + r * y[e];
    }
  } else {
    double scale = 1.0 / (1.0 + static_cast<double>(m.d) * m.epsilon);
    for (std::int64_t e = 0; e < m.d; ++e) {
      load(target, targets + e * stride);
      L smoothed = y[e] + m.epsilon;
      // With ε = 0 a label that the context lacks costs ∞, but y(e) is 0 whatever the parameters
      // are and contributes nothing to the gradient. Nor does one whose weight underflows.
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
/// The same, with the sum over lanes.
template <class N>
GIHFLOW_HD typename N::S loss_of_tile(const ModelView& m, const typename N::L* y, typename N::L* g,
                                      const typename N::L& den, const double* targets,
                                      std::int64_t stride, bool with_loss,
                                      bool with_gradient = true) {
  typename N::L one;
  set(one, 1.0);
  return sum_lanes(
      losses_of_lanes<N>(m, y, g, one / den, targets, stride, with_loss, with_gradient));
}

}  // namespace gihflow::GIHFLOW_ISA
