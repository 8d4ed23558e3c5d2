// Compiled once for every instruction set, with GIHFLOW_ISA naming the set. Tests hold it against
// variates that are drawn one by one with functions of the C library.

#include "chain/drawing.hpp"

#include <bit>
#include <limits>
#include <utility>

#include "base/elementary.hpp"

namespace gihflow::GIHFLOW_ISA {

namespace {

constexpr std::size_t lanes = pack_lanes;

std::size_t smaller(std::size_t x, std::size_t y) {
  return x < y ? x : y;
}

// The first n numbers, or all lanes; the other lanes are 0.
void load_first(Pack& x, const double* from, std::size_t n) {
  if (n >= lanes) return load(x, from);
  double some[lanes] = {};
  for (std::size_t i = 0; i < n; ++i) some[i] = from[i];
  load(x, some);
}
void store_first(const Pack& x, double* to, std::size_t n) {
  if (n >= lanes) return store(x, to);
  double some[lanes];
  store(x, some);
  for (std::size_t i = 0; i < n; ++i) to[i] = some[i];
}

// Every Stride-th number. All at once: put into a register one by one they would go by memory.
template <int Stride, int... I>
[[gnu::always_inline]] inline BitsRegister strided(const std::uint64_t* numbers,
                                                   std::integer_sequence<int, I...> /*lanes*/) {
  return BitsRegister{numbers[Stride * I]...};
}

template <int Stride>
[[gnu::always_inline]] inline Pack uniforms(const std::uint64_t* fractions) {
  Pack x;
  for (int i = 0; i < Pack::registers; ++i) {
    const BitsRegister k = strided<Stride>(fractions + i * register_doubles * Stride,
                                           std::make_integer_sequence<int, register_doubles>());
    x.part[i] = number_of(k | bits_of_one) - (1.0 - 0x1p-53);  // exact
  }
  return x;
}

[[gnu::always_inline]] inline Pack normal(const Pack& u, const Pack& v) {
  return square_root(logarithm(u) * -2.0) * cosine_of_turns(v);
}

double first_lane(Pack (*function)(const Pack&), double x) {
  Pack all;
  set(all, x);
  return lane(function(all), 0);
}

double normal_variate(double u, double v) {
  Pack all_u, all_v;
  set(all_u, u);
  set(all_v, v);
  return lane(normal(all_u, all_v), 0);
}

hot::GammaLaw gamma_law(double shape) {
  hot::GammaLaw law{};
  law.shape = shape;
  law.delta = (shape >= 1.0 ? shape : shape + 1.0) - 1.0 / 3.0;
  law.slope = 1.0 / square_root(9.0 * law.delta);
  law.log_delta = first_lane(logarithm, law.delta);
  return law;
}

// Roots of accepted variates and the uniforms of their powers.
constexpr std::size_t most_accepted = 64, attempts = 2 * lanes;
struct Accepted {
  double root[most_accepted + attempts];
  double power[most_accepted + attempts];
};

// Eight attempts.
struct Attempts {
  Pack x, u, root;

