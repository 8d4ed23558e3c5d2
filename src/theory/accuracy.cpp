#include "gihflow/theory/accuracy.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gihflow/base/mean_error.hpp"
#include "gihflow/base/size.hpp"
#include "gihflow/population/objective.hpp"
#include "gihflow/population/window_sample.hpp"

namespace gihflow {

namespace {

constexpr double numbers_at_once = 2e5;  // window counts in memory at a time
constexpr Index fewest_at_once = 64;     // chains at a time, for all threads

// Number of chains whose counts are in memory at a time.
Index chains_at_once(const Model& model, Index chains, Index length) {
  const Index asked = model.asked(length);
  const double counts = static_cast<double>(asked * model.vocabulary) * most_windows(model, length);
  const Index fewest = std::max<Index>(1, fewest_at_once / asked);
  return std::min(chains, std::max(fewest, static_cast<Index>(numbers_at_once / counts)));
}

Accuracy over_chains(const std::vector<double>& right) {
  const MeanError mean = mean_error(right);
  return {mean.mean, mean.error};
}

// Appends the accuracy of each chain, the mean over its `labels` rows.
void append_right(std::span<const double> predictions, std::span<const double> targets,
                  Index vocabulary, Index labels, std::vector<double>& right) {
  const std::size_t d = size(vocabulary);
  for (std::size_t begin = 0; begin < predictions.size();) {
    double sum = 0.0;
    for (Index label = 0; label < labels; ++label, begin += d)
      sum += right_answers(predictions.subspan(begin, d), targets.subspan(begin, d));
    right.push_back(sum / static_cast<double>(labels));
  }
}

}  // namespace

double right_answers(std::span<const double> y, std::span<const double> target) {
  const double top = *std::max_element(y.begin(), y.end());
  double sum = 0.0, maximisers = 0.0;
  for (std::size_t e = 0; e < y.size(); ++e) {
    if (y[e] != top) continue;
    sum += target[e];
    maximisers += 1.0;
  }
  return sum / maximisers;
}

Accuracy accuracy(std::span<const double> predictions, std::span<const double> targets,
                  Index vocabulary, Index labels) {
  std::vector<double> right;
  append_right(predictions, targets, vocabulary, labels, right);
  return over_chains(right);
}

Accuracy model_accuracy(const SequenceSource& source, const Model& model,
                        const Parameters& parameters) {
  const Index at_once = chains_at_once(model, source.count(), source.length());
  const Point at = point_of(parameters);
  std::vector<double> right;
  for (Index first = 0; first < source.count(); first += at_once) {
    const WindowSample sample(
        model, SequenceSlice(source, first, std::min(at_once, source.count() - first)));
    append_right(sample.predict(sample.scores(at), parameters.a), sample.targets(),
                 model.vocabulary, model.asked(source.length()), right);
  }
  return over_chains(right);
}

double accuracy_memory(const Model& model, Index chains, Index length) {
  return window_sample_memory(model, chains_at_once(model, chains, length), length) +
         8.0 * 2.0 * static_cast<double>(chains);  // accuracies of the chains, an array that grows
}

}  // namespace gihflow
