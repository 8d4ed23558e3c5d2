// Compiled once for every instruction set, with GIHFLOW_ISA naming the set: many chains' joint laws
// times E of a panel of queries, the readout (4.1), (4.2) of every chain and query, and its way
// back.

#include "population/formulas.hpp"
#include "population/scalar.hpp"
#include "population/views.hpp"

namespace gihflow::GIHFLOW_ISA {

namespace {

using hot::LawTask;
using std::int64_t;

/// Sums that are carried through a loop at once, so many that registers hold them and additions
/// need not wait for each other.
template <class V>
constexpr int sums_at_once = 8 * sizeof(Pack) / (Pack::registers * sizeof(V));

/// body.operator()<R>(i) for i from `begin` to `end` in steps of R, then in smaller ones.
template <int R, class Body>
void in_steps(int64_t begin, int64_t end, const Body& body) {
  for (; begin + R <= end; begin += R) body.template operator()<R>(begin);
  if constexpr (R > 1) in_steps<R / 2>(begin, end, body);
}

template <class V>
const V* packs_of(const double* from) {
  return reinterpret_cast<const V*>(from);
}
template <class V>
V* packs_of(double* from) {
  return reinterpret_cast<V*>(from);
}

/// f[row] = Σ_Z μ(row, Z)·E(Z) for every row = (chain, token), one pack of queries.
template <class V>
void rows_forward(const LawTask& task, const V* e, V* f) {
  in_steps<sums_at_once<V>>(0, task.chains * task.d, [&]<int R>(int64_t row) {
    const double* joint = task.joint + row * task.windows;
    V sum[R];
    for (int r = 0; r < R; ++r) set(sum[r], 0.0);
    for (int64_t z = 0; z < task.windows; ++z)
      for (int r = 0; r < R; ++r) sum[r] = sum[r] + e[z] * joint[r * task.windows + z];
    for (int r = 0; r < R; ++r) f[row + r] = sum[r];
  });
}

/// b[Z] += Σ_row μ(row, Z)·f[row].
template <class V>
void rows_backward(const LawTask& task, const V* f, V* b) {
  const int64_t rows = task.chains * task.d;
  in_steps<sums_at_once<V>>(0, task.windows, [&]<int R>(int64_t z) {
    V sum[R];
    for (int r = 0; r < R; ++r) sum[r] = b[z + r];
    for (int64_t row = 0; row < rows; ++row)
      for (int r = 0; r < R; ++r) sum[r] = sum[r] + f[row] * task.joint[row * task.windows + z + r];
    for (int r = 0; r < R; ++r) b[z + r] = sum[r];
  });
}

/// The label's law at the queries of a pack; 0 beyond the last query.
Pack target_of(const double* law, int64_t left) {
  Pack target;
  if (left >= pack_lanes) {
    load(target, law);
    return target;
  }
  double some[pack_lanes] = {};
  for (int64_t i = 0; i < left; ++i) some[i] = law[i];
  load(target, some);
  return target;
}

/// Replaces the sums f(e) of one chain by (r(e) − r̄)/den of (4.2), weighted by the law of the
/// query; the loss is added to `loss`, lane by lane.
template <class V>
void readout(const LawTask& task, const double* law, int64_t left, V* f, Pack& loss) {
  const int64_t d = task.d;
  V zero, one, mean;
  set(zero, 0.0);
  set(one, 1.0);
  set(mean, 0.0);
  V den = f[0];
  for (int64_t e = 1; e < d; ++e) den = den + f[e];
  const V inverse = one / den;
  if (task.softmax) {
    Pack mass = target_of(law, left);
    for (int64_t e = 1; e < d; ++e) mass = mass + target_of(law + e * task.windows, left);
    V total = zero;
    for (int64_t e = 0; e < d; ++e) {
      f[e] = f[e] * inverse;
      total = total + exponential(f[e]);  // 0 ≤ y ≤ 1: no shift needed
    }
    const V weight = quotient(mass, total);
    if (task.with_loss) loss = loss + mass * logarithm(value(total));
    for (int64_t e = 0; e < d; ++e) {
      const Pack target = target_of(law + e * task.windows, left);
      if (task.with_loss) loss = loss - target * value(f[e]);
      const V r = minus(exponential(f[e]) * weight, target);
      mean = mean + r * f[e];
      f[e] = r;
    }
  } else {
    const double scale = 1.0 / (1.0 + static_cast<double>(d) * task.epsilon);
    for (int64_t e = 0; e < d; ++e) {
      Pack target = target_of(law + e * task.windows, left);
      const V y = f[e] * inverse;
      V smoothed = y + task.epsilon;
      if (task.epsilon == 0.0) {
        // y(e) vanishes only where μ(q,e) is too small to be of consequence.
        target = where_positive(value(smoothed), target, value(zero));
        smoothed = where_positive(value(smoothed), smoothed, one);
      }
      const V r = zero - quotient(target, smoothed);
      if (task.with_loss) loss = loss - target * logarithm(value(smoothed) * scale);
      mean = mean + r * y;
      f[e] = r;
    }
  }
  for (int64_t e = 0; e < d; ++e) f[e] = (f[e] - mean) * inverse;
}

template <class V>
void run_laws(LawTask& task) {
  const int64_t rows = task.chains * task.d;
  Pack loss;
  set(loss, 0.0);
  for (int64_t pack = 0; pack * pack_lanes < task.queries; ++pack) {
    const int64_t query = pack * pack_lanes;
    V* f = packs_of<V>(task.scratch) + pack * rows;
    rows_forward(task, packs_of<V>(task.e) + pack * task.windows, f);
    for (int64_t row = 0; row < rows; row += task.d)
      readout(task, task.joint + row * task.windows + task.first_query + query,
              task.queries - query, f + row, loss);
    rows_backward(task, f, packs_of<V>(task.b) + pack * task.windows);
  }
  task.loss += sum_lanes(loss);
}

}  // namespace

extern const hot::LawFunctions law_functions;

const hot::LawFunctions law_functions = {{run_laws<Pack>, run_laws<Dual<Pack>>}};

}  // namespace gihflow::GIHFLOW_ISA
