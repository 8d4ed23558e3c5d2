// Compiled once for every instruction set, with GIHFLOW_ISA naming the set. Infinite context (5.1)
// for strips of sixteen queries: forward() computes E(Z,q) of all windows; chains() the loss of
// some chains, by (4.1) and (4.2) with laws in place of counts, and the sum of B/E over them;
// backward() goes from B to the sums of (4.3) and to ∂/∂u.
//
// The law of a window and of the token e after it is μ(Z)·T(e|s) with s the state of the window,
// see WindowLaws. So Σ_Z μ(Z,e) E(Z) = Σ_s T(e|s) G(s) with G(s) = Σ_{Z of state s} μ(Z) E(Z): the
// sum over windows is the same for all tokens. Backward, b(Z) grows by μ(Z) Σ_e T(e|s) g(e).

#include <algorithm>
#include <type_traits>

#include "population/features_relative.hpp"
#include "population/formulas.hpp"
#include "population/lanes.hpp"
#include "population/law_products.hpp"

namespace gihflow::GIHFLOW_ISA {

namespace {

using hot::LawTask;
using std::int64_t;

template <class V>
using NumbersOf = std::conditional_t<std::is_same_v<V, Pack>, PlainPack, DualPack>;

/// Quantities of one window paired with a pack of eight queries.
template <class V>
struct Pair {
  V *t, *slope, *kappa, *kappa_bar, *t_bar;  // [H] twice, [subsets] twice, [H]
  V k;

  Pair(Scratch& scratch, const ModelView& m)
      : t(scratch.take<V>(m.H)),
        slope(scratch.take<V>(m.H)),
        kappa(scratch.take<V>(m.subsets)),
        kappa_bar(scratch.take<V>(m.subsets)),
        t_bar(scratch.take<V>(m.H)) {}
};

/// The arrays of a task, in its scratch.
template <class V>
struct Room {
  Pair<V> pair;
  V *pull, *own, *p_sum;  // ∂/∂⟨u_h(Z), u_h(q)⟩ [H, 8]; ∂/∂u(q) [H·d]; ΣB·κ_S [subsets]
  double* law;            // μ(Z) [states, chains, windows of a state]
  Strip<V>*g, *f;       // forward G(s) [chains, states] and Σ_Z μ(Z,e) E(Z) [chains, d]; backward
                        // Σ_e T(e|s) g(e) and g(e)
  V *sums, *y, *slope;  // G(s) and f(e) of chain_shifted() [states + d]; y, g(e) [d] each
  Pack *target, *of_state, *of_token;  // μ(q)·T(e|q) [d]; levels of chain_shifted() [states], [d]
  int64_t doubles;

