// Compiled once for every instruction set, with GIHFLOW_ISA naming the set. Infinite context (5.1)
// for packs of eight queries: forward() computes E(Z,q) of all windows; chains() the loss of
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

/// Quantities of a window paired with a pack of eight queries; t and slope those of eight windows.
template <class V>
struct Pair {
  V *t, *slope, *kappa, *kappa_bar, *t_bar;  // [8, H] twice, [subsets] twice, [H]
  V k;

  Pair(Scratch& scratch, const ModelView& m)
      : t(scratch.take<V>(hot::pack * m.H)),
        slope(scratch.take<V>(hot::pack * m.H)),
        kappa(scratch.take<V>(m.subsets)),
        kappa_bar(scratch.take<V>(m.subsets)),
        t_bar(scratch.take<V>(m.H)) {}
};

/// The arrays of a task, in its scratch.
template <class V>
struct Room {
  Pair<V> pair;
  V *pull, *own, *p_sum;  // ∂/∂⟨u_h(Z), u_h(q)⟩ [H, 8]; ∂/∂u(q) [H·d]; ΣB·κ_S [subsets]
  double* law;            // μ(Z) [windows, tile]
  V *g, *y, *slope, *share;  // forward G(s), backward Σ_e T(e|s) g(e) [states, tile]; y(e) and g(e)
                             // [tile, d]; 1/den [tile]
  Pack *target, *of_state, *of_token;  // μ(q)·T(e|q) [tile, d]; levels of chain_shifted() [states],
                                       // [d]
  int64_t doubles;

