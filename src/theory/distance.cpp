#include "gihflow/theory/distance.hpp"

#include <algorithm>
#include <array>
#include <boost/math/tools/minima.hpp>
#include <cmath>
#include <utility>

#include "gihflow/base/mean_error.hpp"
#include "gihflow/base/size.hpp"
#include "gihflow/base/subsets.hpp"
#include "theory/readings.hpp"

namespace gihflow {

namespace {

double mean_total_variation(std::span<const double> reference, std::span<const double> prediction,
                            Index vocabulary) {
  double sum = 0.0;
  for (std::size_t i = 0; i < reference.size(); ++i) sum += std::abs(reference[i] - prediction[i]);
  const std::size_t contexts = reference.size() / size(vocabulary);
  return 0.5 * sum / static_cast<double>(contexts);
}

/// Finds the assignment of `lags`, one to each of `heads`, with the largest total attention, and
/// returns the total; negative if no assignment lets every head see its lag.
double assign(const Model& model, std::span<const double> attention, std::span<const Index> heads,
              std::vector<Index> lags, std::vector<Index>& best) {
  double most = -1.0;
  std::sort(lags.begin(), lags.end());
  do {
    double total = 0.0;
    for (std::size_t j = 0; j < heads.size(); ++j) {
      Index component = 0;
      while (component < model.window && model.lag(heads[j], component) != lags[j]) ++component;
      if (component == model.window) {
        total = -1.0;
        break;
      }
      total += attention[size(heads[j] * model.window + component)];
    }
    if (total > most) {
      most = total;
      best = lags;
    }
  } while (std::next_permutation(lags.begin(), lags.end()));
  return most;
}

/// The point with selector, copier or both replaced by ideal ones.
Point substitute(const Model& model, const Parameters& parameters, std::span<const Index> lags,
                 const Parts& parts) {
  Point m = point_of(parameters);
  const std::vector<std::uint32_t> sets = subsets(model.heads, model.degree);
  const std::vector<double> attention = parameters.attention();
  const std::vector<Index> wanted(lags.begin(), lags.end());
  std::size_t leading = size(std::max_element(m.p.begin(), m.p.end()) - m.p.begin());

  if (parts.selector) {
    double most = -1.0;
    std::size_t chosen = sets.size();
    for (std::size_t i = 0; i < sets.size(); ++i) {
      const std::vector<Index> heads = heads_of(sets[i]);
      if (heads.size() != lags.size()) continue;
      if (!parts.copier && attended_lags(parameters, model, sets[i]) != wanted) continue;
      std::vector<Index> unused;
      const double total = assign(model, attention, heads, wanted, unused);
      if (total > most) {
        most = total;
        chosen = i;
      }
    }
    if (chosen < sets.size()) {
      leading = chosen;
      std::fill(m.p.begin(), m.p.end(), 0.0);
      m.p[leading] = 1.0;
    }
  }
  if (parts.copier) {
    const std::vector<Index> heads = heads_of(sets[leading]);
    std::vector<Index> assigned;
    if (heads.size() == lags.size() && assign(model, attention, heads, wanted, assigned) >= 0.0)
      for (std::size_t j = 0; j < heads.size(); ++j)
        for (Index i = 0; i < model.window && model.lag(heads[j], i) > 0; ++i)
          m.w[size(heads[j] * model.window + i)] =
              model.lag(heads[j], i) == assigned[j] ? one_hot_logit : 0.0;
  }
  return m;
}

/// The a of the smallest total variation to the reference: the best of a logarithmic grid, refined
/// by Brent's method.
double best_a(const WindowSample& sample, std::span<const double> scores,
              std::span<const double> reference, double& total_variation) {
  const auto at = [&](double log_a) {
    return mean_total_variation(reference, sample.predict(scores, std::exp(log_a)),
                                sample.model().vocabulary);
  };
  constexpr double lowest = -5.0, highest = 12.0, step = 0.5;
  std::pair<double, double> best{lowest, at(lowest)};
  for (int i = 1; lowest + i * step <= highest; ++i)
    if (const double tv = at(lowest + i * step); tv < best.second) best = {lowest + i * step, tv};
  std::uintmax_t steps = 12;
  const auto refined =
      boost::math::tools::brent_find_minima(at, best.first - step, best.first + step, 12, steps);
  if (refined.second < best.second) best = refined;
  total_variation = best.second;
  return std::exp(best.first);
}

}  // namespace

Distance distance(std::span<const double> reference, std::span<const double> prediction,
                  Index vocabulary, double epsilon) {
  const std::size_t d = size(vocabulary), chains = reference.size() / d;
  std::vector<double> tv(chains), kl(chains);
  double agreeing = 0.0;
  for (std::size_t i = 0; i < chains; ++i) {
    const auto g = reference.subspan(i * d, d), y = prediction.subspan(i * d, d);
    const double g_top = *std::max_element(g.begin(), g.end());
    const double y_top = *std::max_element(y.begin(), y.end());
    bool meet = false;
    for (std::size_t e = 0; e < d; ++e) {
      tv[i] += 0.5 * std::abs(g[e] - y[e]);
      if (g[e] > 0.0)
        kl[i] +=
            g[e] * std::log(g[e] * (1.0 + static_cast<double>(d) * epsilon) / (y[e] + epsilon));
      meet = meet || (g[e] == g_top && y[e] == y_top);
    }
    agreeing += meet;
  }
  const MeanError tv_mean = mean_error(tv), kl_mean = mean_error(kl);
  return {tv_mean.mean, tv_mean.error, kl_mean.mean, kl_mean.error,
          agreeing / static_cast<double>(chains)};
}

std::vector<std::string> names_of(const Parts& parts) {
  std::vector<std::string> names;
  if (parts.selector) names.push_back("selector");
  if (parts.copier) names.push_back("copier");
  if (parts.classifier) names.push_back("classifier");
  return names;
}

std::vector<Index> attended_lags(const Parameters& parameters, const Model& model,
                                 std::uint32_t mask) {
  std::vector<Index> lags;
  for (const Index h : heads_of(mask))
    lags.push_back(model.lag(h, leading_component(parameters, h)));
  std::sort(lags.begin(), lags.end());
  lags.erase(std::unique(lags.begin(), lags.end()), lags.end());
  return lags;
}

std::vector<Index> leading_lags(const Parameters& parameters, const Model& model) {
  const auto sets = subsets(model.heads, model.degree);
  return attended_lags(parameters, model, sets[size(leading_set(parameters))]);
}

std::vector<Substitution> substitutions(const WindowSample& sample, const Parameters& parameters,
                                        std::span<const Index> lags) {
  constexpr std::array<Parts, 8> all = {{{false, false, false},
                                         {true, false, false},
                                         {false, true, false},
                                         {false, false, true},
                                         {true, true, false},
                                         {true, false, true},
                                         {false, true, true},
                                         {true, true, true}}};
  const std::vector<double> gih = sample.gih(lags);
  std::vector<Substitution> results;
  for (const Parts& parts : all) {
    const Point m = substitute(sample.model(), parameters, lags, parts);
    const std::vector<double> scores = sample.scores(m);
    Substitution result{parts, parameters.a, 0.0};
    if (parts.classifier)
      result.a = best_a(sample, scores, gih, result.total_variation);
    else
      result.total_variation = mean_total_variation(gih, sample.predict(scores, parameters.a),
                                                    sample.model().vocabulary);
    results.push_back(result);
  }
  return results;
}

Parts missing_parts(std::span<const Substitution> substitutions, double tolerance) {
  for (const Substitution& s : substitutions)
    if (s.total_variation <= tolerance) return s.parts;
  return {true, true, true};
}

}  // namespace gihflow
