#include "gihflow/theory/sharpening.hpp"

#include <algorithm>
#include <boost/math/quadrature/gauss.hpp>
#include <cmath>
#include <limits>

#include "gihflow/base/digits.hpp"
#include "gihflow/base/mean_error.hpp"
#include "gihflow/base/parallel.hpp"
#include "gihflow/base/size.hpp"
#include "gihflow/chain/stationary.hpp"
#include "theory/root.hpp"

namespace gihflow {

namespace {

constexpr Index chains_per_block = 64;
constexpr double infinity = std::numeric_limits<double>::infinity();

/// Mean over chains of body(μ(z) [contexts], μ(e) [d], μ(e|z) [contexts, d]), summed in order.
template <class Body>
double mean(const ContextLaws& laws, Body&& body) {
  std::vector<double> values(size(laws.chains));
  const Index n = laws.contexts, d = laws.vocabulary;
  parallel_ranges(laws.chains, chains_per_block, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i)
      values[size(i)] = body(laws.context.data() + i * n, laws.token.data() + i * d,
                             laws.conditional.data() + i * n * d);
  });
  return mean_error(values).mean;
}

}  // namespace

ContextLaws context_laws(const Kernels& kernels, std::span<const Index> lags) {
  const Index d = kernels.vocabulary;
  Index longest = kernels.longest_lag();
  for (const Index lag : lags) longest = std::max(longest, lag);
  ContextLaws laws;
  laws.vocabulary = d;
  laws.contexts = power(d, static_cast<Index>(lags.size()), "contexts");
  laws.chains = kernels.count;
  laws.context.assign(size(laws.chains * laws.contexts), 0.0);
  laws.token.assign(size(laws.chains * d), 0.0);
  laws.conditional.assign(size(laws.chains * laws.contexts * d), 0.0);
  // In a window of r + 1 tokens the most recent one is e, the others are at its lags.
  const Index windows = power(d, longest, "windows");
  parallel_ranges(laws.chains, chains_per_block, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const std::vector<double> law =
          stationary_window_law(kernels.of_chain(i), d, kernels.parents, longest + 1);
      double* context = laws.context.data() + i * laws.contexts;
      double* token = laws.token.data() + i * d;
      double* joint = laws.conditional.data() + i * laws.contexts * d;
      for (Index e = 0; e < d; ++e)
        for (Index window = 0; window < windows; ++window) {
          const double mass = law[size(e * windows + window)];
          const Index z = context_of_window(window, longest, d, lags);
          joint[z * d + e] += mass;
          context[z] += mass;
          token[e] += mass;
        }
      for (Index z = 0; z < laws.contexts; ++z)
        for (Index e = 0; e < d; ++e)
          joint[z * d + e] = context[z] > 0.0 ? joint[z * d + e] / context[z] : 0.0;
    }
  });
  return laws;
}

double sharpening_rate(const ContextLaws& laws, double a, double epsilon) {
  const Index d = laws.vocabulary;
  const double grown = std::exp(a);
  return mean(laws, [&](const double* m, const double* mu, const double* law) {
    double sum = 0.0;
    for (Index z = 0; z < laws.contexts; ++z, law += d) {
      if (m[z] == 0.0) continue;
      const double u = 1.0 / (1.0 + (grown - 1.0) * m[z]);
      double gain = 0.0;
      for (Index e = 0; e < d; ++e)
        if (law[e] > 0.0) {
          const double excess = law[e] - mu[e];
          // With ε = 0 the sum is rewritten by Σ_e (law − μ) = 0 to avoid cancellation.
          gain += epsilon > 0.0 ? law[e] * excess / ((1.0 - u) * law[e] + u * mu[e] + epsilon)
                                : u * excess * excess / ((1.0 - u) * law[e] + u * mu[e]);
        } else if (epsilon == 0.0) {
          gain += mu[e];
        }
      sum += m[z] * (u * m[z] * grown) * u * gain;
    }
    return sum;
  });
}

