// Compiled once for every instruction set, with GIHFLOW_ISA naming the set. Features u of windows
// from the parameters, (2.1), (2.5)–(2.8), (2.10), and back, eight windows and one head at a time;
// and the sums over pairs that the way back begins with.

#include <type_traits>

#include "population/scalar.hpp"
#include "population/workspace.hpp"

namespace gihflow::GIHFLOW_ISA {

namespace {

using hot::FeatureModel;
using hot::FeatureTask;
using std::int64_t;

template <class V>
using SharedOf = std::conditional_t<std::is_same_v<V, Pack>, double, Dual<double>>;

template <class V>
const SharedOf<V>* shared(const double* from) {
  return reinterpret_cast<const SharedOf<V>*>(from);
}

/// mask·x, a constant 0 or 1 for each lane.
inline Pack masked(const Pack& mask, const Pack& x) {
  return mask * x;
}
inline Dual<Pack> masked(const Pack& mask, const Dual<Pack>& x) {
  return mask * x;
}

/// The arrays of one head for eight windows.
template <class V>
struct Head {
  std::uint16_t* token;  ///< [M + 1, 8] token at the lag of each component, d: none
  std::uint32_t* score;  ///< [M + 1, 8] its entry of the token scores
  Pack* exists;          ///< [M + 1] 1 where the lag exists, else 0
  V *sigma, *mass;       ///< [M + 1] attention on components, [d + 1] on tokens
  V *v, *u;              ///< [d] (2.7) and features; with layer norm v is normalised
  V *bar, *v_bar;  ///< [d + 1] ∂/∂u, then ∂/∂v, then ∂/∂mass; [d] copy of ∂/∂v
  V* slope;        ///< [M + 1] ∂/∂σ
  V scale;         ///< the norm or deviation by which v is divided; for l2 without 1e-7

  Head(Scratch& scratch, const FeatureModel& m) {
    token = reinterpret_cast<std::uint16_t*>(scratch.take<double>(2 * (m.M + 1)));
    score = reinterpret_cast<std::uint32_t*>(scratch.take<double>(4 * (m.M + 1)));
    exists = scratch.take<Pack>(m.M + 1);
    sigma = scratch.take<V>(m.M + 1);
    mass = scratch.take<V>(m.d + 1);
    v = scratch.take<V>(m.d);
    u = scratch.take<V>(m.d);
    bar = scratch.take<V>(m.d + 1);
    v_bar = scratch.take<V>(m.d);
    slope = scratch.take<V>(m.M + 1);
  }
};

/// The windows of a pack, and their own tokens.
struct Eight {
  int64_t window[hot::pack];
  std::uint16_t own[hot::pack];

