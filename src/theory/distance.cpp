#include "gihflow/theory/distance.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_map>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/parallel.hpp"
#include "gihflow/base/subsets.hpp"
#include "population/engines.hpp"
#include "population/statistics.hpp"
#include "theory/readings.hpp"
#include "theory/root.hpp"

namespace gihflow {

namespace {

constexpr Index chains_per_block = 16;
constexpr double norm_guard = 1e-7;  // of (4.5)

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// u^{(h)}(Z) of every head, [H, d]: (2.1) over the lags that exist (4.4), normalised as the model
/// says.
class WindowFeatures {
 public:
  WindowFeatures(const Model& model, std::span<const double> w)
      : model_(model), code_(model), w_(w), digits_(size(model.widest())) {}

  std::vector<double> operator()(std::uint64_t window) {
    const Index H = model_.heads, M = model_.window, d = model_.vocabulary;
    std::vector<double> u(size(H * d), 0.0);
    code_.digits(window, digits_.data());
    for (Index h = 0; h < H; ++h) {
      double top = -std::numeric_limits<double>::infinity(), total = 0.0;
      for (Index i = 0; i < M; ++i)
        if (exists(h, i)) top = std::max(top, w_[size(h * M + i)]);
      double* v = u.data() + h * d;
      for (Index i = 0; i < M; ++i) {
        if (!exists(h, i)) continue;
        const double weight = std::exp(w_[size(h * M + i)] - top);
        v[digits_[size(model_.lag(h, i) - 1)]] += weight;
        total += weight;
      }
      if (total == 0.0) continue;
      double squares = 0.0;
      for (Index e = 0; e < d; ++e) {
        v[e] /= total;
        squares += v[e] * v[e];
      }
      if (model_.head_normalization == HeadNormalization::l2)
        for (Index e = 0; e < d; ++e) v[e] /= std::sqrt(squares) + norm_guard;
    }
    return u;
  }

 private:
  bool exists(Index h, Index i) const {
    return digits_[size(model_.lag(h, i) - 1)] < model_.vocabulary;
  }

