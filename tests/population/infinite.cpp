// The objective in infinite context against (5.1) read off literally: each window's features by
// position from the tokens, sums chain by chain, derivatives by automatic differentiation.

#include "gihflow/population/infinite.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <span>

#include "gihflow/base/digits.hpp"
#include "gihflow/base/subsets.hpp"
#include "gihflow/chain/prior.hpp"
#include "gihflow/chain/stationary.hpp"
#include "population/jet.hpp"
#include "population/reference.hpp"
#include "support/input_errors.hpp"
#include "support/settings.hpp"
#include "support/threads.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

using First = reference::Jet<double>;
using Second = reference::Jet<First>;

/// Loss of one chain, (5.1), from the law of windows of length R = max(W, r_n).
template <class T>
T literal_loss(const Model& model, const Kernels& kernels, Index chain,
               const reference::Values<T>& at) {
  using std::exp;
  using std::log;
  const Index d = model.vocabulary, W = model.widest(), R = std::max(W, kernels.longest_lag());
  const auto masks = subsets(model.heads, model.degree);
  const auto kernel = kernels.of_chain(chain);
  const std::vector<double> mu = stationary_window_law(kernel, d, kernels.parents, R);
  // μ(Z,e) and μ(Z), windows of length W.
  const Index windows = power(d, W, "windows"), older = power(d, R - W, "windows");
  std::vector<double> joint(static_cast<std::size_t>(windows * d)),
      law(static_cast<std::size_t>(windows));
  for (Index z = 0; z < windows * older; ++z) {
    const Index context = context_of_window(z, R, d, kernels.parents);
    law[static_cast<std::size_t>(z / older)] += mu[static_cast<std::size_t>(z)];
    for (Index e = 0; e < d; ++e)
      joint[static_cast<std::size_t>(z / older * d + e)] +=
          mu[static_cast<std::size_t>(z)] * kernel[static_cast<std::size_t>(context * d + e)];
  }
  // Heads of the position after each window.
  std::vector<std::vector<std::vector<T>>> heads;
  for (Index z = 0; z < windows; ++z) {
    std::vector<Token> tokens(static_cast<std::size_t>(W));
    Index rest = z;
    for (Index j = 0; j < W; ++j, rest /= d)
      tokens[static_cast<std::size_t>(j)] = static_cast<Token>(rest % d);
    heads.emplace_back();
    for (Index h = 0; h < model.heads; ++h)
      heads.back().push_back(reference::head_output<T>(model, tokens, W + 1, h, at));
  }
  T loss(0.0);
  for (Index q = 0; q < windows; ++q) {
    const double mass = law[static_cast<std::size_t>(q)];
    if (mass == 0.0) continue;
    std::vector<T> score;
    for (Index z = 0; z < windows; ++z)
      score.push_back(at.a * reference::feature_kernel<T>(model, masks, at.p,
                                                          heads[static_cast<std::size_t>(z)],
                                                          heads[static_cast<std::size_t>(q)]));
    T top(-HUGE_VAL);
    for (Index z = 0; z < windows; ++z)
      if (law[static_cast<std::size_t>(z)] > 0.0 && score[static_cast<std::size_t>(z)] > top)
        top = score[static_cast<std::size_t>(z)];
    std::vector<T> y(static_cast<std::size_t>(d), T(0.0));
    T den(0.0);
    for (Index z = 0; z < windows; ++z) {
      if (law[static_cast<std::size_t>(z)] == 0.0) continue;
      const T weight = exp(score[static_cast<std::size_t>(z)] - top);
      den += law[static_cast<std::size_t>(z)] * weight;
      for (Index e = 0; e < d; ++e)
        y[static_cast<std::size_t>(e)] += joint[static_cast<std::size_t>(z * d + e)] * weight;
    }
    T normaliser(0.0);
    for (T& x : y) {
      x /= den;
      normaliser += exp(x);
    }
    for (Index e = 0; e < d; ++e) {
      // T(e|q): π where the window holds every parent, else the law given what it holds.
      const double t = W >= kernels.longest_lag()
                           ? kernel[static_cast<std::size_t>(
                                 context_of_window(q, W, d, kernels.parents) * d + e)]
                           : joint[static_cast<std::size_t>(q * d + e)] / mass;
      const T& x = y[static_cast<std::size_t>(e)];
      if (t == 0.0) continue;
      if (model.readout == Readout::softmax)
        loss -= (mass * t) * (x - log(normaliser));
      else
        loss -=
            (mass * t) * log((x + model.epsilon) / (1.0 + static_cast<double>(d) * model.epsilon));
    }
  }
  return loss;
}

