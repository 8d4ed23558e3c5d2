#include "gihflow/theory/predictors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "base/followers.hpp"
#include "base/make_fault.hpp"
#include "gihflow/base/digits.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/mean_error.hpp"
#include "gihflow/base/parallel.hpp"
#include "gihflow/base/size.hpp"
#include "gihflow/chain/stationary.hpp"
#include "gihflow/theory/accuracy.hpp"

namespace gihflow {

namespace {

constexpr Index chains_per_block = 16;
constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

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

// Writes (8.1) into y [d]; tokens [L + 1].
void predict_gih(std::span<const Token> tokens, const Model& model, std::span<const Index> lags,
                 std::span<double> y) {
  const Index length = static_cast<Index>(tokens.size()) - 1;
  const Index first = model.boundary == Boundary::masked ? model.widest() : 0;
  const Index longest = lags.empty() ? 0 : *std::max_element(lags.begin(), lags.end());

  // tokens[l] is x_{l+1}. A position with a lag before x_1 does not match. If the query has such a
  // lag, longest > length and there is no position.
  std::vector<Index> counts(y.size(), 0);
  const auto count = [&](Index begin, std::span<const Index> matched) {
    count_followers(tokens, begin, length, length, matched, counts);
    return std::accumulate(counts.begin(), counts.end(), Index{0});
  };
  Index matches = count(std::max(first, longest), lags);
  if (matches == 0) matches = count(first, {});
  for (std::size_t e = 0; e < y.size(); ++e)
    y[e] = static_cast<double>(counts[e]) / static_cast<double>(matches);
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

// Loss and accuracy of a predictor in each chain; NaN if none was added.
class Score {
 public:
  explicit Score(Index chains) : loss_(size(chains), unknown), right_(size(chains), unknown) {}

  // Adds loss and accuracy at a context of probability `mass`.
  void add(Index chain, double mass, std::span<const double> target, std::span<const double> law) {
    double &loss = loss_[size(chain)], &right = right_[size(chain)];
    if (std::isnan(loss)) loss = right = 0.0;
    loss += mass * cross_entropy(target, law);
    right += mass * right_answers(law, target);
  }
  PredictorLine line() const {
    if (std::isnan(loss_.front())) return {};
    const MeanError loss = mean_error(loss_), right = mean_error(right_);
    return {loss.mean, loss.error, right.mean, right.error};
  }

 private:
  std::vector<double> loss_, right_;
};

// The scores of all reference predictors.
struct PredictorScores {
  explicit PredictorScores(Index chains)
      : gih(chains),
        unigram(chains),
        bigram(chains),
        ngram(chains),
        posterior(chains),
        best(chains) {}

  Baselines lines() const {
    Baselines result;
    const PredictorLine own = gih.line(), belief = posterior.line(), floor = best.line();
    result.gih_loss = *own.loss;
    result.gih_loss_error = *own.loss_error;
    result.gih_accuracy = own.accuracy;
    result.gih_accuracy_error = own.accuracy_error;
    result.posterior_loss = belief.loss;
    result.posterior_loss_error = belief.loss_error;
    result.posterior_accuracy = belief.accuracy;
    result.posterior_accuracy_error = belief.accuracy_error;
    result.entropy_floor = *floor.loss;
    result.entropy_floor_error = *floor.loss_error;
    result.best_accuracy = floor.accuracy;
    result.best_accuracy_error = floor.accuracy_error;
    result.unigram = unigram.line();
    result.bigram = bigram.line();
    result.ngram = ngram.line();
    return result;
  }

  Score gih, unigram, bigram, ngram, posterior, best;
};

// The predictors that count in the context: each score with its set of lags, S first.
std::vector<std::pair<Score*, std::vector<Index>>> counting(PredictorScores& scores,
                                                            std::span<const Index> lags) {
  std::vector<Index> all(lags.empty() ? 0 : size(*std::max_element(lags.begin(), lags.end())));
  std::iota(all.begin(), all.end(), Index{1});
  return {{&scores.gih, {lags.begin(), lags.end()}},
          {&scores.unigram, {}},
          {&scores.bigram, {1}},
          {&scores.ngram, std::move(all)}};
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

PredictorLine predictor_line(std::span<const double> predictions, std::span<const double> targets,
                             const Model& model) {
  const std::size_t d = size(model.vocabulary);
  const Index chains = static_cast<Index>(predictions.size() / d);
  Score score(chains);
  for (Index chain = 0; chain < chains; ++chain) {
    const auto own = predictions.subspan(size(chain) * d, d);
    std::vector<double> law(own.begin(), own.end());
    read_out(model, law);
    score.add(chain, 1.0, targets.subspan(size(chain) * d, d), law);
  }
  return score.line();
}

Baselines baselines(const SequenceSource& source, const Model& model, std::span<const Index> lags) {
  const Index count = source.count(), length = source.length(), d = source.vocabulary();
  if (d != model.vocabulary) {
    throw InputError(fault(Field::vocabulary, fmt::format("{} of the sequences", d),
                           "must be the model's, {}", model.vocabulary));
  }
  check_lags(lags, model);
  check_length(length, model);

  PredictorScores scores(count);
  const auto predictors = counting(scores, lags);
  const Index asked = model.asked(length);
  const double share = 1.0 / static_cast<double>(asked);
  parallel_ranges(count, chains_per_block, [&](Index begin, Index end) {
    std::vector<double> law(size(d)), of_gih(size(d));
    for_sequences(source, begin, end, asked, [&](Index chain, auto all, auto targets) {
      for (Index i = 0; i < asked; ++i) {
        const std::span<const Token> tokens = all.first(size(length + 2 - asked + i));
        const std::span<const double> target = targets.subspan(size(i * d), size(d));
        for (const auto& [score, own_lags] : predictors) {
          if (score == &scores.gih || !std::ranges::equal(own_lags, lags)) {
            predict_gih(tokens, model, own_lags, law);
            read_out(model, law);
          } else {
            law = of_gih;
          }
          if (score == &scores.gih) of_gih = law;
          score->add(chain, share, target, law);
        }
        // (8.3): the Bayes law where it is known, else the kernel, else the targets.
        const Posterior belief = source.posterior_law(tokens, law);
        if (belief != Posterior::unknown) scores.posterior.add(chain, share, target, law);
        const bool known = belief == Posterior::exact || source.conditional_law(chain, tokens, law);
        const std::span<const double> best = known ? std::span<const double>(law) : target;
        scores.best.add(chain, share, best, best);
      }
    });
  });
  return scores.lines();
}

Baselines baselines(const Kernels& kernels, const Model& model, std::span<const Index> lags) {
  const Index d = kernels.vocabulary;
  if (d != model.vocabulary) {
    throw InputError(fault(Field::vocabulary, fmt::format("{} of the kernels", d),
                           "must be the model's, {}", model.vocabulary));
  }
  check_lags(lags, model);
  // Windows that contain S and the parents, and the token after each.
  const Index window = std::max({Index{1}, kernels.longest_lag(),
                                 lags.empty() ? 0 : *std::max_element(lags.begin(), lags.end())});
  const Index windows = power(d, window, "windows");
  PredictorScores scores(kernels.count);
  const auto predictors = counting(scores, lags);
  parallel_ranges(kernels.count, chains_per_block, [&](Index begin, Index end) {
    for (Index chain = begin; chain < end; ++chain) {
      const std::span<const double> kernel = kernels.of_chain(chain);
      const std::vector<double> law = stationary_window_law(kernel, d, kernels.parents, window);
      const auto row_of = [&](Index z) {
        return kernel.subspan(size(context_of_window(z, window, d, kernels.parents) * d), size(d));
      };
      for (Index z = 0; z < windows; ++z)
        if (law[size(z)] > 0.0) scores.best.add(chain, law[size(z)], row_of(z), row_of(z));
      for (const auto& [score, own_lags] : predictors) {
        std::vector<double> seen(
            size(power(d, static_cast<Index>(own_lags.size()), "windows") * d));
        for (Index z = 0; z < windows; ++z) {
          const Index match = context_of_window(z, window, d, own_lags);
          for (Index e = 0; e < d; ++e)
            seen[size(match * d + e)] += law[size(z)] * row_of(z)[size(e)];
        }
        std::vector<double> y(size(d));
        for (auto row = seen.begin(); row != seen.end(); row += d) {
          // Times the probability of the context
          const std::span<const double> target(row, row + d);
          const double mass = std::accumulate(target.begin(), target.end(), 0.0);
          if (!(mass > 0.0)) continue;
          for (std::size_t e = 0; e < y.size(); ++e) y[e] = target[e] / mass;
          read_out(model, y);
          score->add(chain, 1.0, target, y);
        }
      }
    }
  });
  return scores.lines();
}

}  // namespace gihflow