  Room(Scratch scratch, const LawTask& task)
      : pair(scratch, *task.model),
        pull(scratch.take<V>(task.model->H * hot::pack)),
        own(scratch.take<V>(task.model->H * task.model->d)),
        p_sum(scratch.take<V>(task.model->subsets)),
        law(scratch.take<double>(task.windows * hot::tile)),
        g(scratch.take<V>(task.states * hot::tile)),
        y(scratch.take<V>(task.model->d * hot::tile)),
        slope(scratch.take<V>(task.model->d * hot::tile)),
        share(scratch.take<V>(hot::tile)),
        target(scratch.take<Pack>(task.model->d * hot::tile)),
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
/// Component k = h·d + e of u of all windows, in packs of eight.
template <class V>
const V* row_of(const LawTask& task, int64_t k) {
  return reinterpret_cast<const V*>(task.features) + k * all_packs(task);
}
/// One lane of a pack, in all lanes.
template <class V>
V spread_lane(const V& from, int64_t lane) {
  typename NumbersOf<V>::S number;
  V x;
  read_lane(number, from, lane);
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

/// t_h of the windows of pack `eight` with the queries of pack `pack`, formula (2.2).
template <class V>
void pairs_forward(const LawTask& task, int64_t eight, int64_t pack, Pair<V>& pair) {
  const ModelView& m = *task.model;
  for (int64_t h = 0; h < m.H; ++h) {
    V sum[hot::pack];
    for (V& t : sum) set(t, 0.0);
    for (int64_t k = h * m.d; k < (h + 1) * m.d; ++k) {
      const V u = row_of<V>(task, k)[pack];
#pragma GCC unroll 8
      for (int64_t l = 0; l < hot::pack; ++l)
        sum[l] = sum[l] + u * spread_lane(row_of<V>(task, k)[eight], l);
    }
#pragma GCC unroll 8
    for (int64_t l = 0; l < hot::pack; ++l) {
      V& t = pair.t[l * m.H + h];
      t = m.rectify ? rectified(m, sum[l], pair.slope[l * m.H + h]) : sum[l];
    }
  }
}
/// κ_S and k of lane l of these windows.
template <class V>
void pair_forward(const LawTask& task, int64_t l, Pair<V>& pair) {
  const ModelView& m = *task.model;
  products(m, pair.t + l * m.H, pair.kappa);
  set(pair.k, 0.0);
  for (int64_t i = 0; i < m.subsets; ++i)
    pair.k = pair.k + spread_fetched<V>(task.point->p, task.point->p_along, i) * pair.kappa[i];
}

/// E(Z,q) of all windows, the exponents of each query shifted by their largest. A pack with a query
/// whose a·k spreads over more than widest_spread keeps a·k itself and is marked as wide.
template <class V>
void forward(const LawTask& task) {
  Room<V> room({task.scratch}, task);
  const V a = spread_fetched<V>(&task.point->a, &task.point->a_along, 0);
  for (int64_t pack = 0; pack < task.packs; ++pack) {
    V* e = reinterpret_cast<V*>(task.e) + pack * task.windows;
    Pack top, depth;  // largest a·k and −a·k; maxima skip NaN, which reaches the result through e
    set(top, -__builtin_huge_val());
    set(depth, -__builtin_huge_val());
    for (int64_t z = 0; z < task.windows; ++z) {
      if (z % hot::pack == 0) pairs_forward(task, z / hot::pack, task.first + pack, room.pair);
      pair_forward(task, z % hot::pack, room.pair);
      e[z] = a * room.pair.k;
      top = maximum(value(e[z]), top);
      depth = maximum(value(e[z]) * -1.0, depth);
    }
    task.wide[pack] = false;
    for (int l = 0; l < pack_lanes; ++l) {
      const double spread = lane(top + depth, l);
      if (spread > widest_spread && spread < __builtin_huge_val()) task.wide[pack] = true;
    }
    for (int64_t z = 0; z < task.windows && !task.wide[pack]; ++z)
      e[z] = exponential(minus(e[z], top));
  }
}

/// μ(q)·T(e|q) of one chain for the queries of a pack [d], 0 behind the last query.
inline void put_targets(const LawTask& task, int64_t d, int64_t chain, int64_t pack, Pack* target) {
  // Unless the pack is wide, the window Z = q alone makes y(e) ≥ target·e^{−600}. Targets below
  // 2^{−140}, which do not matter, count as 0; where the target is kept, y(e) does not underflow.
  constexpr double least = 0x1p-140;
  const int64_t first = pack * hot::pack;
  Pack law, zero;
  load(law, task.law + chain * task.stride + first);
  set(zero, 0.0);
  for (int64_t e = 0; e < d; ++e) {
    Pack t;
    look_up(t, task.next + (chain * d + e) * task.states, task.states, task.state + first);
    t = law * t;
    target[e] = where_positive(t - least, t, zero);
  }
}

/// Loss of one chain for the queries of a wide pack, with a·k in x. Exponents are shifted
/// by levels, the largest a·k in each sum: G(s) = Σ_Z μ(Z) e^{a·k − level(s)}, room.of_state, and
/// f(e) = Σ_s T(e|s) G(s) e^{level(s) − level(e)}, room.of_token. Adds B(Z,q) to b.
template <class V>
V chain_shifted(const LawTask& task, int64_t chain, const V* x, Room<V>& room, V* b) {
  const ModelView& m = *task.model;
  const int64_t d = m.d, of_state = task.windows / task.states;
  const double* law = task.law + chain * task.stride;
  const double* next = task.next + chain * d * task.states;
  Pack top, lowest;
  set(lowest, -__builtin_huge_val());
  V *g = room.g, *f = room.y + m.d, *y = room.y, *slope = room.slope, loss, den, zero;
  const Pack* target = room.target;
  set(zero, 0.0);
  for (int64_t s = 0; s < task.states; ++s) {
    room.of_state[s] = lowest;
    for (int64_t z = s * of_state; z < (s + 1) * of_state; ++z)
      if (law[z] > 0.0) room.of_state[s] = maximum(value(x[z]), room.of_state[s]);
    g[s] = zero;
    for (int64_t z = s * of_state; z < (s + 1) * of_state; ++z)
      if (law[z] > 0.0) g[s] = g[s] + exponential(minus(x[z], room.of_state[s])) * law[z];
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
      if (law[z] > 0.0) b[z] = b[z] + exponential(minus(x[z], room.of_state[s])) * h * law[z];
  }
  return loss;
}

/// Loss of the task's chains for the queries of a pack from G(s) in room.g, where Σ_e T(e|s) g(e)
/// comes to lie. Each step is taken for all chains, since a chain alone waits for its two
/// divisions. `tokens`: d where it is known when this is compiled, so that loops over tokens need
/// no branch; else 0.
template <int tokens, bool one_division, class V>
[[gnu::flatten]] V losses_of_states(const LawTask& task, int64_t pack, Room<V>& room) {
  ModelView m = *task.model;
  if (tokens > 0) m.d = tokens;
  const auto next = [&](int64_t chain) {
    return Matrix<int64_t, Fixed<1>>{
        task.next + chain * m.d * task.states, m.d, task.states, task.states, {}};
  };
  V loss, one;
  set(loss, 0.0);
  set(one, 1.0);
  for (int64_t chain = 0; chain < task.chains; ++chain) {
    V* y = room.y + chain * m.d;
    multiply<false, hot::tile>(next(chain), room.g + chain, y);
    V den = y[0];
    for (int64_t e = 1; e < m.d; ++e) den = den + y[e];
    room.share[chain] = one / den;
    for (int64_t e = 0; e < m.d; ++e) y[e] = y[e] * room.share[chain];
  }
  for (int64_t chain = 0; chain < task.chains; ++chain)
    put_targets(task, m.d, chain, pack, room.target + chain * m.d);
  const auto losses_of_chain = [&](int64_t chain, bool with_loss, bool with_gradient) {
    return losses_of_lanes<NumbersOf<V>, one_division>(
        m, room.y + chain * m.d, room.slope + chain * m.d, room.share[chain],
        reinterpret_cast<const double*>(room.target + chain * m.d), hot::pack, with_loss,
        with_gradient);
  };
  for (int64_t chain = 0; task.with_loss && chain < task.chains; ++chain)
    loss = loss + losses_of_chain(chain, true, false);
  for (int64_t chain = 0; task.with_gradient && chain < task.chains; ++chain)
    losses_of_chain(chain, false, true);
  for (int64_t chain = 0; task.with_gradient && chain < task.chains; ++chain)
    multiply<false, 1, hot::tile>(next(chain).transposed(), room.slope + chain * m.d,
                                  room.g + chain);
  return loss;
}

/// Adds the loss of the task's chains to its sums and, with gradient, Σ of B/E over them to b; in a
/// wide pack Σ of B.
template <class V>
void chains(const LawTask& task) {
  const ModelView& m = *task.model;
  const int64_t of_state = task.windows / task.states;
  double power = 1.0;  // ε^d
  for (int64_t e = 0; e < m.d; ++e) power = power * m.epsilon;
  constexpr V (*losses_of[2][2])(const LawTask&, int64_t, Room<V>&) = {
      {losses_of_states<0, false, V>, losses_of_states<0, true, V>},
      {losses_of_states<3, false, V>, losses_of_states<3, true, V>}};
  const auto losses = losses_of[m.d == 3][!m.softmax && power > 0x1p-900];
  Room<V> room({task.scratch}, task);
  // The chains' laws side by side.
  for (int64_t first = 0; first < task.windows; first += hot::pack)
    for (int64_t chain = 0; chain < task.chains; ++chain)
      for (int64_t z = first; z < std::min(first + hot::pack, task.windows); ++z)
        room.law[z * hot::tile + chain] = task.law[chain * task.stride + z];
  const double* const after = task.law + task.chains * task.stride;
  const int64_t lines = task.chains * task.stride / hot::pack;
  V loss;
  set(loss, 0.0);
  for (int64_t pack = 0; pack < task.packs; ++pack) {
    const V* e = reinterpret_cast<const V*>(task.e) + pack * task.windows;
    V* b = reinterpret_cast<V*>(task.b) + pack * task.windows;
    // Meanwhile the next tile's laws come from memory.
    for (int64_t line = lines * pack / task.packs; line < lines * (pack + 1) / task.packs; ++line)
      __builtin_prefetch(after + line * hot::pack);
    const auto law = [&](int64_t s) {
      return Matrix<Fixed<1>, Fixed<hot::tile>>{
          room.law + s * of_state * hot::tile, task.chains, of_state, {}, {}};
    };
    if (task.wide[pack]) {
      for (int64_t chain = 0; chain < task.chains; ++chain) {
        put_targets(task, m.d, chain, task.first + pack, room.target);
        loss = loss + chain_shifted(task, chain, e, room, b);
      }
      continue;
    }
    for (int64_t s = 0; s < task.states; ++s)
      multiply<false>(law(s), e + s * of_state, room.g + s * hot::tile);
    loss = loss + losses(task, task.first + pack, room);
    for (int64_t s = 0; s < task.states && task.with_gradient; ++s)
      multiply<true>(law(s).transposed(), room.g + s * hot::tile, b + s * of_state);
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
  for (int64_t i = 0; i < task.packs; ++i) {
    const int64_t pack = task.first + i;
    const V* e = reinterpret_cast<const V*>(task.e) + i * task.windows;
    const V* b = reinterpret_cast<const V*>(task.b) + i * task.windows;
    for (int64_t k = 0; k < numbers; ++k) room.own[k] = zero;
    for (int64_t eight = 0; eight < all_packs(task); ++eight) {
      pairs_forward(task, eight, pack, pair);
      for (int64_t l = 0; l < hot::pack; ++l) {
        const int64_t z = eight * hot::pack + l;
        if (z >= task.windows) {
          for (int64_t h = 0; h < m.H; ++h) room.pull[h * hot::pack + l] = zero;
          continue;
        }
        pair_forward(task, l, pair);
        const V weight = task.wide[i] ? b[z] : b[z] * e[z];
        a_sum = a_sum + weight * pair.k;
        for (int64_t subset = 0; subset < m.subsets; ++subset) {
          room.p_sum[subset] = room.p_sum[subset] + weight * pair.kappa[subset];
          pair.kappa_bar[subset] =
              weight * spread_fetched<V>(task.point->p, task.point->p_along, subset);
        }
        products_backward(m, pair.t + l * m.H, pair.kappa, pair.kappa_bar, pair.t_bar);
        for (int64_t h = 0; h < m.H; ++h) {
          V pull = a * pair.t_bar[h];
          if (m.rectify) pull = pull * pair.slope[l * m.H + h];
          room.pull[h * hot::pack + l] = pull;
        }
      }
      for (int64_t k = 0; k < numbers; ++k) {
        const V u = row_of<V>(task, k)[pack];
        const V* pull = room.pull + k / m.d * hot::pack;
        V pulls[hot::pack], sum;
#pragma GCC unroll 8
        for (int64_t l = 0; l < hot::pack; ++l) {
          pulls[l] = pull[l] * u;
          room.own[k] = room.own[k] + pull[l] * spread_lane(row_of<V>(task, k)[eight], l);
        }
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