/// So many chains, which have the given kernels in turn.
Kernels in_turn(const Kernels& few, Index count) {
  Kernels all = few;
  all.count = count;
  all.values.clear();
  for (Index i = 0; i < count; ++i) {
    const std::span<const double> kernel = few.of_chain(i % few.count);
    all.values.insert(all.values.end(), kernel.begin(), kernel.end());
  }
  return all;
}

/// Loss and gradient of one chain; with `along`, their derivative in that direction.
std::vector<double> literal(const Model& model, const Kernels& kernels, Index chain,
                            const Point& at, const Point* along) {
  std::size_t size = at.p.size(), next = 0;
  for (const PlainArray& array : plain_arrays) size += array.in(at).size();
  auto variable = [&](double value, double direction) {
    std::vector<First> unit(size);
    unit[next++] = 1.0;
    return Second(along ? First(value, {direction}) : First(value), unit);
  };
  const Second loss =
      literal_loss(model, kernels, chain, reference::values_of(at, along ? *along : at, variable));
  auto part = [&](const First& x) { return !along ? x.v : x.d.empty() ? 0.0 : x.d[0]; };
  std::vector<double> numbers{part(loss.v)};
  for (std::size_t j = 0; j < size; ++j) numbers.push_back(part(loss.d[j]));
  return numbers;
}

/// The same of the mean over chains. Chains of one kernel are computed once.
std::vector<double> literal(const Model& model, const Kernels& kernels, const Point& at,
                            const Point* along) {
  std::vector<double> mean;
  std::map<std::vector<double>, std::vector<double>> of_kernel;
  for (Index i = 0; i < kernels.count; ++i) {
    const std::span<const double> kernel = kernels.of_chain(i);
    std::vector<double>& one = of_kernel[{kernel.begin(), kernel.end()}];
    if (one.empty()) one = literal(model, kernels, i, at, along);
    mean.resize(one.size());
    for (std::size_t j = 0; j < one.size(); ++j)
      mean[j] += one[j] / static_cast<double>(kernels.count);
  }
  return mean;
}

Kernels kernels_of(Index vocabulary, std::vector<Index> parents, Index count, double alpha = 0.5) {
  return draw_kernels({.vocabulary = vocabulary, .parents = std::move(parents), .alpha = alpha}, 5,
                      Purpose::test, count);
}

struct Case {
  std::string name;
  Model model;
  Kernels kernels;
  double a = 1.7;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  const Model paper;
  const Model published{.boundary = Boundary::partial,
                        .head_windows = HeadWindows::shifted,
                        .head_normalization = HeadNormalization::l2,
                        .readout = Readout::softmax};
  const Model narrow{.window = 2, .heads = 2};
  all.push_back({"paper", paper, kernels_of(3, {1, 2}, 2)});
  all.push_back({"one chain of a small alpha", paper, kernels_of(3, {1, 2}, 1, 0.05)});
  all.push_back({"published conventions",
                 {.vocabulary = 2,
                  .window = 2,
                  .heads = 3,
                  .boundary = published.boundary,
                  .head_windows = published.head_windows,
                  .head_normalization = published.head_normalization,
                  .readout = published.readout},
                 kernels_of(2, {1, 2}, 3)});
  Model model = narrow;
  model.head_normalization = HeadNormalization::l2;
  all.push_back({"l2", model, kernels_of(3, {1, 2}, 3)});
  model = narrow;
  model.readout = Readout::softmax;
  all.push_back({"softmax", model, kernels_of(3, {1}, 3)});
  model = narrow;
  model.epsilon = 0.0;
  all.push_back({"epsilon 0", model, kernels_of(3, {1}, 3)});
  all.push_back({"parents beyond the window", narrow, kernels_of(3, {1, 3}, 3)});
  all.push_back({"parents far beyond the window", narrow, kernels_of(3, {1, 4}, 2)});
  all.push_back({"a = 0", narrow, kernels_of(3, {1, 2}, 2), 0.0});
  all.push_back({"negative a", narrow, kernels_of(3, {1, 2}, 2), -2.5});
  all.push_back({"ranges of more than one tile",
                 {.vocabulary = 5, .window = 1, .heads = 1, .degree = 1},
                 in_turn(kernels_of(5, {1}, 7), 1601)});
  all.push_back({"panels of queries",
                 {.vocabulary = 2, .window = 9, .heads = 1, .degree = 1},
                 kernels_of(2, {1, 2}, 1)});
  model = narrow;
  model.heads = 3;
  model.degree = 3;
  all.push_back({"degree 3", model, kernels_of(2, {1}, 2)});
  all.back().model.vocabulary = 2;
  return all;
}

}  // namespace