double sharpening_time(const ContextLaws& laws, double from, double to, double epsilon) {
  // ȧ falls like e^{−a} or e^{−2a}: on intervals of length ½ ten Gauss points are exact to
  // rounding.
  const Index pieces = std::max<Index>(1, static_cast<Index>(std::ceil((to - from) / 0.5)));
  const double width = (to - from) / static_cast<double>(pieces);
  double time = 0.0;
  for (Index i = 0; i < pieces; ++i) {
    const double left = from + width * static_cast<double>(i);
    time += boost::math::quadrature::gauss<double, 10>::integrate(
        [&](double a) {
          const double rate = sharpening_rate(laws, a, epsilon);
          return rate > 0.0 ? 1.0 / rate : infinity;
        },
        left, left + width);
    if (!std::isfinite(time)) return infinity;
  }
  return time;
}

double sharpening_at(const ContextLaws& laws, double from, double t, double epsilon) {
  double left = from, elapsed = 0.0, step = 0.5;
  // Takes whole steps while they fit into t, then finds the root in the last one.
  for (int i = 0; i < 4000; ++i) {
    const double more = sharpening_time(laws, left, left + step, epsilon);
    if (elapsed + more <= t) {
      elapsed += more;
      left += step;
    } else if (std::isfinite(more)) {
      return root([&](double a) { return elapsed + sharpening_time(laws, left, a, epsilon) - t; },
                  left, left + step);
    } else if ((step *= 0.5) < 1e-9) {
      break;
    }
  }
  return left;
}

Plateau plateau(const Objective& objective, Point at) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  Gradient gradient;
  const auto slope = [&](double a) {
    at.a = a;
    objective.gradient(at, gradient, false);
    return gradient.a;
  };
  if (!(slope(0.0) < 0.0)) return {nan, nan, nan};
  double low = 0.0, high = 0.5;
  // A slope of the order of rounding does not count as positive: the loss has become flat.
  constexpr double rounding = 1e-14;
  while (!(slope(high) > rounding)) {
    low = high;
    high += 0.5;
    if (high > 500.0) return {nan, nan, nan};
  }
  const double a = slope(low) < 0.0 ? root(slope, low, high) : low, h = 1e-3;
  const double curvature = (slope(a + h) - slope(a - h)) / (2.0 * h);
  at.a = a;
  return {a, curvature, objective.loss(at)};
}

double long_context_plateau(const ContextLaws& laws, Index positions, double epsilon) {
  const Index d = laws.vocabulary;
  const auto sum_over = [&](auto&& term) {
    return mean(laws, [&](const double* m, const double* mu, const double* law) {
      double sum = 0.0;
      for (Index z = 0; z < laws.contexts; ++z, law += d)
        for (Index e = 0; e < d && m[z] > 0.0; ++e)
          if (law[e] > 0.0) sum += term(m[z], mu[e], law[e]) / m[z];
      return sum;
    });
  };
  // Reduction of the variance by the other positions, and their bias.
  const double variance = sum_over([&](double m, double mu, double pi) {
    const double smooth = pi + epsilon;
    return pi * pi * (1.0 - pi) * (mu - m * pi + epsilon * (1.0 - m)) / (smooth * smooth * smooth);
  });
  const double bias = sum_over([&](double, double mu, double pi) {
    const double off = (mu - pi) / (pi + epsilon);
    return pi * off * off;
  });
  const double constant = epsilon > 0.0 ? slow_growth_constant(laws, epsilon) : 0.0;
  const double L = static_cast<double>(positions);
  return variance > L * constant ? std::log(bias * L / (variance - L * constant)) : infinity;
}

double slow_growth_constant(const ContextLaws& laws, double epsilon) {
  const Index d = laws.vocabulary;
  return mean(laws, [&](const double* m, const double* mu, const double* law) {
    double sum = 0.0;
    for (Index z = 0; z < laws.contexts; ++z, law += d)
      for (Index e = 0; e < d && m[z] > 0.0; ++e)
        sum += epsilon * (mu[e] - law[e]) / (law[e] + epsilon);
    return sum;
  });
}

double fast_growth_constant(const ContextLaws& laws) {
  const Index d = laws.vocabulary;
  return mean(laws, [&](const double* m, const double* mu, const double* law) {
    double sum = 0.0;
    for (Index z = 0; z < laws.contexts; ++z, law += d)
      for (Index e = 0; e < d && m[z] > 0.0; ++e)
        if (mu[e] != law[e]) sum += (mu[e] - law[e]) * (mu[e] - law[e]) / law[e] / m[z];
    return sum;
  });
}

double growth_exponent(double small_entries, double epsilon) {
  if (epsilon > 0.0) return 1.0;
  return 1.0 + std::min(small_entries, 1.0);
}

}  // namespace gihflow