  Room(Scratch scratch, const LawTask& task)
      : pair(scratch, *task.model),
        pull(scratch.take<V>(task.model->H * hot::pack)),
        own(scratch.take<V>(task.model->H * task.model->d)),
        p_sum(scratch.take<V>(task.model->subsets)),
        law(scratch.take<double>(task.chains * task.windows)),
        g(scratch.take<Strip<V>>(task.chains * task.states)),
        f(scratch.take<Strip<V>>(task.chains * task.model->d)),
        sums(scratch.take<V>(task.states + task.model->d)),
        y(scratch.take<V>(task.model->d)),
        slope(scratch.take<V>(task.model->d)),
        target(scratch.take<Pack>(task.model->d)),
        of_state(scratch.take<Pack>(task.states)),
        of_token(scratch.take<Pack>(task.model->d)),
        doubles(scratch.doubles) {}
};

template <class V>
int64_t scratch_size(const LawTask& task) {
  return Room<V>({nullptr}, task).doubles;
}

inline int64_t all_packs(const LawTask& task) {
  return (task.windows + hot::pack - 1) / hot::pack;
}
/// The number of the pack of windows that are the queries of half a strip. A last strip may reach
/// one pack too far: its half then repeats the last pack, with zero mass (put_targets()), and adds
/// nothing.
inline int64_t query_pack(const LawTask& task, int64_t strip, int half) {
  return std::min(2 * (task.first + strip) + half, all_packs(task) - 1);
}

/// Component k = h·d + e of u of all windows, in packs of eight.
template <class V>
const V* row_of(const LawTask& task, int64_t k) {
  return reinterpret_cast<const V*>(task.features) + k * all_packs(task);
}
template <class V>
V feature(const LawTask& task, int64_t k, int64_t window) {
  typename NumbersOf<V>::S number;
  V x;
  read_lane(number, row_of<V>(task, k)[window / hot::pack], window % hot::pack);
  spread(x, number);
  return x;
}
template <class V>
V spread_fetched(const double* x, const double* along, int64_t i) {
  typename NumbersOf<V>::S number;
  V y;
  fetch(number, x, along, i);
  spread(y, number);
  return y;
}

inline Sums sums_of(const LawTask& task) {
  return {task.sums, 1, hot::partial_p + task.model->subsets};
}

/// t_h, κ_S and k of a window paired with the queries of pack `pack`, formula (2.2).
template <class V>
void pair_forward(const LawTask& task, int64_t window, int64_t pack, Pair<V>& pair) {
  const ModelView& m = *task.model;
  for (int64_t h = 0; h < m.H; ++h) {
    V sum;
    set(sum, 0.0);
    for (int64_t k = h * m.d; k < (h + 1) * m.d; ++k)
      sum = sum + row_of<V>(task, k)[pack] * feature<V>(task, k, window);
    pair.t[h] = m.rectify ? rectified(m, sum, pair.slope[h]) : sum;
  }
  products(m, pair.t, pair.kappa);
  set(pair.k, 0.0);
  for (int64_t i = 0; i < m.subsets; ++i)
    pair.k = pair.k + spread_fetched<V>(task.point->p, task.point->p_along, i) * pair.kappa[i];
}

/// E(Z,q) of all windows, the exponents of each query shifted by their largest. A strip with a
/// query whose a·k spreads over more than widest_spread keeps a·k itself and is marked as wide.
template <class V>
void forward(const LawTask& task) {
  Room<V> room({task.scratch}, task);
  const V a = spread_fetched<V>(&task.point->a, &task.point->a_along, 0);
  for (int64_t strip = 0; strip < task.strips; ++strip) {
    Strip<V>* e = strips_of<V>(task.e) + strip * task.windows;
    Pack top[2];
    task.wide[strip] = false;
    for (int half = 0; half < 2; ++half) {
      Pack depth;  // largest −a·k; maxima skip NaN, which reaches the result through e
      set(top[half], -__builtin_huge_val());
      set(depth, -__builtin_huge_val());
      for (int64_t z = 0; z < task.windows; ++z) {
        pair_forward(task, z, query_pack(task, strip, half), room.pair);
        const V x = a * room.pair.k;
        e[z].half[half] = x;
        top[half] = maximum(value(x), top[half]);
        depth = maximum(value(x) * -1.0, depth);
      }
      for (int l = 0; l < pack_lanes; ++l) {
        const double spread = lane(top[half] + depth, l);
        if (spread > widest_spread && spread < __builtin_huge_val()) task.wide[strip] = true;
      }
    }
    for (int64_t z = 0; z < task.windows && !task.wide[strip]; ++z)
      for (int half = 0; half < 2; ++half)
        e[z].half[half] = exponential(minus(e[z].half[half], top[half]));
  }
}

/// μ(q)·T(e|q) of one chain for the queries of a pack [d], 0 behind the last query.
inline void put_targets(const LawTask& task, int64_t chain, int64_t pack, Pack* target) {
  // Unless the strip is wide, the window Z = q alone makes y(e) ≥ target·e^{−600}. Targets below
  // 2^{−140}, which do not matter, count as 0; where the target is kept, y(e) does not underflow.
  constexpr double least = 0x1p-140;
  const int64_t first = pack * hot::pack;
  Pack law, zero;
  load(law, task.law + chain * task.stride + first);
  set(zero, 0.0);
  for (int64_t e = 0; e < task.model->d; ++e) {
    Pack t;
    look_up(t, task.next + (chain * task.model->d + e) * task.states, task.states,
            task.state + first);
    t = law * t;
    target[e] = where_positive(t - least, t, zero);
  }
}

/// Loss of one chain for eight queries of a wide strip, with a·k in `strip`. Exponents are shifted
/// by levels, the largest a·k in each sum: G(s) = Σ_Z μ(Z) e^{a·k − level(s)}, room.of_state, and
/// f(e) = Σ_s T(e|s) G(s) e^{level(s) − level(e)}, room.of_token. Adds B(Z,q) to b.
template <class V>
V chain_shifted(const LawTask& task, int64_t chain, const Strip<V>* strip, int half, Room<V>& room,
                Strip<V>* b) {
  const ModelView& m = *task.model;
  const int64_t d = m.d, of_state = task.windows / task.states;
  const double* law = task.law + chain * task.stride;
  const double* next = task.next + chain * d * task.states;
  Pack top, lowest;
  set(lowest, -__builtin_huge_val());
  V *g = room.sums, *f = room.sums + task.states, *y = room.y, *slope = room.slope, loss, den, zero;
  const Pack* target = room.target;
  const auto x = [&](int64_t z) { return strip[z].half[half]; };
  set(zero, 0.0);
  for (int64_t s = 0; s < task.states; ++s) {
    room.of_state[s] = lowest;
    for (int64_t z = s * of_state; z < (s + 1) * of_state; ++z)
      if (law[z] > 0.0) room.of_state[s] = maximum(value(strip[z].half[half]), room.of_state[s]);
    g[s] = zero;
    for (int64_t z = s * of_state; z < (s + 1) * of_state; ++z)
      if (law[z] > 0.0) g[s] = g[s] + exponential(minus(x(z), room.of_state[s])) * law[z];
  }
  // A state without mass has G = 0 and level −∞, and so has a token that follows only such states.
  const auto occurs = [](const Pack& level) { return lane(level, 0) > -__builtin_huge_val(); };
  top = lowest;
  for (int64_t e = 0; e < d; ++e) {
    room.of_token[e] = lowest;
    for (int64_t s = 0; s < task.states; ++s)
      if (next[e * task.states + s] > 0.0)
        room.of_token[e] = maximum(room.of_state[s], room.of_token[e]);
    f[e] = zero;
    for (int64_t s = 0; s < task.states; ++s)
      if (next[e * task.states + s] > 0.0 && occurs(room.of_state[s]))
        f[e] = f[e] +
               exponential(room.of_state[s] - room.of_token[e]) * next[e * task.states + s] * g[s];
    top = maximum(room.of_token[e], top);
  }
  den = zero;
  for (int64_t e = 0; e < d; ++e)
    if (occurs(room.of_token[e])) den = den + exponential(room.of_token[e] - top) * f[e];
  // slope: ∂ℓ/∂f(e).
  for (int64_t e = 0; e < d; ++e)
    y[e] = occurs(room.of_token[e]) ? exponential(room.of_token[e] - top) * f[e] / den : zero;
  if (m.softmax || m.epsilon > 0.0) {
    V share;
    set(share, 1.0);
    loss = losses_of_lanes<NumbersOf<V>>(m, y, slope, share / den,
                                         reinterpret_cast<const double*>(target), hot::pack,
                                         task.with_loss, task.with_gradient);
    for (int64_t e = 0; e < d; ++e)
      slope[e] = occurs(room.of_token[e]) ? exponential(room.of_token[e] - top) * slope[e] : zero;
  } else {
    // Readout log without smoothing: −log y(e) = log den + top − log f(e) − level(e) stays finite
    // where y(e) underflows.
    Pack mass;
    set(mass, 0.0);
    loss = zero;
    for (int64_t e = 0; e < d; ++e) mass = mass + target[e];
    for (int64_t e = 0; e < d; ++e) {
      slope[e] = zero;
      if (!occurs(room.of_token[e])) continue;
      loss = loss + target[e] * minus(logarithm(den) - logarithm(f[e]), room.of_token[e] - top);
      slope[e] = minus(mass * y[e], target[e]) / f[e];
    }
  }
  for (int64_t s = 0; task.with_gradient && s < task.states; ++s) {
    if (!occurs(room.of_state[s])) continue;
    V h = zero;
    for (int64_t e = 0; e < d; ++e)
      if (next[e * task.states + s] > 0.0)
        h = h +
            exponential(room.of_state[s] - room.of_token[e]) * next[e * task.states + s] * slope[e];
    for (int64_t z = s * of_state; z < (s + 1) * of_state; ++z)
      if (law[z] > 0.0)
        b[z].half[half] = b[z].half[half] + exponential(minus(x(z), room.of_state[s])) * h * law[z];
  }
  return loss;
}

/// Adds the loss of the task's chains to its sums and, with gradient, Σ of B/E over them to b; in a
/// wide strip Σ of B.
template <class V>
void chains(const LawTask& task) {
  const ModelView& m = *task.model;
  const int64_t S = task.states, of_state = task.windows / S;
  Room<V> room({task.scratch}, task);
  // The laws reordered by state, so that products read them in order.
  for (int64_t chain = 0; chain < task.chains; ++chain)
    for (int64_t z = 0, s = 0; s < S; ++s) {
      double* to = room.law + (s * task.chains + chain) * of_state;
      for (int64_t i = 0; i < of_state; ++i, ++z) to[i] = task.law[chain * task.stride + z];
    }
  const Matrices law{room.law, task.chains, of_state, of_state, task.chains * of_state, S},
      next{task.next, m.d, S, S, m.d * S, task.chains};
  V loss, one;
  set(loss, 0.0);
  set(one, 1.0);
  for (int64_t strip = 0; strip < task.strips; ++strip) {
    const Strip<V>* e = strips_of<V>(task.e) + strip * task.windows;
    Strip<V>* b = strips_of<V>(task.b) + strip * task.windows;
    const auto targets = [&](int64_t chain, int half) {
      put_targets(task, chain, 2 * (task.first + strip) + half, room.target);
    };
    if (task.wide[strip]) {
      for (int64_t chain = 0; chain < task.chains; ++chain)
        for (int half = 0; half < 2; ++half) {
          targets(chain, half);
          loss = loss + chain_shifted(task, chain, e, half, room, b);
        }
      continue;
    }
    multiply<V>(law, {e, 1, of_state}, {room.g, S, 1});
    multiply<V>(next, {room.g, 1, S}, {room.f, 1, m.d});
    for (int64_t chain = 0; chain < task.chains; ++chain)
      for (int half = 0; half < 2; ++half) {
        Strip<V>* f = room.f + chain * m.d;
        V den = f[0].half[half];
        for (int64_t i = 1; i < m.d; ++i) den = den + f[i].half[half];
        const V share = one / den;
        for (int64_t i = 0; i < m.d; ++i) room.y[i] = f[i].half[half] * share;
        targets(chain, half);
        loss = loss + losses_of_lanes<NumbersOf<V>>(m, room.y, room.slope, share,
                                                    reinterpret_cast<const double*>(room.target),
                                                    hot::pack, task.with_loss, task.with_gradient);
        for (int64_t i = 0; i < m.d; ++i) f[i].half[half] = room.slope[i];
      }
    if (!task.with_gradient) continue;
    multiply_transposed<false, V>(next, {room.f, 1, m.d}, {room.g, 1, S});
    multiply_transposed<true, V>(law, {room.g, S, 1}, {b, 1, of_state});
  }
  sums_of(task).add(hot::partial_loss, sum_lanes(loss));
}

/// From b to ΣB·k and ΣB·κ_S, formula (4.3), and to ∂/∂u of the windows and of the queries.
template <class V>
void backward(const LawTask& task) {
  const ModelView& m = *task.model;
  const int64_t numbers = m.H * m.d;
  Room<V> room({task.scratch}, task);
  Pair<V>& pair = room.pair;
  const V a = spread_fetched<V>(&task.point->a, &task.point->a_along, 0);
  V zero, a_sum;
  set(zero, 0.0);
  a_sum = zero;
  for (int64_t i = 0; i < m.subsets; ++i) room.p_sum[i] = zero;
  for (int64_t i = 0; i < 2 * task.strips; ++i) {
    const int64_t strip = i / 2, half = i % 2;
    const int64_t pack = query_pack(task, strip, static_cast<int>(half));
    const Strip<V>* e = strips_of<V>(task.e) + strip * task.windows;
    const Strip<V>* b = strips_of<V>(task.b) + strip * task.windows;
    for (int64_t k = 0; k < numbers; ++k) room.own[k] = zero;
    for (int64_t eight = 0; eight * hot::pack < task.windows; ++eight) {
      for (int64_t l = 0; l < hot::pack; ++l) {
        const int64_t z = eight * hot::pack + l;
        if (z >= task.windows) {
          for (int64_t h = 0; h < m.H; ++h) room.pull[h * hot::pack + l] = zero;
          continue;
        }
        pair_forward(task, z, pack, pair);
        V weight = b[z].half[half];
        if (!task.wide[strip]) weight = weight * e[z].half[half];
        a_sum = a_sum + weight * pair.k;
        for (int64_t subset = 0; subset < m.subsets; ++subset) {
          room.p_sum[subset] = room.p_sum[subset] + weight * pair.kappa[subset];
          pair.kappa_bar[subset] =
              weight * spread_fetched<V>(task.point->p, task.point->p_along, subset);
        }
        products_backward(m, pair.t, pair.kappa, pair.kappa_bar, pair.t_bar);
        for (int64_t h = 0; h < m.H; ++h) {
          V pull = a * pair.t_bar[h];
          if (m.rectify) pull = pull * pair.slope[h];
          room.pull[h * hot::pack + l] = pull;
          for (int64_t k = h * m.d; k < (h + 1) * m.d; ++k)
            room.own[k] = room.own[k] + pull * feature<V>(task, k, z);
        }
      }
      for (int64_t k = 0; k < numbers; ++k) {
        const V u = row_of<V>(task, k)[pack];
        V pulls[hot::pack], sum;
        for (int64_t l = 0; l < hot::pack; ++l) pulls[l] = room.pull[k / m.d * hot::pack + l] * u;
        sum_lanes_of_eight(sum, pulls);
        V& bar = reinterpret_cast<V*>(task.u_bar)[eight * numbers + k];
        bar = bar + sum;
      }
    }
    for (int64_t k = 0; k < numbers; ++k) {
      V& bar = reinterpret_cast<V*>(task.u_bar)[pack * numbers + k];
      bar = bar + room.own[k];
    }
  }
  Sums out = sums_of(task);
  out.add(hot::partial_a, sum_lanes(a_sum));
  for (int64_t i = 0; i < m.subsets; ++i) out.add(hot::partial_p + i, sum_lanes(room.p_sum[i]));
}

}  // namespace

extern const hot::LawFunctions law_functions;

const hot::LawFunctions law_functions = {{forward<Pack>, forward<Dual<Pack>>},
                                         {chains<Pack>, chains<Dual<Pack>>},
                                         {backward<Pack>, backward<Dual<Pack>>},
                                         {scratch_size<Pack>, scratch_size<Dual<Pack>>}};

}  // namespace gihflow::GIHFLOW_ISA
