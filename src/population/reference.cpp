#include "population/reference.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "gihflow/base/mean_error.hpp"
#include "gihflow/base/parallel.hpp"
#include "gihflow/base/subsets.hpp"
#include "population/engines.hpp"
#include "population/jet.hpp"

namespace gihflow {

namespace {

using First = reference::Jet<double>;
using Second = reference::Jet<First>;

class ReferenceObjective final : public Objective {
 public:
  ReferenceObjective(const Model& model, const SequenceSource& source)
      : model_(model),
        sequences_(collect(source)),
        asked_(model.asked(source.length())),
        labels_(static_cast<std::size_t>(sequences_.count * asked_ * model.vocabulary)),
        subsets_(subsets(model.heads, model.degree)),
        size_(row_size(model) - 1) {
    std::vector<Token> tokens(static_cast<std::size_t>(source.length() + 1));
    for (Index i = 0; i < chains(); ++i) source.draw(i, tokens, labels_of(i));
  }

  const Model& model() const override { return model_; }
  Index chains() const override { return sequences_.count; }
  std::string engine() const override { return "reference"; }
  std::size_t memory() const override {
    return sequences_.tokens.size() * sizeof(Token) +
           (sequences_.targets.size() + labels_.size()) * sizeof(double);
  }

  double loss(const Point& at) const override {
    require_arrays(model_, at);
    const auto values = reference::values_of(at, at, [](double x, double) { return x; });
    std::vector<double> losses(static_cast<std::size_t>(chains()));
    parallel_ranges(chains(), 16, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) losses[static_cast<std::size_t>(i)] = chain(i, values);
    });
    return mean_error(losses).mean;
  }

  void gradient(const Point& at, Gradient& out, bool) const override {
    std::vector<Index> all(static_cast<std::size_t>(chains()));
    std::iota(all.begin(), all.end(), Index{0});
    mean_gradient(all, at, out);
  }

  void batch_gradient(std::span<const Index> chains, const Point& at,
                      Gradient& out) const override {
    std::vector<Index> ordered(chains.begin(), chains.end());
    std::sort(ordered.begin(), ordered.end());
    mean_gradient(ordered, at, out);
    out.loss = std::numeric_limits<double>::quiet_NaN();
  }