  // Those that are accepted, the first in the lowest bit, as far as can be told without logarithms:
  // where 1 − u > x⁴/(108 δ min(1, root)). With t = x/√(9δ), x²/2 + δ(1 − root³ + 3 log root) is
  // −3δ ∫ s³/(1 + s) from 0 to t, at least −¾δt⁴/min(1, root), and so is log of 1 plus this.
  unsigned surely(const hot::GammaLaw& law) const {
    Pack one;
    set(one, 1.0);
    const Pack square = x * x, least = where_positive(one - root, root, one);
    return positive_lanes(root) &
           positive_lanes((one - u) * least * (108.0 * law.delta) - square * square);
  }
  unsigned indeed(const hot::GammaLaw& law) const {
    Pack one;
    set(one, 1.0);
    const Pack log_v = logarithm(root) * 3.0;
    const Pack bound = x * 0.5 * x + (one - root * root * root + log_v) * law.delta;
    return positive_lanes(root) & positive_lanes(bound - logarithm(u));
  }
};

// As log_gamma of hot::DrawingFunctions, up to the logarithms, with so many uniforms for a variate.
template <int Uniforms>
hot::Drawn accept(const hot::GammaLaw& law, const std::uint64_t* fractions, std::size_t held,
                  std::size_t count, Accepted& accepted) {
  std::size_t drawn = 0, used = 0;
  while (drawn < count && used + Uniforms <= held) {
    Attempts some[attempts / lanes];
    unsigned good = 0;
#pragma GCC unroll 2
    for (std::size_t i = 0; i < attempts; i += lanes) {
      const std::uint64_t* const from = fractions + used + i * Uniforms;
      Attempts& own = some[i / lanes];
      own.x = normal(uniforms<Uniforms>(from), uniforms<Uniforms>(from + 1));
      own.u = uniforms<Uniforms>(from + 2);
      own.root = own.x * law.slope + 1.0;
      good |= own.surely(law) << i;
      store(own.root, accepted.root + drawn + i);
      if constexpr (Uniforms > hot::uniforms_of_attempt)
        store(uniforms<Uniforms>(from + 3), accepted.power + drawn + i);
    }
    const std::size_t tried = smaller(attempts, smaller(count - drawn, (held - used) / Uniforms));
    std::size_t kept = static_cast<std::size_t>(std::countr_one(good));
    if (kept < tried) {
      for (std::size_t i = 0; i < attempts; i += lanes) good |= some[i / lanes].indeed(law) << i;
      kept = smaller(static_cast<std::size_t>(std::countr_one(good)), tried);
    }
    if (kept >= attempts && tried == attempts) {  // apart, so that the next ones need not wait
      drawn += attempts;
      used += attempts * Uniforms;
    } else {
      kept = smaller(kept, tried);
      drawn += kept;
      used += kept * Uniforms + (kept < tried ? hot::uniforms_of_attempt : 0);
    }
  }
  return {drawn, used};
}

hot::Drawn log_gamma(const hot::GammaLaw& law, const std::uint64_t* fractions, std::size_t held,
                     double* variates, std::size_t count) {
  const bool power = law.shape < 1.0;
  hot::Drawn all{0, 0};
  while (all.variates < count) {
    Accepted accepted;
    const auto accept_some = power ? accept<4> : accept<3>;
    const hot::Drawn now = accept_some(law, fractions + all.uniforms, held - all.uniforms,
                                       smaller(most_accepted, count - all.variates), accepted);
    // Numbers that are in no variate yet, for the last lanes.
    for (std::size_t i = now.variates; i < now.variates + lanes; ++i)
      accepted.root[i] = 1.0, accepted.power[i] = 0.5;
    Pack least, log_delta;
    set(least, std::numeric_limits<double>::lowest());
    set(log_delta, law.log_delta);
    double* out = variates + all.variates;
    for (std::size_t i = 0; i < now.variates; i += lanes) {
      Pack root, u;
      load(root, accepted.root + i);
      Pack log_variate = log_delta + logarithm(root) * 3.0;
      if (power) {
        load(u, accepted.power + i);
        // The maximum avoids −∞ for shapes near the smallest double.
        log_variate = maximum(log_variate + logarithm(u) / law.shape, least);
      }
      store_first(log_variate, out + i, now.variates - i);
    }
    all.variates += now.variates;
    all.uniforms += now.uniforms;
    if (now.variates < most_accepted) break;
  }
  return all;
}

void normalise(double* rows, std::size_t d, std::size_t n) {
  for (double* row = rows; row != rows + n; row += d) {
    double largest = row[0];
    for (std::size_t e = 1; e < d; ++e) largest = maximum(row[e], largest);
    for (std::size_t e = 0; e < d; ++e) row[e] -= largest;
  }
  for (std::size_t i = 0; i < n; i += lanes) {
    Pack x;
    load_first(x, rows + i, n - i);
    store_first(exponential(x), rows + i, n - i);
  }
  for (double* row = rows; row != rows + n; row += d) {
    double sum = 0.0;
    for (std::size_t e = 0; e < d; ++e) sum += row[e];
    for (std::size_t e = 0; e < d; ++e)
      row[e] = maximum(row[e] / sum, std::numeric_limits<double>::min());
  }
}

}  // namespace

extern const hot::DrawingFunctions drawing_functions;

const hot::DrawingFunctions drawing_functions{normal_variate, gamma_law, log_gamma, normalise};

}  // namespace gihflow::GIHFLOW_ISA
