#include "gihflow/population/reading.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/make_fault.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/size.hpp"
#include "gihflow/base/subsets.hpp"
#include "population/engines.hpp"
#include "population/reference.hpp"

namespace gihflow {

SequenceReader::SequenceReader(const Model& model, std::span<const Token> tokens)
    : model_(model), tokens_(tokens.begin(), tokens.end()) {
  const Index length = static_cast<Index>(tokens_.size()) - 1;
  const Index widest = model_.widest();
  if (model_.boundary == Boundary::masked) first_ = widest + 1;
  if (length < first_) {
    throw InputError(fault("tokens", tokens_.size(), "must be at least {} and the label", first_));
  }
  for (std::size_t l = 0; l + 1 < tokens_.size(); ++l) {
    if (tokens_[l] >= model_.vocabulary) {
      throw InputError(fault("tokens[" + std::to_string(l) + "]", tokens_[l], "must be below {}",
                             model_.vocabulary));
    }
  }
  std::map<std::vector<Token>, std::size_t> seen;
  for (Index l = first_; l <= length; ++l) {
    const Index width = std::min(widest, l - 1);
    const auto end = tokens_.begin() + l - 1;
    const auto [place, is_new] =
        seen.emplace(std::vector<Token>(end - width, end + (model_.sees_own_token() ? 1 : 0)),
                     representative_.size());
    if (is_new) representative_.push_back(l);
    window_of_.push_back(place->second);
  }
}

std::vector<Index> SequenceReader::first_alike() const {
  std::vector<Index> alike(size(first_ - 1), 0);
  for (const std::size_t window : window_of_) alike.push_back(representative_[window]);
  return alike;
}

Reading SequenceReader::read(const Point& at) const {
  require_arrays(model_, at);
  const auto length = static_cast<Index>(tokens_.size()) - 1;
  const std::vector<std::uint32_t> sets = subsets(model_.heads, model_.degree);
  const auto values = reference::values_of(at, at, [](double x, double) { return x; });
  const std::span<const Token> context = std::span(tokens_).first(size(length));
  const auto heads_at = [&](Index l) {
    std::vector<std::vector<double>> v;
    for (Index h = 0; h < model_.heads; ++h) {
      v.push_back(reference::head_output<double>(model_, context, l, h, values));
    }
    return v;
  };
  const auto query = heads_at(length + 1);
  std::vector<double> score;
  for (const Index l : representative_) {
    score.push_back(at.a *
                    reference::feature_kernel<double>(model_, sets, at.p, heads_at(l), query));
  }
  const double top = *std::max_element(score.begin(), score.end());
  for (double& x : score) x = std::exp(x - top);

  Reading reading{std::vector<double>(size(length), 0.0),
                  std::vector<double>(size(model_.vocabulary), 0.0)};
  double total = 0.0;
  for (const std::size_t window : window_of_) total += score[window];
  for (Index l = first_; l <= length; ++l) {
    const double weight = score[window_of_[size(l - first_)]] / total;
    reading.weights[size(l - 1)] = weight;
    reading.law[tokens_[size(l - 1)]] += weight;
  }
  if (model_.readout == Readout::softmax) {
    reading.law = softmax(reading.law);
  } else {
    const double scale = 1.0 + static_cast<double>(model_.vocabulary) * model_.epsilon;
    for (double& y : reading.law) y = (y + model_.epsilon) / scale;
  }
  return reading;
}

}  // namespace gihflow
