#pragma once

// The reference objective: position by position straight from (2.1)–(2.10), slow and obvious, with
// which every engine is compared. Templated on the scalar, so that automatic differentiation of the
// same lines gives its derivatives. Shares no arithmetic with the engines.

#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "gihflow/base/types.hpp"
#include "gihflow/model/model.hpp"
#include "gihflow/population/objective.hpp"

namespace gihflow::reference {

/// The parameters of a model, p free, in numbers of any type; arrays as in Point.
template <class T>
struct Values {
  std::vector<T> p, w;
  T a;
  std::vector<T> query = {}, key = {}, value = {}, gain = {}, bias = {};
};

/// The numbers of a point, each made(number, its component of the direction): p first, then the
/// arrays in the order of `plain_arrays`, in which automatic differentiation numbers its variables.
template <class Make>
auto values_of(const Point& at, const Point& along, Make make) {
  using T = decltype(make(0.0, 0.0));
  Values<T> out;
  const auto list = [&](const std::vector<double>& x, const std::vector<double>& dx) {
    std::vector<T> numbers;
    for (std::size_t i = 0; i < x.size(); ++i) numbers.push_back(make(x[i], dx[i]));
    return numbers;
  };
  out.p = list(at.p, along.p);
  out.w = list(at.w, along.w);
  out.a = make(at.a, along.a);
  out.query = list(at.query, along.query);
  out.key = list(at.key, along.key);
  out.value = list(at.value, along.value);
  out.gain = list(at.gain, along.gain);
  out.bias = list(at.bias, along.bias);
  return out;
}

/// u_l^{(h)} [d] of (2.1), (2.5)–(2.8) and (2.10) for position l (from 1 on) of tokens x_1 … x_L,
/// the query position L + 1 included, where the own token is unknown. The softmax runs over the
/// lags that exist at l, and v = 0 if there are none.
template <class T>
std::vector<T> head_output(const Model& model, std::span<const Token> tokens, Index l, Index head,
                           const Values<T>& x) {
  using std::exp;
  using std::sqrt;
  const auto d = static_cast<std::size_t>(model.vocabulary), h = static_cast<std::size_t>(head);
  const bool known = l <= static_cast<Index>(tokens.size());
  // (Q_h K_hᵀ)[own token, seen].
  const auto token_score = [&](Token seen) {
    T score(0.0);
    if (model.scores == Scores::tokens && known)
      for (std::size_t r = 0; r < d; ++r)
        score += x.query[(h * d + tokens[static_cast<std::size_t>(l - 1)]) * d + r] *
                 x.key[(h * d + seen) * d + r];
    return score;
  };
  std::vector<T> scores;
  std::vector<Index> seen;  // tokens; −1 for the unknown own one
  for (Index i = 0; i < model.window; ++i) {
    const Index lag = model.lag(head, i);
    if (lag == 0 || l - lag < 1) continue;
    const Token token = tokens[static_cast<std::size_t>(l - lag - 1)];
    scores.push_back(x.w[h * static_cast<std::size_t>(model.window) + static_cast<std::size_t>(i)] +
                     token_score(token));
    seen.push_back(token);
  }
  if (model.own_position) {
    const Token own = known ? tokens[static_cast<std::size_t>(l - 1)] : Token{0};
    scores.push_back(T(1e-6) + (known ? token_score(own) : T(0.0)));
    seen.push_back(known ? own : -1);
  }
  std::vector<T> v(d, T(0.0));
  if (!scores.empty()) {
    T top = scores[0], total(0.0);
    for (const T& score : scores)
      if (score > top) top = score;
    for (const T& score : scores) total += exp(score - top);
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (seen[i] < 0) continue;
      const T share = exp(scores[i] - top) / total;
      const auto token = static_cast<std::size_t>(seen[i]);
      if (model.values == HeadValues::identity)
        v[token] += share;
      else
        for (std::size_t e = 0; e < d; ++e) v[e] += share * x.value[(h * d + token) * d + e];
    }
  }
  if (model.head_normalization == HeadNormalization::l2) {
    T squares(0.0);
    for (const T& y : v) squares += y * y;
    T norm = sqrt(squares) + 1e-7;
    for (T& y : v) y /= norm;
  } else if (model.head_normalization == HeadNormalization::rms) {
    T squares(0.0);
    for (const T& y : v) squares += y * y / static_cast<double>(d);
    for (T& y : v) y /= sqrt(squares + 1e-5);
  } else if (model.head_normalization == HeadNormalization::layer) {
    T mean(0.0), variance(0.0);
    for (const T& y : v) mean += y / static_cast<double>(d);
    for (const T& y : v) variance += (y - mean) * (y - mean) / static_cast<double>(d);
    const T deviation = sqrt(variance + 1e-5);
    for (std::size_t e = 0; e < d; ++e) v[e] = x.gain[e] * ((v[e] - mean) / deviation) + x.bias[e];
  }
  return v;
}

/// max(0, z), smoothed over the model's width (2.8).
template <class T>
T rectified(const Model& model, const T& z) {
  using std::sqrt;
  if (!model.rectify) return z;
  const double width = model.rectify_width;
  if (width > 0.0) return 0.5 * (z + sqrt(z * z + width * width));
  return z > T(0.0) ? z : T(0.0);
}

/// k(l, l') of (2.2) from the heads' outputs [H][d] at the two positions.
template <class T>
T feature_kernel(const Model& model, const std::vector<std::uint32_t>& subsets,
                 const std::vector<T>& p, const std::vector<std::vector<T>>& v,
                 const std::vector<std::vector<T>>& u) {
  T k(0.0);
  for (std::size_t s = 0; s < subsets.size(); ++s) {
    T product(1.0);
    for (std::size_t h = 0; h < v.size(); ++h) {
      if (!(subsets[s] >> h & 1)) continue;
      T inner(0.0);
      for (std::size_t e = 0; e < v[h].size(); ++e) inner += v[h][e] * u[h][e];
      product *= rectified(model, inner);
    }
    k += p[s] * product;
  }
  return k;
}

/// Loss of one sequence, nats: tokens [L + 1] (the label is not read), targets T [d].
template <class T>
T chain_loss(const Model& model, const std::vector<std::uint32_t>& subsets,
             std::span<const Token> tokens, std::span<const double> targets, const Values<T>& at) {
  using std::exp;
  using std::log;
  const Index length = static_cast<Index>(tokens.size()) - 1;
  const std::span<const Token> context = tokens.first(static_cast<std::size_t>(length));
  const auto d = static_cast<std::size_t>(model.vocabulary);
  auto heads_at = [&](Index l) {
    std::vector<std::vector<T>> v;
    for (Index h = 0; h < model.heads; ++h) v.push_back(head_output<T>(model, context, l, h, at));
    return v;
  };
  auto query = heads_at(length + 1);
  Index first = model.boundary == Boundary::masked ? model.widest() + 1 : 1;
  std::vector<T> scores;
  for (Index l = first; l <= length; ++l)
    scores.push_back(at.a * feature_kernel<T>(model, subsets, at.p, heads_at(l), query));
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
        // With ε = 0 a label whose y(e) is 0, or underflows, costs ∞ and has no gradient.
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