TEST_CASE("loss, gradient and second derivatives in infinite context are those of (5.1)") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    const auto objective = make_infinite_objective(c.model, c.kernels);
    CHECK(objective->engine() == "infinite");
    CHECK(objective->chains() == c.kernels.count);
    const Point at = point_of(generic_point(c.model, c.a)), along = direction_of(at);
    Gradient found, again, derivative;
    objective->gradient(at, found);
    const double windows = std::pow(c.model.vocabulary, c.model.widest());
    const auto expected = literal(c.model, c.kernels, at, nullptr);
    CHECK(relative_difference(flat(found), expected) <= tolerance<double>(windows, 32));
    objective->gradient_along(at, along, again, derivative);
    CHECK(relative_difference(flat(again), flat(found)) <= tolerance<double>(windows));
    CHECK(relative_difference(flat(derivative), literal(c.model, c.kernels, at, &along)) <=
          tolerance<double>(windows, 1024));
    CHECK(objective->loss(at) == found.loss);
    objective->gradient(at, again, false);
    CHECK(std::isnan(again.loss));
    CHECK(again.w == found.w);
  }
}

TEST_CASE("the infinite-context gradient agrees with central differences of its loss") {
  const Model model;
  const auto objective = make_infinite_objective(model, kernels_of(3, {1, 2}, 70, 0.1));
  Point at = point_of(generic_point(model));
  Gradient g;
  objective->gradient(at, g);
  std::vector<double> numeric{g.loss};
  const double step = 1e-5;
  auto vary = [&](double& x) {
    const double x0 = x;
    x = x0 + step;
    const double above = objective->loss(at);
    x = x0 - step;
    numeric.push_back((above - objective->loss(at)) / (2.0 * step));
    x = x0;
  };
  for (double& x : at.p) vary(x);
  for (double& x : at.w) vary(x);
  vary(at.a);
  // The step's own error, third derivative · step²/6, beside rounding / step.
  CHECK(relative_difference(numeric, flat(g)) <= 1e-9);
}

TEST_CASE("independent tokens leave nothing to learn") {
  const Model model{.window = 2, .heads = 2};
  const Kernels kernels = kernels_of(3, {}, 3);
  const auto objective = make_infinite_objective(model, kernels);
  const Point at = point_of(generic_point(model));
  Gradient g;
  objective->gradient(at, g);
  CHECK(std::abs(g.loss - literal(model, kernels, at, nullptr)[0]) <= tolerance<double>(32));
  g.loss = 0.0;
  for (double x : flat(g)) CHECK(std::abs(x) <= tolerance<double>(8));
}

TEST_CASE("the derivative in attention is that of the logits without the factor attention") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    const auto objective = make_infinite_objective(c.model, c.kernels);
    const Parameters parameters = generic_point(c.model, c.a);
    const Point at = point_of(parameters), along = direction_of(at);
    const std::vector<double> sigma = parameters.attention();
    Gradient g, derivative;
    objective->gradient_along(at, along, g, derivative);
    const double step = 1e-5;
    Gradient above, below;
    auto moved = [&](double distance) {
      Point there = at;
      for (std::size_t i = 0; i < at.p.size(); ++i) there.p[i] += distance * along.p[i];
      for (std::size_t i = 0; i < at.w.size(); ++i) there.w[i] += distance * along.w[i];
      there.a += distance * along.a;
      return there;
    };
    objective->gradient(moved(step), above);
    objective->gradient(moved(-step), below);
    std::vector<double> w, numeric;
    for (std::size_t i = 0; i < sigma.size(); ++i) {
      w.push_back(sigma[i] * g.attention[i]);
      numeric.push_back((above.attention[i] - below.attention[i]) / (2.0 * step));
    }
    CHECK(relative_difference(w, g.w) <= tolerance<double>(8));
    if (c.model.window > 1) CHECK(relative_difference(numeric, derivative.attention) <= 1e-8);
  }
}

