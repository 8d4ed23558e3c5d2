// Loss and gradient where exponentials over- and underflow, chains are nearly or wholly
// deterministic, and logarithms meet zero: every engine against the reference, and never a NaN.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <limits>

#include "gihflow/chain/kernel.hpp"
#include "gihflow/population/infinite.hpp"
#include "population/cases.hpp"
#include "support/settings.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

struct Chains {
  const char* name;
  Index vocabulary;
  std::shared_ptr<const SequenceSource> source;
};

std::shared_ptr<const Kernels> kernels(Index vocabulary, std::vector<Index> parents,
                                       std::vector<double> values) {
  Kernels k;
  k.vocabulary = vocabulary;
  k.parents = std::move(parents);
  k.values = std::move(values);
  k.count = static_cast<Index>(k.values.size()) / (k.contexts() * vocabulary);
  validate(k, "kernels");
  return std::make_shared<const Kernels>(std::move(k));
}

SamplingOptions options(Index chains, InitialLaw law = InitialLaw::stationary) {
  SamplingOptions o = sampling(chains, 40);
  o.initial_law = law;
  return o;
}

std::vector<Chains> extreme_chains() {
  SamplingOptions sparse = options(20);
  sparse.prior.alpha = 0.01;
  // The first chain ends in token 0; the second in 0 or in 2.
  const auto absorbing = kernels(3, {1},
                                 {1, 0, 0, 0.5, 0.25, 0.25, 0.25, 0.5, 0.25,  //
                                  1, 0, 0, 0.4, 0.2, 0.4, 0, 0, 1});
  // x_l = x_{l-2}, its negation, x_{l-1} and exclusive or.
  const auto deterministic = kernels(2, {1, 2}, {1, 0, 0, 1, 1, 0, 0, 1,  //
                                                 0, 1, 1, 0, 0, 1, 1, 0,  //
                                                 1, 0, 1, 0, 0, 1, 0, 1,  //
                                                 1, 0, 0, 1, 0, 1, 1, 0});
  return {{"Dirichlet(0.01)", 3, sample_prior(sparse)},
          {"absorbing", 3, sample_kernels(absorbing, options(10, InitialLaw::uniform))},
          {"deterministic", 2, sample_kernels(deterministic, options(12, InitialLaw::uniform))}};
}

std::vector<std::pair<std::string, Parameters>> extreme_points(const Model& model) {
  std::vector<std::pair<std::string, Parameters>> points;
  for (const double a : {0.0, 1.0, 1e3, -1e3}) {
    points.emplace_back(fmt::format("a = {}", a), generic_point(model, a));
    for (const double w : {1e3, -1e3}) {
      Parameters at = generic_point(model, a);
      for (std::size_t k = 0; k < at.w.size(); k += 2) at.w[k] = w;
      points.emplace_back(fmt::format("a = {}, w = {}", a, w), at);
    }
    for (const double theta : {-1e3, -1e8}) {
      Parameters at = generic_point(model, a);
      for (std::size_t s = 0; s < at.log_c_squared.size(); ++s)
        at.log_c_squared[s] = s == 4 ? 0.0 : theta;
      points.emplace_back(fmt::format("a = {}, theta = {}", a, theta), at);
    }
  }
  return points;
}