  void gradient_along(const Point& at, const Point& along, Gradient& out,
                      Gradient& derivative) const override {
    require_arrays(model_, along);
    gradient(at, out, true);
    // The derivative of the gradient along a direction: jets in all variables, whose numbers are
    // jets in the one variable that moves along the direction.
    std::vector<double> rows(static_cast<std::size_t>(chains() * (size_ + 1)));
    parallel_ranges(chains(), 1, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        Index next = 0;
        const auto variable = [&](double value, double direction) {
          std::vector<First> unit(static_cast<std::size_t>(size_));
          unit[static_cast<std::size_t>(next++)] = 1.0;
          return Second(First(value, {direction}), unit);
        };
        const Second loss = chain(i, reference::values_of(at, along, variable));
        double* row = rows.data() + i * (size_ + 1);
        auto tangent = [](const First& x) { return x.slope(0); };
        row[0] = tangent(loss.v);
        for (Index j = 0; j < size_; ++j)
          row[1 + j] = tangent(loss.slope(static_cast<std::size_t>(j)));
      }
    });
    std::vector<double> mean(static_cast<std::size_t>(size_ + 1), 0.0);
    for (std::size_t i = 0; i < rows.size(); ++i)
      mean[i % static_cast<std::size_t>(size_ + 1)] += rows[i];
    for (double& x : mean) x /= static_cast<double>(chains());
    unpack(mean, derivative);
  }

  StandardErrors standard_errors(const Parameters& at) const override {
    std::vector<double> rows = rows_of(point_of(at));
    Gradient g;
    for (Index i = 0; i < chains(); ++i) {
      double* row = rows.data() + i * (size_ + 1);
      unpack({row, row + size_ + 1}, g);
      std::vector<double> c = c_gradient(at, g);
      std::copy(c.begin(), c.end(), row + 1);
    }
    return errors_of_rows(rows, model_);
  }

 private:
  /// Label laws of the predicted tokens of a chain [asked, d]: one, or with (1.6) its last ones.
  std::span<double> labels_of(Index i) {
    const Index numbers = asked_ * model_.vocabulary;
    return {labels_.data() + i * numbers, static_cast<std::size_t>(numbers)};
  }

  /// The loss of a chain: the mean over its predicted tokens, each given its own prefix (1.6).
  template <class T>
  T chain(Index i, const reference::Values<T>& at) const {
    const std::span<const Token> tokens = sequences_.tokens_of(i);
    const auto d = static_cast<std::size_t>(model_.vocabulary);
    const double* label = labels_.data() + i * asked_ * model_.vocabulary;
    T sum(0.0);
    for (Index left = asked_ - 1; left >= 0; --left, label += d)
      sum += reference::chain_loss<T>(model_, subsets_,
                                      tokens.first(tokens.size() - static_cast<std::size_t>(left)),
                                      {label, d}, at);
    return sum / static_cast<double>(asked_);
  }

  void mean_gradient(std::span<const Index> chains, const Point& at, Gradient& out) const {
    std::vector<double> rows = rows_of(at);
    std::vector<double> mean(static_cast<std::size_t>(size_ + 1), 0.0);
    for (Index i : chains)
      for (Index j = 0; j <= size_; ++j)
        mean[static_cast<std::size_t>(j)] += rows[static_cast<std::size_t>(i * (size_ + 1) + j)];
    for (double& x : mean) x /= static_cast<double>(chains.size());
    unpack(mean, out);
  }

  /// Loss and derivatives in p and the plain blocks of every chain [N, 1 + size].
  std::vector<double> rows_of(const Point& at) const {
    require_arrays(model_, at);
    std::vector<double> rows(static_cast<std::size_t>(chains() * (size_ + 1)));
    parallel_ranges(chains(), 1, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        Index next = 0;
        const auto variable = [&](double value, double) {
          std::vector<double> unit(static_cast<std::size_t>(size_), 0.0);
          unit[static_cast<std::size_t>(next++)] = 1.0;
          return First(value, unit);
        };
        const First loss = chain(i, reference::values_of(at, at, variable));
        double* row = rows.data() + i * (size_ + 1);
        row[0] = loss.v;
        for (Index j = 0; j < size_; ++j) row[1 + j] = loss.slope(static_cast<std::size_t>(j));
      }
    });
    return rows;
  }

  void unpack(const std::vector<double>& row, Gradient& out) const {
    auto next = row.begin() + 1 + model_.subsets();
    out.loss = row[0];
    out.p.assign(row.begin() + 1, next);
    out.attention.clear();
    for (const PlainArray& array : plain_arrays) {
      const Index n = size_of(array, model_);
      if (n == 0) continue;
      array.assign(out, std::vector<double>(next, next + n));
      next += n;
    }
  }

  Model model_;
  Sequences sequences_;
  Index asked_;
  std::vector<double> labels_;  ///< [N, asked, d]
  std::vector<std::uint32_t> subsets_;
  Index size_;  ///< number of parameters, p and the plain blocks
};

}  // namespace

MemoryBound reference_memory(const Model& model, Index chains, Index length) {
  const double n = static_cast<double>(chains), d = static_cast<double>(model.vocabulary),
               L = static_cast<double>(length), H = static_cast<double>(model.heads),
               numbers = static_cast<double>(row_size(model));
  // A number with its derivatives in all variables, each with its derivative along a direction.
  const double jet = 80.0 * (numbers + 1.0);
  MemoryBound bound;
  bound.kept = n * (2.0 * (L + 1.0) + 8.0 * d * (1.0 + static_cast<double>(model.asked(length))));
  bound.peak = bound.kept + 8.0 * n * (2.0 * numbers + 2.0) +
               threads() * jet * (2.0 * L + 4.0 * H * d + 4.0 * numbers);
  return bound;
}

std::unique_ptr<Objective> make_reference_objective(const Model& model,
                                                    const SequenceSource& source) {
  return std::make_unique<ReferenceObjective>(model, source);
}

}  // namespace gihflow