  const Model& model_;
  WindowCode code_;
  std::span<const double> w_;
  std::vector<std::uint16_t> digits_;
};

double mean_total_variation(std::span<const double> reference, std::span<const double> prediction,
                            Index vocabulary) {
  double sum = 0.0;
  for (std::size_t i = 0; i < reference.size(); ++i) sum += std::abs(reference[i] - prediction[i]);
  const std::size_t contexts = reference.size() / size(vocabulary);
  return 0.5 * sum / static_cast<double>(contexts);
}

struct Mechanism {
  std::vector<double> p;
  std::vector<double> w;
};

/// The assignment of `lags`, one to each of `heads`, with the largest total attention; the total is
/// negative when some head cannot see its lag in any.
double assign(const Model& model, std::span<const double> attention, std::span<const Index> heads,
              std::vector<Index> lags, std::vector<Index>& best) {
  double most = -1.0;
  std::sort(lags.begin(), lags.end());
  do {
    double total = 0.0;
    for (std::size_t j = 0; j < heads.size(); ++j) {
      const Index component = lags[j] - model.lag(heads[j], 0);
      if (component < 0 || component >= model.window) {
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

std::vector<Index> heads_of(std::uint32_t mask) {
  std::vector<Index> heads = elements_of(mask);
  for (Index& h : heads) --h;
  return heads;
}

/// The model with an ideal selector, an ideal copier or both in the place of its own.
Mechanism substitute(const Model& model, const Parameters& parameters, std::span<const Index> lags,
                     const Parts& parts) {
  Mechanism m{parameters.p(), parameters.w};
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
        for (Index i = 0; i < model.window; ++i)
          m.w[size(heads[j] * model.window + i)] =
              model.lag(heads[j], i) == assigned[j] ? one_hot_logit : 0.0;
  }
  return m;
}

/// The a that brings predictions closest to the reference: the best of a logarithmic grid, refined
/// by golden sections.
double best_a(const WindowSample& sample, std::span<const double> scores,
              std::span<const double> reference, double& total_variation) {
  auto at = [&](double log_a) {
    return mean_total_variation(reference, sample.predict(scores, std::exp(log_a)),
                                sample.model().vocabulary);
  };
  constexpr double lowest = -5.0, highest = 12.0, step = 0.5;
  double best = lowest;
  total_variation = std::numeric_limits<double>::infinity();
  for (int i = 0; lowest + i * step <= highest; ++i) {
    const double x = lowest + i * step, tv = at(x);
    if (tv < total_variation) {
      total_variation = tv;
      best = x;
    }
  }
  constexpr double golden = 0.6180339887498949;
  double left = best - step, right = best + step;
  for (int i = 0; i < 12; ++i) {
    const double x = right - golden * (right - left), y = left + golden * (right - left);
    if (at(x) <= at(y))
      right = y;
    else
      left = x;
  }
  const double refined = 0.5 * (left + right), tv = at(refined);
  if (tv < total_variation) {
    total_variation = tv;
    best = refined;
  }
  return std::exp(best);
}

}  // namespace

WindowSample::WindowSample(const Model& model, const SequenceSource& source)
    : model_(model), length_(source.length()) {
  ErrorList errors;
  if (source.vocabulary() != model.vocabulary)
    errors.add(fmt::format("vocabulary {} of the sequences: must be the model's, {}",
                           source.vocabulary(), model.vocabulary));
  if (model.boundary == Boundary::masked && source.length() <= model.widest())
    errors.add(fmt::format("length {}: must be above the widest lag, {}, with boundary masked",
                           source.length(), model.widest()));
  errors.throw_if_any();

  const Statistics s = count_windows(model, source);
  const Index d = model.vocabulary;
  query_ = s.query;
  targets_ = s.targets;
  window_begin_.push_back(0);
  for (Index chain = 0; chain < s.chains; ++chain) {
    const Index begin = s.entry_begin[size(chain)], end = s.entry_begin[size(chain) + 1];
    for (Index k = begin; k < end; ++k) {
      const std::uint64_t window = s.key[size(k)] / static_cast<std::uint64_t>(d);
      if (k == begin || window != window_.back()) {
        window_.push_back(window);
        count_.resize(count_.size() + size(d), 0.0);
      }
      const std::uint64_t token = s.key[size(k)] % static_cast<std::uint64_t>(d);
      count_[(window_.size() - 1) * size(d) + token] = static_cast<double>(s.count[size(k)]);
    }
    window_begin_.push_back(static_cast<Index>(window_.size()));
  }
}

std::vector<double> WindowSample::scores(std::span<const double> p,
                                         std::span<const double> w) const {
  const Index H = model_.heads, d = model_.vocabulary;
  const std::vector<std::uint32_t> sets = subsets(H, model_.degree);
  std::vector<double> k(window_.size());
  parallel_ranges(chains(), chains_per_block, [&](Index begin, Index end) {
    WindowFeatures features(model_, w);
    std::unordered_map<std::uint64_t, std::vector<double>> known;
    auto of = [&](std::uint64_t window) -> const std::vector<double>& {
      std::vector<double>& u = known[window];
      if (u.empty()) u = features(window);
      return u;
    };
    std::vector<double> t(size(H));
    for (Index chain = begin; chain < end; ++chain) {
      const std::vector<double>& query = of(query_[size(chain)]);
      for (Index j = window_begin_[size(chain)]; j < window_begin_[size(chain) + 1]; ++j) {
        const std::vector<double>& u = of(window_[size(j)]);
        for (Index h = 0; h < H; ++h)
          t[size(h)] = std::inner_product(u.begin() + h * d, u.begin() + (h + 1) * d,
                                          query.begin() + h * d, 0.0);
        double sum = 0.0;
        for (std::size_t i = 0; i < sets.size(); ++i) {
          if (p[i] == 0.0) continue;
          double product = p[i];
          for (std::uint32_t rest = sets[i]; rest != 0; rest &= rest - 1)
            product *= t[static_cast<std::size_t>(std::countr_zero(rest))];
          sum += product;
        }
        k[size(j)] = sum;
      }
    }
  });
  return k;
}

std::vector<double> WindowSample::predict(std::span<const double> scores, double a) const {
  const Index d = model_.vocabulary;
  std::vector<double> y(size(chains() * d), 0.0);
  parallel_ranges(chains(), chains_per_block, [&](Index begin, Index end) {
    for (Index chain = begin; chain < end; ++chain) {
      const Index first = window_begin_[size(chain)], last = window_begin_[size(chain) + 1];
      double top = -std::numeric_limits<double>::infinity(), total = 0.0;
      for (Index j = first; j < last; ++j) top = std::max(top, a * scores[size(j)]);
      double* out = y.data() + chain * d;
      for (Index j = first; j < last; ++j) {
        const double weight = std::exp(a * scores[size(j)] - top);
        for (Index e = 0; e < d; ++e) out[e] += weight * count_[size(j * d + e)];
      }
      for (Index e = 0; e < d; ++e) total += out[e];
      for (Index e = 0; e < d; ++e) out[e] /= total;
    }
  });
  return y;
}

double WindowSample::loss(std::span<const double> scores, double a) const {
  const Index d = model_.vocabulary;
  const std::vector<double> y = predict(scores, a);
  double sum = 0.0;
  for (Index chain = 0; chain < chains(); ++chain) {
    const double *out = y.data() + chain * d, *target = targets_.data() + chain * d;
    double normalizer = 1.0 + static_cast<double>(d) * model_.epsilon;
    if (model_.readout == Readout::softmax) {
      normalizer = 0.0;
      for (Index e = 0; e < d; ++e) normalizer += std::exp(out[e]);
    }
    for (Index e = 0; e < d; ++e)
      if (target[e] > 0.0)
        sum -= target[e] * (model_.readout == Readout::log
                                ? std::log((out[e] + model_.epsilon) / normalizer)
                                : out[e] - std::log(normalizer));
  }
  return sum / static_cast<double>(chains());
}

double WindowSample::loss_slope(std::span<const double> scores, double a) const {
  const Index d = model_.vocabulary;
  const std::vector<double> y = predict(scores, a);
  double sum = 0.0;
  std::vector<double> weighted(size(d));
  for (Index chain = 0; chain < chains(); ++chain) {
    const Index first = window_begin_[size(chain)], last = window_begin_[size(chain) + 1];
    const double *out = y.data() + chain * d, *target = targets_.data() + chain * d;
    // dy(e)/da = E[k·1(x = e)] − y(e)·E[k] under the weights of (2.3).
    double top = -std::numeric_limits<double>::infinity(), total = 0.0, mean = 0.0;
    for (Index j = first; j < last; ++j) top = std::max(top, a * scores[size(j)]);
    std::fill(weighted.begin(), weighted.end(), 0.0);
    for (Index j = first; j < last; ++j) {
      const double weight = std::exp(a * scores[size(j)] - top);
      for (Index e = 0; e < d; ++e) {
        const double mass = weight * count_[size(j * d + e)];
        total += mass;
        weighted[size(e)] += mass * scores[size(j)];
      }
    }
    for (double& x : weighted) mean += x /= total;
    double normalizer = 0.0;
    for (Index e = 0; e < d; ++e) normalizer += std::exp(out[e]);
    for (Index e = 0; e < d; ++e) {
      const double slope = weighted[size(e)] - out[e] * mean;
      if (model_.readout == Readout::softmax)
        sum += (std::exp(out[e]) / normalizer - target[e]) * slope;
      else if (target[e] > 0.0 && slope != 0.0)
        sum -= target[e] / (out[e] + model_.epsilon) * slope;
    }
  }
  return sum / static_cast<double>(chains());
}

std::vector<double> WindowSample::gih(std::span<const Index> lags) const {
  const Index d = model_.vocabulary, W = model_.widest();
  for (const Index lag : lags)
    if (lag < 1 || lag > W)
      throw InputError(
          fmt::format("parent set, lag {}: must be between 1 and the widest lag, {}", lag, W));
  const WindowCode code(model_);
  std::vector<double> y(size(chains() * d), 0.0);
  parallel_ranges(chains(), chains_per_block, [&](Index begin, Index end) {
    std::vector<std::uint16_t> query(size(W)), digits(size(W));
    for (Index chain = begin; chain < end; ++chain) {
      code.digits(query_[size(chain)], query.data());
      const Index first = window_begin_[size(chain)], last = window_begin_[size(chain) + 1];
      double* out = y.data() + chain * d;
      auto add_up = [&](auto&& admitted) {
        double total = 0.0;
        for (Index j = first; j < last; ++j) {
          if (!admitted(window_[size(j)])) continue;
          for (Index e = 0; e < d; ++e) {
            out[e] += count_[size(j * d + e)];
            total += count_[size(j * d + e)];
          }
        }
        return total;
      };
      // A blank matches nothing, and nothing matches a query that has one.
      double total = add_up([&](std::uint64_t window) {
        code.digits(window, digits.data());
        return std::all_of(lags.begin(), lags.end(), [&](Index lag) {
          return digits[size(lag - 1)] == query[size(lag - 1)] && query[size(lag - 1)] < d;
        });
      });
      if (total == 0.0) total = add_up([](std::uint64_t) { return true; });
      for (Index e = 0; e < d; ++e) out[e] /= total;
    }
  });
  return y;
}

Plateau plateau(const WindowSample& sample, std::span<const double> p, std::span<const double> w) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> scores = sample.scores(p, w);
  const auto slope = [&](double a) { return sample.loss_slope(scores, a); };
  if (!(slope(0.0) < 0.0)) return {nan, nan, nan};
  double low = 0.0, high = 0.5;
  // A slope of the order of rounding is no turn: the loss has become flat.
  constexpr double rounding = 1e-14;
  while (!(slope(high) > rounding)) {
    low = high;
    high += 0.5;
    if (high > 500.0) return {nan, nan, nan};
  }
  const double a = slope(low) < 0.0 ? root(slope, low, high) : low, h = 1e-3;
  return {a, (slope(a + h) - slope(a - h)) / (2.0 * h), sample.loss(scores, a)};
}

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
  Distance result;
  const MeanError tv_mean = mean_error(tv), kl_mean = mean_error(kl);
  result.total_variation = tv_mean.mean;
  result.total_variation_error = tv_mean.error;
  result.kl = kl_mean.mean;
  result.kl_error =
      std::isfinite(kl_mean.mean) ? kl_mean.error : std::numeric_limits<double>::quiet_NaN();
  result.argmax_agreement = agreeing / static_cast<double>(chains);
  return result;
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
    const Mechanism m = substitute(sample.model(), parameters, lags, parts);
    const std::vector<double> scores = sample.scores(m.p, m.w);
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
