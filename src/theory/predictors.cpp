#include "gihflow/theory/predictors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/make_fault.hpp"
#include "gihflow/base/digits.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/mean_error.hpp"
#include "gihflow/base/parallel.hpp"
#include "gihflow/base/size.hpp"
#include "gihflow/chain/stationary.hpp"

namespace gihflow {

namespace {

constexpr Index chains_per_block = 16;

void check_lags(std::span<const Index> lags, const Model& model) {
  for (const Index lag : lags) {
    if (lag < 1 || lag > model.widest()) {
      throw InputError(fault("parent set, lag", lag, "must be between 1 and the widest lag, {}",
                             model.widest()));
    }
  }
}

void check_length(Index length, const Model& model) {
  const bool masked = model.boundary == Boundary::masked;
  const Index least = masked ? model.widest() + 1 : 1;
  if (length >= least) return;
  throw InputError(masked ? fault(Field::length, length,
                                  "must be at least {}, above the widest lag, with {} masked",
                                  least, Field::boundary)
                          : fault(Field::length, length, "must be at least {}", least));
}

// (8.1) into y [d]; tokens [L + 1].
void predict_gih(std::span<const Token> tokens, const Model& model, std::span<const Index> lags,
                 std::span<double> y) {
  const Index length = static_cast<Index>(tokens.size()) - 1;
  const Index first = model.boundary == Boundary::masked ? model.widest() : 0;
  const Index longest = lags.empty() ? 0 : *std::max_element(lags.begin(), lags.end());

  std::fill(y.begin(), y.end(), 0.0);
  Index matches = 0;
  // tokens[l] is x_{l+1}. A position whose lag reaches before x_1 matches nothing. If a lag of the
  // query does, longest > length and the loop is empty.
  for (Index l = std::max(first, longest); l < length; ++l) {
    const bool match = std::all_of(lags.begin(), lags.end(), [&](Index lag) {
      return tokens[size(l - lag)] == tokens[size(length - lag)];
    });
    if (!match) continue;
    y[tokens[size(l)]] += 1.0;
    ++matches;
  }
  if (matches == 0) {
    for (Index l = first; l < length; ++l) y[tokens[size(l)]] += 1.0;
    matches = length - first;
  }
  for (double& entry : y) entry /= static_cast<double>(matches);
}

// −Σ T log q over the tokens with T > 0, so that 0·log 0 = 0.
double cross_entropy(std::span<const double> target, std::span<const double> prediction) {
  double loss = 0.0;
  for (std::size_t e = 0; e < target.size(); ++e) {
    if (target[e] > 0.0) loss -= target[e] * std::log(prediction[e]);
  }
  return loss;
}

// The law that the model's readout gives for y, in place: (y + ε)/(1 + dε) of (2.4), or softmax(y).
void read_out(const Model& model, std::span<double> y) {
  double sum = 0.0;
  for (double& entry : y) {
    entry = model.readout == Readout::log ? entry + model.epsilon : std::exp(entry);
    sum += entry;
  }
  if (model.readout == Readout::log) sum = 1.0 + static_cast<double>(y.size()) * model.epsilon;
  for (double& entry : y) entry /= sum;
}

Baselines of_chains(const std::vector<double>& gih, const std::vector<double>& floor) {
  const MeanError gih_mean = mean_error(gih), floor_mean = mean_error(floor);
  Baselines result;
  result.gih_loss = gih_mean.mean;
  result.gih_loss_error = gih_mean.error;
  result.entropy_floor = floor_mean.mean;
  result.entropy_floor_error = floor_mean.error;
  return result;
}

}  // namespace

std::vector<double> gih_predict(std::span<const Token> tokens, const Model& model,
                                std::span<const Index> lags) {
  check_lags(lags, model);
  check_length(static_cast<Index>(tokens.size()) - 1, model);
  std::vector<double> y(size(model.vocabulary));
  predict_gih(tokens, model, lags, y);
  return y;
}

Baselines baselines(const SequenceSource& source, const Model& model, std::span<const Index> lags,
                    std::span<const Index> parents, std::optional<double> alpha) {
  const Index count = source.count(), length = source.length(), d = source.vocabulary();
  if (d != model.vocabulary) {
    throw InputError(fault(Field::vocabulary, fmt::format("{} of the sequences", d),
                           "must be the model's, {}", model.vocabulary));
  }
  check_lags(lags, model);
  check_length(length, model);
  if (alpha && !parents.empty() && length < parents.back()) {
    throw InputError(fault(Field::length, length, "must be at least the longest parent lag, {}",
                           parents.back()));
  }

  std::vector<double> gih(size(count)), floor(size(count));
  std::vector<double> posterior(alpha ? size(count) : 0);
  parallel_ranges(count, chains_per_block, [&](Index begin, Index end) {
    std::vector<Token> tokens(size(length + 1));
    std::vector<double> target(size(d)), law(size(d));
    for (Index chain = begin; chain < end; ++chain) {
      source.draw(chain, tokens, target);

      predict_gih(tokens, model, lags, law);
      read_out(model, law);
      gih[size(chain)] = cross_entropy(target, law);

      if (alpha) {
        posterior_label_law(tokens, parents, *alpha, law);
        posterior[size(chain)] = cross_entropy(target, law);
      }

      // (8.3): the Bayes loss where it is known, else the entropy of the kernel, else of the
      // targets.
      const bool known =
          source.posterior_law(tokens, law) || source.conditional_law(chain, tokens, law);
      const std::span<const double> best = known ? law : target;
      floor[size(chain)] = cross_entropy(best, best);
    }
  });

  Baselines result = of_chains(gih, floor);
  if (alpha) {
    const MeanError mean = mean_error(posterior);
    result.posterior_loss = mean.mean;
    result.posterior_loss_error = mean.error;
  }
  return result;
}

Baselines baselines(const Kernels& kernels, const Model& model, std::span<const Index> lags) {
  const Index d = kernels.vocabulary;
  if (d != model.vocabulary) {
    throw InputError(fault(Field::vocabulary, fmt::format("{} of the kernels", d),
                           "must be the model's, {}", model.vocabulary));
  }
  check_lags(lags, model);
  // Windows as wide as either S or the parents, and the token that follows each.
  const Index window = std::max(lags.empty() ? 0 : *std::max_element(lags.begin(), lags.end()),
                                kernels.longest_lag());
  const Index windows = power(d, window, "windows");
  std::vector<double> gih(size(kernels.count)), floor(size(kernels.count));
  parallel_ranges(kernels.count, 16, [&](Index begin, Index end) {
    for (Index chain = begin; chain < end; ++chain) {
      const std::span<const double> kernel = kernels.of_chain(chain);
      const std::vector<double> law = stationary_window_law(kernel, d, kernels.parents, window);
      std::vector<double> seen(size(power(d, static_cast<Index>(lags.size()), "windows") * d));
      for (Index z = 0; z < windows; ++z) {
        const double mass = law[size(z)];
        const auto row =
            kernel.subspan(size(context_of_window(z, window, d, kernels.parents) * d), size(d));
        const Index match = context_of_window(z, window, d, lags);
        for (Index e = 0; e < d; ++e) seen[size(match * d + e)] += mass * row[size(e)];
        if (mass > 0.0) floor[size(chain)] += mass * cross_entropy(row, row);
      }
      std::vector<double> y(size(d));
      for (auto row = seen.begin(); row != seen.end(); row += d) {
        const std::span<const double> target(row, row + d);
        const double mass = std::accumulate(target.begin(), target.end(), 0.0);
        if (!(mass > 0.0)) continue;
        for (std::size_t e = 0; e < y.size(); ++e) y[e] = target[e] / mass;
        read_out(model, y);
        gih[size(chain)] += cross_entropy(target, y);
      }
    }
  });
  return of_chains(gih, floor);
}

}  // namespace gihflow