  Eight(const FeatureTask& task, int64_t pack) {
    for (int64_t l = 0; l < hot::pack; ++l) {
      const int64_t i = pack * hot::pack + l;
      window[l] = task.list == nullptr ? i : task.list[i];
      own[l] = task.own[window[l]];
    }
  }
};

/// The attention of a head, softmax over the components that exist, (2.6) and (4.4).
template <class V>
void attend(const FeatureTask& task, const Eight& at, int64_t h, Head<V>& head) {
  const FeatureModel& m = *task.model;
  const int64_t row = m.d + 1, components = m.M + (m.own_position ? 1 : 0);
  const SharedOf<V>* numbers = shared<V>(task.block);
  Pack top, any, nothing;
  V lowest, one, score;
  set(top, -__builtin_huge_val());
  set(any, 0.0);
  set(nothing, 0.0);
  set(lowest, -__builtin_huge_val());
  set(one, 1.0);
  for (int64_t i = 0; i < components; ++i) {
    std::uint16_t* token = head.token + i * hot::pack;
    double exists[hot::pack];
    if (i < m.M) {
      const int64_t digit = m.digit[h * m.M + i];
      for (int64_t l = 0; l < hot::pack; ++l) {
        token[l] = static_cast<std::uint16_t>(
            digit < 0 ? m.d : task.digits[at.window[l] * m.width + digit]);
        exists[l] = token[l] < m.d ? 1.0 : 0.0;
      }
      spread(score, numbers[m.w + h * m.M + i]);
    } else {
      for (int64_t l = 0; l < hot::pack; ++l) {
        token[l] = at.own[l];
        exists[l] = 1.0;
      }
      set(score, hot::own_logit);
    }
    load(head.exists[i], exists);
    if (m.tokens) {
      std::uint32_t* entry = head.score + i * hot::pack;
      for (int64_t l = 0; l < hot::pack; ++l)
        entry[l] = static_cast<std::uint32_t>((h * row + at.own[l]) * row + token[l]);
      V of_tokens;
      gather(of_tokens, numbers + m.scores, entry);
      score = score + of_tokens;
    }
    head.sigma[i] = where_positive(head.exists[i], score, lowest);
    top = maximum(top, value(head.sigma[i]));
    any = any + head.exists[i];
  }
  top = where_positive(any, top, nothing);
  V total;
  set(total, 0.0);
  for (int64_t i = 0; i < components; ++i) {
    head.sigma[i] = exponential(minus(head.sigma[i], top));
    total = total + head.sigma[i];
  }
  const V share = one / where_positive(any, total, one);
  for (int64_t e = 0; e <= m.d; ++e) set(head.mass[e], 0.0);
  for (int64_t i = 0; i < components; ++i) {
    head.sigma[i] = head.sigma[i] * share;
    scatter_add_lanes(head.sigma[i], head.mass, head.token + i * hot::pack);
  }
}

/// Σ_e x(e)·y(e).
template <class V>
V inner(const V* x, const V* y, int64_t d) {
  V sum;
  set(sum, 0.0);
  for (int64_t e = 0; e < d; ++e) sum = sum + x[e] * y[e];
  return sum;
}

/// Attention, v and u of a head.
template <class V>
void head_forward(const FeatureTask& task, const Eight& at, int64_t h, Head<V>& head) {
  const FeatureModel& m = *task.model;
  const SharedOf<V>* numbers = shared<V>(task.block);
  attend(task, at, h, head);
  V factor;
  for (int64_t r = 0; r < m.d; ++r) {
    if (!m.matrix) {
      head.v[r] = head.mass[r];
      continue;
    }
    set(head.v[r], 0.0);
    for (int64_t e = 0; e < m.d; ++e) {
      spread(factor, numbers[m.value + (h * m.d + e) * m.d + r]);
      head.v[r] = head.v[r] + head.mass[e] * factor;
    }
  }
  if (m.layer) {
    const double share = 1.0 / static_cast<double>(m.d);
    V mean, variance, one;
    set(mean, 0.0);
    set(variance, 0.0);
    set(one, 1.0);
    for (int64_t e = 0; e < m.d; ++e) mean = mean + head.v[e] * share;
    for (int64_t e = 0; e < m.d; ++e) {
      head.v[e] = head.v[e] - mean;
      variance = variance + head.v[e] * head.v[e] * share;
    }
    head.scale = square_root(variance + hot::variance_guard);
    const V inverse = one / head.scale;
    for (int64_t e = 0; e < m.d; ++e) {
      head.v[e] = head.v[e] * inverse;
      spread(factor, numbers[m.gain + e]);
      head.u[e] = factor * head.v[e];
      spread(factor, numbers[m.bias + e]);
      head.u[e] = head.u[e] + factor;
    }
  } else if (m.rms) {
    const double share = 1.0 / static_cast<double>(m.d);
    head.scale = square_root(inner(head.v, head.v, m.d) * share + hot::variance_guard);
    for (int64_t e = 0; e < m.d; ++e) head.u[e] = head.v[e] / head.scale;
  } else if (m.l2) {
    // ‖v‖; the guard is added where it divides.
    head.scale = square_root(inner(head.v, head.v, m.d));
    const V divisor = head.scale + hot::norm_guard;
    for (int64_t e = 0; e < m.d; ++e) head.u[e] = head.v[e] / divisor;
  } else {
    for (int64_t e = 0; e < m.d; ++e) head.u[e] = head.v[e];
  }
}

/// Replaces ∂/∂u in head.bar by ∂/∂v, (2.8), (2.10) or (4.5), and adds the derivatives in gain and
/// bias to sums.
template <class V>
void norm_backward(const FeatureTask& task, Head<V>& head, V* sums) {
  const FeatureModel& m = *task.model;
  const SharedOf<V>* numbers = shared<V>(task.block);
  if (m.layer) {
    const double share = 1.0 / static_cast<double>(m.d);
    V mean, pull, factor, one;
    set(mean, 0.0);
    set(pull, 0.0);
    set(one, 1.0);
    for (int64_t e = 0; e < m.d; ++e) {
      V& x = head.bar[e];
      sums[m.gain + e] = sums[m.gain + e] + x * head.v[e];
      sums[m.bias + e] = sums[m.bias + e] + x;
      spread(factor, numbers[m.gain + e]);
      x = x * factor;
      mean = mean + x * share;
      pull = pull + x * head.v[e] * share;
    }
    const V inverse = one / head.scale;
    for (int64_t e = 0; e < m.d; ++e)
      head.bar[e] = (head.bar[e] - mean - head.v[e] * pull) * inverse;
  } else if (m.rms) {
    const double share = 1.0 / static_cast<double>(m.d);
    const V pull = inner(head.u, head.bar, m.d) * share;
    for (int64_t e = 0; e < m.d; ++e) head.bar[e] = (head.bar[e] - head.u[e] * pull) / head.scale;
  } else if (m.l2) {
    // In an empty window v = 0 and nothing flows back.
    V zero;
    set(zero, 0.0);
    const V divisor = head.scale + hot::norm_guard;
    const V pull = inner(head.v, head.bar, m.d) / (head.scale * divisor);
    for (int64_t e = 0; e < m.d; ++e)
      head.bar[e] =
          where_positive(value(head.scale), (head.bar[e] - head.v[e] * pull) / divisor, zero);
  }
}

/// Adds the derivatives in the parameters, from ∂/∂u in head.bar, to sums [numbers].
template <class V>
void head_backward(const FeatureTask& task, int64_t h, Head<V>& head, V* sums) {
  const FeatureModel& m = *task.model;
  const SharedOf<V>* numbers = shared<V>(task.block);
  const int64_t components = m.M + (m.own_position ? 1 : 0);
  norm_backward(task, head, sums);
  if (m.matrix) {
    V factor;
    for (int64_t e = 0; e < m.d; ++e) head.v_bar[e] = head.bar[e];
    for (int64_t e = 0; e < m.d; ++e) {
      set(head.bar[e], 0.0);
      for (int64_t r = 0; r < m.d; ++r) {
        const int64_t k = m.value + (h * m.d + e) * m.d + r;
        sums[k] = sums[k] + head.mass[e] * head.v_bar[r];
        spread(factor, numbers[k]);
        head.bar[e] = head.bar[e] + factor * head.v_bar[r];
      }
    }
  }
  set(head.bar[m.d], 0.0);
  // ∂/∂σ of every component and its mean under σ.
  V mean, share, zero, factor;
  set(mean, 0.0);
  set(share, 0.0);
  set(zero, 0.0);
  for (int64_t i = 0; i < components; ++i) {
    gather_lanes(head.slope[i], head.bar, head.token + i * hot::pack);
    mean = mean + head.sigma[i] * head.slope[i];
    if (!m.attention_alone) continue;
    spread(factor, numbers[m.attention + h * m.M + i]);
    share = share + masked(head.exists[i], factor);
  }
  for (int64_t i = 0; i < components; ++i) {
    const V excess = head.slope[i] - mean, of_score = head.sigma[i] * excess;
    if (i < m.M) sums[m.w + h * m.M + i] = sums[m.w + h * m.M + i] + of_score;
    if (m.tokens) scatter_add_lanes(of_score, sums + m.scores, head.score + i * hot::pack);
    if (!m.attention_alone) continue;
    // The window's σ is that of the full window, divided by the share of the lags that exist.
    V& sum = sums[m.attention + h * m.M + i];
    sum = sum + masked(head.exists[i], where_positive(value(share), excess / share, zero));
  }
}

template <class V>
int64_t scratch_doubles(const FeatureModel& m) {
  Scratch counting{nullptr};
  Head<V> head(counting, m);
  counting.template take<V>(m.numbers);
  return counting.doubles;
}

template <class V>
void forward(const FeatureTask& task) {
  const FeatureModel& m = *task.model;
  Scratch scratch{task.scratch};
  Head<V> head(scratch, m);
  V* u = reinterpret_cast<V*>(task.u);
  for (int64_t pack = task.begin; pack < task.end; ++pack) {
    const Eight at(task, pack);
    for (int64_t h = 0; h < m.H; ++h) {
      head_forward(task, at, h, head);
      for (int64_t e = 0; e < m.d; ++e) u[(h * m.d + e) * task.packs + pack] = head.u[e];
    }
  }
}

template <class V>
void backward(const FeatureTask& task) {
  const FeatureModel& m = *task.model;
  Scratch scratch{task.scratch};
  Head<V> head(scratch, m);
  V* sums = scratch.take<V>(m.numbers);
  for (int64_t i = 0; i < m.numbers; ++i) set(sums[i], 0.0);
  const V* u_bar = reinterpret_cast<const V*>(task.u);
  for (int64_t pack = task.begin; pack < task.end; ++pack) {
    const Eight at(task, pack);
    for (int64_t h = 0; h < m.H; ++h, u_bar += m.d) {
      head_forward(task, at, h, head);
      for (int64_t e = 0; e < m.d; ++e) head.bar[e] = u_bar[e];
      head_backward(task, h, head, sums);
    }
  }
  SharedOf<V>* out = reinterpret_cast<SharedOf<V>*>(task.sums);
  for (int64_t i = 0; i < m.numbers; ++i) out[i] = sum_lanes(sums[i]);
}

/// Writes ∂/∂u from the segments whose pairs are all windows of the table: components k … k + R −
/// 1, of one head, of some packs at a time, whose sums stay in registers.
template <int R, int Packs, class V>
void add_whole(const hot::PullTask& task, int64_t k, int64_t pack, V* u_bar) {
  const int64_t H = task.H, numbers = H * task.d;
  const V* pulls = reinterpret_cast<const V*>(task.pulls) + pack * H + k / task.d;
  const SharedOf<V>* of_queries = shared<V>(task.query_features) + k;
  V sum[Packs][R], factor;
  for (int i = 0; i < Packs; ++i)
    for (int r = 0; r < R; ++r) set(sum[i][r], 0.0);
  for (int64_t i = 0; i < task.whole_segments; ++i) {
    const V* pull = pulls + task.segment_pairs[task.whole_segment[i]] / hot::pack * H;
    const SharedOf<V>* of_query = of_queries + task.whole_query[i] * numbers;
    for (int r = 0; r < R; ++r) {
      spread(factor, of_query[r]);
      for (int j = 0; j < Packs; ++j) sum[j][r] = sum[j][r] + pull[j * H] * factor;
    }
  }
  for (int i = 0; i < Packs; ++i)
    for (int r = 0; r < R; ++r) u_bar[i * numbers + r] = sum[i][r];
}

/// The same for packs [begin, end) and the lesser of R and `count` components.
template <int R, class V>
void add_whole(const hot::PullTask& task, int64_t k, int64_t count, int64_t begin, int64_t end,
               V* u_bar) {
  if constexpr (R > 1)
    if (count < R) return add_whole<R - 1>(task, k, count, begin, end, u_bar);
  constexpr int packs = std::is_same_v<V, Pack> ? 4 : 2;
  const int64_t numbers = task.H * task.d;
  int64_t pack = begin;
  for (; pack + packs <= end; pack += packs)
    add_whole<R, packs>(task, k, pack, u_bar + (pack - begin) * numbers);
  for (; pack < end; ++pack) add_whole<R, 1>(task, k, pack, u_bar + (pack - begin) * numbers);
}

/// Adds to ∂/∂u of one window the pulls at its pairs in the other segments: the lesser of R and
/// `heads` heads from h on, and the eight tokens from e on, at a time. Loads of eight tokens reach
/// beyond those of a head, at the end into the unused numbers of PullTask::query_features.
template <int R>
void add_uses(const hot::PullTask& task, int64_t window, int64_t h, int64_t heads, int64_t e,
              Pack* to_window) {
  if constexpr (R > 1)
    if (heads < R) return add_uses<R - 1>(task, window, h, heads, e, to_window);
  const int64_t H = task.H, d = task.d;
  Pack sum[R], of_query;
  for (int r = 0; r < R; ++r) set(sum[r], 0.0);
  for (int64_t i = task.uses_begin[window]; i < task.uses_begin[window + 1]; ++i) {
    const hot::WindowUse& use = task.uses[i];
    const double* pull =
        task.pulls + (use.slot / hot::pack * H + h) * hot::pack + use.slot % hot::pack;
    const double* query = task.query_features + (use.query * H + h) * d + e;
    for (int r = 0; r < R; ++r) {
      load(of_query, query + r * d);
      sum[r] = sum[r] + of_query * pull[r * hot::pack];
    }
  }
  const int64_t tokens = d - e < hot::pack ? d - e : hot::pack;
  for (int r = 0; r < R; ++r)
    for (int64_t i = 0; i < tokens; ++i)
      add_lane(to_window[(h + r) * d + e + i], window % hot::pack,
               lane(sum[r], static_cast<int>(i)));
}

/// The same for all heads and tokens, one after the other, with derivatives.
void add_uses(const hot::PullTask& task, int64_t window, Dual<double>* sum, Dual<Pack>* to_window) {
  const int64_t H = task.H, d = task.d;
  const auto* pulls = reinterpret_cast<const Dual<Pack>*>(task.pulls);
  Dual<double> number;
  for (int64_t k = 0; k < H * d; ++k) set(sum[k], 0.0);
  for (int64_t i = task.uses_begin[window]; i < task.uses_begin[window + 1]; ++i) {
    const hot::WindowUse& use = task.uses[i];
    const Dual<Pack>* g = pulls + use.slot / hot::pack * H;
    const Dual<double>* of_query = shared<Dual<Pack>>(task.query_features) + use.query * H * d;
    for (int64_t h = 0; h < H; ++h) {
      read_lane(number, g[h], use.slot % hot::pack);
      for (int64_t k = h * d; k < (h + 1) * d; ++k) sum[k] = sum[k] + number * of_query[k];
    }
  }
  for (int64_t k = 0; k < H * d; ++k) add_lane(to_window[k], window % hot::pack, sum[k]);
}

/// ∂/∂u of packs [begin, end) of windows from the pulls at all their pairs: first those of segments
/// whose pairs are all windows of the table, then the others.
template <class V>
void collect(const hot::PullTask& task, int64_t begin, int64_t end, double* to,
             [[maybe_unused]] double* room) {
  const int64_t H = task.H, d = task.d;
  V* u_bar = reinterpret_cast<V*>(to);
  constexpr int at_once = 4;
  for (int64_t h = 0; h < H; ++h)
    for (int64_t e = 0; e < d; e += at_once)
      add_whole<at_once>(task, h * d + e, d - e, begin, end, u_bar + h * d + e);
  const int64_t last = end * hot::pack < task.windows ? end * hot::pack : task.windows;
  for (int64_t window = begin * hot::pack; window < last; ++window) {
    if (task.uses_begin[window] == task.uses_begin[window + 1]) continue;
    V* to_window = u_bar + (window / hot::pack - begin) * H * d;
    if constexpr (std::is_same_v<V, Pack>)
      for (int64_t h = 0; h < H; h += at_once)
        for (int64_t e = 0; e < d; e += hot::pack)
          add_uses<at_once>(task, window, h, H - h, e, to_window);
    else
      add_uses(task, window, reinterpret_cast<SharedOf<V>*>(room), to_window);
  }
}

}  // namespace

extern const hot::FeatureFunctions feature_functions;

const hot::FeatureFunctions feature_functions = {
    {forward<Pack>, forward<Dual<Pack>>},
    {backward<Pack>, backward<Dual<Pack>>},
    {collect<Pack>, collect<Dual<Pack>>},
    {scratch_doubles<Pack>, scratch_doubles<Dual<Pack>>}};

}  // namespace gihflow::GIHFLOW_ISA