TEST_CASE("a large a neither overflows nor loses the best windows") {
  // ε = 0, one-hot attention: y(q) → π as a grows, and the loss tends to the entropy of the chain.
  Model model{.window = 2, .heads = 2};
  for (double epsilon : {0.01, 0.0})
    for (Readout readout : {Readout::log, Readout::softmax}) {
      model.epsilon = epsilon;
      model.readout = readout;
      const Kernels kernels = kernels_of(3, {1, 2}, 3, 0.3);
      const auto objective = make_infinite_objective(model, kernels);
      for (double a : {590.0, 700.0, 1e3, 1e5, -1e3, -1e5}) {
        CAPTURE(a);
        CAPTURE(epsilon);
        Point at = point_of(generic_point(model, a));
        // Windows that match the query's first token compete for its second, by about 1 in a·k.
        at.w = {30.0, 0.0, 0.0, 30.0};
        at.p = {0.0, 1.0 - 1.0 / std::abs(a), 1.0 / std::abs(a), 0.0};
        Gradient g, value, derivative;
        objective->gradient(at, g);
        const Point along = direction_of(at);
        objective->gradient_along(at, along, value, derivative);
        for (double x : flat(g)) CHECK(std::isfinite(x));
        for (double x : flat(derivative)) CHECK(std::isfinite(x));
        CHECK(relative_difference(flat(value), flat(g)) <= tolerance<double>(16));
        if (epsilon > 0.0 || readout == Readout::softmax) {
          const double conditioning = std::abs(a);
          CHECK(relative_difference(flat(g), literal(model, kernels, at, nullptr)) <=
                tolerance<double>(16, conditioning));
          CHECK(relative_difference(flat(derivative), literal(model, kernels, at, &along)) <=
                tolerance<double>(64, conditioning * conditioning));
        } else {
          // The literal form underflows here: the derivative of the loss along p, in large steps.
          const double step = 1e-4 / std::abs(a);
          Point there = at;
          for (std::size_t i = 0; i < at.p.size(); ++i) there.p[i] = at.p[i] + step * along.p[i];
          const double above = objective->loss(there);
          for (std::size_t i = 0; i < at.p.size(); ++i) there.p[i] = at.p[i] - step * along.p[i];
          const double slope = (above - objective->loss(there)) / (2.0 * step);
          double exact = 0.0;
          for (std::size_t i = 0; i < at.p.size(); ++i) exact += g.p[i] * along.p[i];
          CHECK(std::abs(slope - exact) <= 1e-6 * std::abs(exact));
        }
      }
    }
  // Both sides of the spread at which sums go into logarithms.
  model.epsilon = 0.01;
  model.readout = Readout::log;
  const auto objective = make_infinite_objective(model, kernels_of(3, {1, 2}, 9, 0.05));
  Point at = point_of(generic_point(model));
  at.w = {1000.0, 0.0, 0.0, 1000.0};
  at.p = {0.0, 0.0, 0.0, 1.0};
  Gradient below, above;
  at.a = 600.0 * (1.0 - 1e-14);
  objective->gradient(at, below);
  at.a = 600.0 * (1.0 + 1e-14);
  objective->gradient(at, above);
  CHECK(std::abs(above.loss - below.loss) <= 1e-12 * below.loss);
}

TEST_CASE("windows that never occur weigh nothing") {
  // Token 2 is left at once and never met again; 0 and 1 alternate with π(0|0) = π(1|1) = 0.
  Kernels kernels{3, {1}, 1, {0, 1, 0, 1, 0, 0, 0.5, 0.5, 0}};
  const Model model{.window = 2, .heads = 2};
  const auto objective = make_infinite_objective(model, kernels);
  for (double a : {1.3, 900.0}) {
    const Point at = point_of(generic_point(model, a)), along = direction_of(at);
    Gradient g, derivative;
    objective->gradient_along(at, along, g, derivative);
    CHECK(relative_difference(flat(g), literal(model, kernels, at, nullptr)) <=
          tolerance<double>(64, a));
    for (double x : flat(derivative)) CHECK(std::isfinite(x));
  }
}

