// The exact oracle of theory §5 for small problems: with the uniform initial law the Dirichlet
// prior integrates out, P(x) = d^{−r_n} Π_z B(α + n_z)/B(α), and every sequence can be visited.

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "gihflow/base/subsets.hpp"
#include "population/engines.hpp"
#include "population/jet.hpp"
#include "population/reference.hpp"
#include "support/settings.hpp"
#include "support/statistics.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

/// Every binary sequence x_1 … x_L with its probability and its posterior label law.
struct Enumeration {
  Index length;
  std::vector<std::vector<Token>> tokens;    // [2^L][L + 1], the label column 0
  std::vector<double> probability;           // [2^L]
  std::vector<std::vector<double>> targets;  // [2^L][2]

  Enumeration(Index sequence_length, const std::vector<Index>& parents, double alpha)
      : length(sequence_length) {
    const Index oldest = parents.back(), contexts = Index{1} << parents.size();
    for (Index code = 0; code < Index{1} << length; ++code) {
      std::vector<Token> x(static_cast<std::size_t>(length + 1));
      for (Index l = 0; l < length; ++l) x[static_cast<std::size_t>(l)] = code >> l & 1;
      auto context = [&](Index l) {  // of position l, 0-based
        Index z = 0;
        for (Index r : parents) z = 2 * z + x[static_cast<std::size_t>(l - r)];
        return static_cast<std::size_t>(z);
      };
      std::vector<std::array<double, 2>> counts(static_cast<std::size_t>(contexts));
      for (Index l = oldest; l < length; ++l) ++counts[context(l)][x[static_cast<std::size_t>(l)]];
      double log_probability = -static_cast<double>(oldest) * std::log(2.0);
      for (const auto& n : counts)
        log_probability += std::lgamma(alpha + n[0]) + std::lgamma(alpha + n[1]) -
                           std::lgamma(2 * alpha + n[0] + n[1]) - 2 * std::lgamma(alpha) +
                           std::lgamma(2 * alpha);
      const auto& n = counts[context(length)];
      const double total = n[0] + n[1] + 2 * alpha;
      tokens.push_back(x);
      probability.push_back(std::exp(log_probability));
      targets.push_back({(n[0] + alpha) / total, (n[1] + alpha) / total});
    }
  }
};

/// The enumeration as data: weights go into the targets, in which every loss is linear.
class Weighted final : public SequenceSource {
 public:
  explicit Weighted(const Enumeration& all) : all_(all) {}
  Index vocabulary() const override { return 2; }
  Index length() const override { return all_.length; }
  Index count() const override { return static_cast<Index>(all_.tokens.size()); }
  void draw(Index chain, std::span<Token> tokens, std::span<double> targets) const override {
    const auto i = static_cast<std::size_t>(chain);
    std::copy(all_.tokens[i].begin(), all_.tokens[i].end(), tokens.begin());
    for (std::size_t e = 0; e < 2; ++e)
      targets[e] = all_.targets[i][e] * all_.probability[i] * static_cast<double>(count());
  }

 private:
  const Enumeration& all_;
};

/// Loss, ∂𝓛/∂p, ∂𝓛/∂w, ∂𝓛/∂a summed over the enumeration, straight from (2.1)–(2.4).
std::vector<double> exact(const Enumeration& all, const Model& model, const Point& at) {
  using First = reference::Jet<double>;
  std::size_t size = at.p.size();
  for (const PlainArray& array : plain_arrays) size += array.in(at).size();
  std::vector<double> result(size + 1);
  const auto masks = subsets(model.heads, model.degree);
  for (std::size_t i = 0; i < all.tokens.size(); ++i) {
    std::size_t next = 0;
    const auto variable = [&](double value, double) {
      std::vector<double> unit(size);
      unit[next++] = 1.0;
      return First(value, unit);
    };
    const First loss = reference::chain_loss(model, masks, all.tokens[i], all.targets[i],
                                             reference::values_of(at, at, variable));
    result[0] += all.probability[i] * loss.v;
    for (std::size_t j = 0; j < size; ++j) result[1 + j] += all.probability[i] * loss.d[j];
  }
  return result;
}

struct Case {
  Model model;
  std::vector<Index> parents;
  double alpha;
};

std::vector<Case> cases() {
  const Model masked{.vocabulary = 2, .window = 2, .heads = 2};
  const Model partial{.vocabulary = 2,
                      .window = 2,
                      .heads = 2,
                      .boundary = Boundary::partial,
                      .head_windows = HeadWindows::shifted,
                      .head_normalization = HeadNormalization::l2,
                      .readout = Readout::softmax};
  return {{masked, {1, 2}, 0.1}, {masked, {1}, 1.0}, {partial, {1, 2}, 0.5}, {masked, {3}, 0.3}};
}

}  // namespace

TEST_CASE("engines agree with the exact expectation over all sequences") {
  for (const Case& c : cases()) {
    const Enumeration all(10, c.parents, c.alpha);
    CHECK(std::abs(std::accumulate(all.probability.begin(), all.probability.end(), 0.0) - 1.0) <=
          tolerance<double>(1024, 8));
    const Point at = point_of(generic_point(c.model));
    const std::vector<double> expected = exact(all, c.model, at);
    for (Engine engine : {Engine::dense, Engine::sparse}) {
      const auto objective = make_objective(c.model, Weighted(all), engine);
      Gradient g;
      objective->gradient(at, g);
      CHECK(relative_difference(flat(g), expected) <= tolerance<double>(1024, 4));
    }
  }
}

TEST_CASE("sampled chains estimate the exact expectation within their standard errors") {
  // Bonferroni over the components; p-value at least least_p_value in each case.
  for (const Case& c : cases())
    for (Labels labels : {Labels::posterior, Labels::conditional, Labels::sampled}) {
      CAPTURE(static_cast<int>(labels));
      const Enumeration all(10, c.parents, c.alpha);
      const Parameters parameters = generic_point(c.model);
      SamplingOptions options = sampling(20000, 10);
      options.prior = {.vocabulary = 2, .parents = c.parents, .alpha = c.alpha};
      options.initial_law = InitialLaw::uniform;
      options.labels = labels;
      const auto objective = make_objective(c.model, *sample_prior(options));
      Gradient found, expected;
      objective->gradient(point_of(parameters), found);
      const StandardErrors errors = objective->standard_errors(parameters);
      const std::vector<double> row = exact(all, c.model, point_of(parameters));
      expected.loss = row[0];
      expected.p.assign(row.begin() + 1, row.begin() + 1 + c.model.subsets());
      expected.w.assign(row.begin() + 1 + c.model.subsets(), row.end() - 1);
      expected.a = row.back();
      std::vector<double> z{(found.loss - expected.loss) / errors.loss,
                            (found.a - expected.a) / errors.a};
      const auto fc = c_gradient(parameters, found), ec = c_gradient(parameters, expected);
      for (std::size_t i = 0; i < fc.size(); ++i) z.push_back((fc[i] - ec[i]) / errors.c[i]);
      for (std::size_t i = 0; i < found.w.size(); ++i)
        z.push_back((found.w[i] - expected.w[i]) / errors.w[i]);
      for (double x : z)
        CHECK(static_cast<double>(z.size()) * std::erfc(std::abs(x) / std::sqrt(2.0)) >=
              least_p_value);
    }
}
