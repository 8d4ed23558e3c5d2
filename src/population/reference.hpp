#pragma once

// The reference objective: position by position straight from (2.1)–(2.4), slow and obvious, kept
// for ever as the oracle of every engine. Templated on the scalar, so that automatic
// differentiation of the same lines gives its derivatives. Shares no arithmetic with the engines.

#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "gihflow/base/types.hpp"
#include "gihflow/model/model.hpp"

namespace gihflow::reference {

/// v_l^{(h)} of (2.1), [d], for position l (1-based) of tokens x_1 …; with partial boundaries the
/// softmax runs over the lags that exist at l, and v = 0 if none does.
template <class T>
std::vector<T> head_output(const Model& model, std::span<const Token> tokens, Index l, Index head,
                           std::span<const T> w) {
  using std::exp;
  using std::sqrt;
  std::vector<T> v(static_cast<std::size_t>(model.vocabulary), T(0.0));
  const T* logits = w.data() + head * model.window;
  std::vector<Index> existing;
  for (Index i = 0; i < model.window; ++i)
    if (l - model.lag(head, i) >= 1) existing.push_back(i);
  if (existing.empty()) return v;
  T top = logits[existing[0]];
  for (Index i : existing)
    if (logits[i] > top) top = logits[i];
  T total(0.0);
  for (Index i : existing) total += exp(logits[i] - top);
  for (Index i : existing) {
    Token x = tokens[static_cast<std::size_t>(l - model.lag(head, i) - 1)];
    v[x] += exp(logits[i] - top) / total;
  }
  if (model.head_normalization == HeadNormalization::l2) {
    T squares(0.0);
    for (const T& x : v) squares += x * x;
    T norm = sqrt(squares) + 1e-7;
    for (T& x : v) x /= norm;
  }
  return v;
}

/// k(l, l') of (2.2) from the heads' outputs [H][d] at the two positions.
template <class T>
T feature_kernel(const std::vector<std::uint32_t>& subsets, std::span<const T> p,
                 const std::vector<std::vector<T>>& v, const std::vector<std::vector<T>>& u) {
  T k(0.0);
  for (std::size_t s = 0; s < subsets.size(); ++s) {
    T product(1.0);
    for (std::size_t h = 0; h < v.size(); ++h) {
      if (!(subsets[s] >> h & 1)) continue;
      T inner(0.0);
      for (std::size_t e = 0; e < v[h].size(); ++e) inner += v[h][e] * u[h][e];
      product *= inner;
    }
    k += p[s] * product;
  }
  return k;
}

/// Loss of one sequence, nats: tokens [L + 1] (the label is not read), targets T [d].
template <class T>
T chain_loss(const Model& model, const std::vector<std::uint32_t>& subsets,
             std::span<const Token> tokens, std::span<const double> targets, std::span<const T> p,
             std::span<const T> w, const T& a) {
  using std::exp;
  using std::log;
  const Index length = static_cast<Index>(tokens.size()) - 1;
  const auto d = static_cast<std::size_t>(model.vocabulary);
  auto heads_at = [&](Index l) {
    std::vector<std::vector<T>> v;
    for (Index h = 0; h < model.heads; ++h) v.push_back(head_output<T>(model, tokens, l, h, w));
    return v;
  };
  auto query = heads_at(length + 1);
  Index first = model.boundary == Boundary::masked ? model.widest() + 1 : 1;
  std::vector<T> scores;
  for (Index l = first; l <= length; ++l)
    scores.push_back(a * feature_kernel<T>(subsets, p, heads_at(l), query));
  T top = scores[0];
  for (const T& score : scores)
    if (score > top) top = score;
  T total(0.0);
  std::vector<T> y(d, T(0.0));
  for (Index l = first; l <= length; ++l) {
    T weight = exp(scores[static_cast<std::size_t>(l - first)] - top);
    total += weight;
    y[tokens[static_cast<std::size_t>(l - 1)]] += weight;
  }
  for (T& x : y) x /= total;
  T loss(0.0);
  if (model.readout == Readout::log) {
    for (std::size_t e = 0; e < d; ++e)
      if (targets[e] > 0.0) {
        const T smoothed = y[e] + model.epsilon;
        // With ε = 0 a label without weight, or with one that underflows, costs ∞ and moves
        // nothing.
        loss -=
            smoothed > T(std::numeric_limits<double>::min())
                ? targets[e] *
                      log(smoothed / (1.0 + static_cast<double>(model.vocabulary) * model.epsilon))
                : T(-std::numeric_limits<double>::infinity());
      }
  } else {
    T normalizer(0.0);
    for (const T& x : y) normalizer += exp(x);
    for (std::size_t e = 0; e < d; ++e) loss -= targets[e] * (y[e] - log(normalizer));
  }
  return loss;
}

}  // namespace gihflow::reference