// |x − y| at most `tolerance` of the largest |y|, infinities equal, nothing NaN.
bool agree(const std::vector<double>& x, const std::vector<double>& y, double tolerance) {
  if (x.size() != y.size()) return false;
  double largest = 1e-2;  // derivatives of a loss of order 1
  for (const double value : y)
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (!(x[i] == y[i] || std::abs(x[i] - y[i]) <= tolerance * largest)) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("loss and gradient at extremes are those of the reference, and numbers") {
  for (const Chains& chains : extreme_chains()) {
    for (const double epsilon : {0.01, 0.0}) {
      for (const Boundary boundary : {Boundary::masked, Boundary::partial}) {
        Model model;
        model.vocabulary = chains.vocabulary;
        model.epsilon = epsilon;
        model.boundary = boundary;
        const auto reference = make_objective(model, *chains.source, Engine::reference);
        for (const auto& [words, at] : extreme_points(model)) {
          const std::string name = words;
          CAPTURE(chains.name);
          CAPTURE(epsilon);
          CAPTURE(name);
          Gradient expected, found;
          reference->gradient(point_of(at), expected);
          CHECK_FALSE(std::isnan(expected.loss));
          for (const Engine engine : {Engine::dense, Engine::sparse}) {
            const auto objective = make_objective(model, *chains.source, engine);
            CAPTURE(objective->engine());
            objective->gradient(point_of(at), found);
            // A score a·k carries the rounding errors of k, |a| times.
            const double tolerance = 1e-12 + 1e-14 * std::abs(at.a);
            CHECK(agree({found.loss}, {expected.loss}, tolerance));
            CHECK(objective->loss(point_of(at)) == found.loss);
            CHECK(agree(found.p, expected.p, tolerance));
            CHECK(agree(found.w, expected.w, tolerance));
            CHECK(agree({found.a}, {expected.a}, tolerance));
          }
        }
      }
    }
  }
}

TEST_CASE("with epsilon = 0 a label that the context lacks costs infinity and moves nothing") {
  Sequences sequences;
  sequences.vocabulary = 3;
  sequences.length = 7;
  sequences.count = 2;
  sequences.tokens = {0, 1, 0, 1, 0, 1, 0, 2,  // 2 never came before
                      0, 1, 2, 0, 1, 2, 0, 1};
  const auto both = std::make_shared<const Sequences>(sequences);
  sequences.tokens.erase(sequences.tokens.begin(), sequences.tokens.begin() + 8);
  sequences.count = 1;
  const auto second = std::make_shared<const Sequences>(sequences);
  Model model;
  model.epsilon = 0.0;
  const Parameters at = generic_point(model, 2.0);
  for (const Engine engine : {Engine::dense, Engine::sparse, Engine::reference}) {
    Gradient found, rest;
    const auto objective = make_objective(model, *stored_sequences(both), engine);
    CAPTURE(objective->engine());
    objective->gradient(point_of(at), found);
    make_objective(model, *stored_sequences(second), engine)->gradient(point_of(at), rest);
    CHECK(found.loss == std::numeric_limits<double>::infinity());
    CHECK(objective->loss(point_of(at)) == std::numeric_limits<double>::infinity());
    CHECK(std::isfinite(rest.loss));
    CHECK(std::abs(2.0 * found.a - rest.a) <= 1e-15);
    for (std::size_t k = 0; k < rest.w.size(); ++k)
      CHECK(std::abs(2.0 * found.w[k] - rest.w[k]) <= 1e-15);
  }
}

TEST_CASE("with epsilon = 0 a label whose weight underflows costs infinity and moves nothing") {
  SamplingOptions short_chains = sampling(100, 8);
  short_chains.prior.alpha = 0.3;
  const auto source = sample_prior(short_chains);
  Model model;
  model.epsilon = 0.0;
  const auto reference = make_objective(model, *source, Engine::reference);
  const auto dense = make_objective(model, *source, Engine::dense);
  const auto sparse = make_objective(model, *source, Engine::sparse);
  // Weights of some labels pass through the subnormal numbers, whose reciprocals are infinite.
  for (double a = 700.0; a < 2500.0; a *= 1.02) {
    CAPTURE(a);
    Parameters at = generic_point(model, a);
    for (double& w : at.w) w *= 0.5;
    Gradient expected, found;
    reference->gradient(point_of(at), expected);
    for (const Objective* objective : {dense.get(), sparse.get()}) {
      objective->gradient(point_of(at), found);
      CHECK(agree({found.loss}, {expected.loss}, 1e-11));
      CHECK(agree(found.p, expected.p, 1e-11));
      CHECK(agree(found.w, expected.w, 1e-11));
      CHECK(agree({found.a}, {expected.a}, 1e-11));
    }
  }
}

TEST_CASE("infinite context at extremes has a loss and a gradient") {
  const auto sharp = kernels(2, {1, 2},
                             {0.75, 0.25, 0, 1, 1, 0, 0.5, 0.5,  //
                              0, 1, 0.25, 0.75, 0, 1, 1, 0});
  for (const double epsilon : {0.01, 0.0}) {
    Model model;
    model.vocabulary = 2;
    model.epsilon = epsilon;
    const auto objective = make_infinite_objective(model, *sharp);
    for (const auto& [words, at] : extreme_points(model)) {
      const std::string name = words;
      CAPTURE(epsilon);
      CAPTURE(name);
      Gradient found;
      objective->gradient(point_of(at), found);
      CHECK_FALSE(std::isnan(found.loss));
      CHECK(found.loss >= 0.0);
      for (const double x : found.p) CHECK(std::isfinite(x));
      for (const double x : found.w) CHECK(std::isfinite(x));
      CHECK(std::isfinite(found.a));
    }
  }
}