TEST_CASE("infinite-context results are bitwise the same for any number of threads") {
  const Model models[] = {{}, {.vocabulary = 2, .window = 9, .heads = 2}};
  for (const Model& model : models) {
    const Kernels kernels =
        kernels_of(model.vocabulary, {1, 2}, model.window == 9 ? 40 : 1001, 0.1);
    const Parameters parameters = generic_point(model);
    const Point at = point_of(parameters), along = direction_of(at);
    std::vector<std::vector<double>> results;
    for (int count : {1, 2, 3, 7}) {
      const Threads threads(count);
      const auto objective = make_infinite_objective(model, kernels);
      Gradient g, derivative;
      objective->gradient_along(at, along, g, derivative);
      std::vector<double> all = flat(g), more = flat(derivative);
      objective->gradient(at, g);
      const std::vector<double> plain = flat(g);
      all.insert(all.end(), more.begin(), more.end());
      all.insert(all.end(), plain.begin(), plain.end());
      results.push_back(all);
    }
    for (const auto& result : results) CHECK(result == results.front());
  }
}

TEST_CASE("standard errors in infinite context are those of the chains' own gradients") {
  const Model model{.window = 2, .heads = 2};
  const Index chains = 23;
  const Kernels kernels = kernels_of(3, {1, 2}, chains, 0.3);
  const Parameters at = generic_point(model);
  const auto objective = make_infinite_objective(model, kernels);
  const StandardErrors errors = objective->standard_errors(at);
  std::vector<std::vector<double>> rows;
  for (Index i = 0; i < chains; ++i) {
    const auto kernel = kernels.of_chain(i);
    Gradient g;
    make_infinite_objective(model, {3, {1, 2}, 1, {kernel.begin(), kernel.end()}})
        ->gradient(point_of(at), g);
    std::vector<double> row{g.loss}, c = c_gradient(at, g);
    row.insert(row.end(), c.begin(), c.end());
    row.insert(row.end(), g.w.begin(), g.w.end());
    row.push_back(g.a);
    rows.push_back(row);
  }
  std::vector<double> expected, found{errors.loss};
  for (std::size_t j = 0; j < rows[0].size(); ++j) {
    double mean = 0.0, square = 0.0;
    for (const auto& row : rows) mean += row[j] / chains;
    for (const auto& row : rows) square += (row[j] - mean) * (row[j] - mean);
    expected.push_back(std::sqrt(square / (chains - 1) / chains));
  }
  found.insert(found.end(), errors.c.begin(), errors.c.end());
  found.insert(found.end(), errors.w.begin(), errors.w.end());
  found.push_back(errors.a);
  CHECK(relative_difference(found, expected) <= tolerance<double>(100));
}

TEST_CASE("impossible problems in infinite context are refused with a sentence") {
  auto refusal = [](const Model& model, const Kernels& kernels) {
    return input_error([&] { make_infinite_objective(model, kernels); });
  };
  CHECK(refusal({.vocabulary = 4}, kernels_of(3, {1}, 1)) ==
        "vocabulary 3 of the kernels: the model has vocabulary 4");
  CHECK(refusal({.vocabulary = 2}, {2, {1}, 2, {0.5, 0.5, 0.5, 0.5, 1, 0, 0, 1}}) ==
        "kernels, chain 1: has 2 closed classes of states: must be one in infinite context, "
        "since its stationary law is not unique");
  const std::string large =
      refusal({.vocabulary = 4, .window = 18, .heads = 1, .degree = 1}, kernels_of(4, {1}, 3));
  CHECK(large.find("infinite context, 3 chains with 68719476736 windows of 18 tokens: need ") == 0);
  CHECK(large.find("GiB of memory: must not exceed") != std::string::npos);
  CHECK(refusal({.vocabulary = 2}, {2, {1}, 1, {0.5, 0.6, 0.5, 0.5}}).find("kernels") == 0);
}
