// Training of the model's variants: what their flow conserves (3.8), stages that move heads alone,
// and second derivatives in all blocks.

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "gihflow/base/subsets.hpp"
#include "gihflow/flow/descent.hpp"
#include "gihflow/flow/flow.hpp"
#include "gihflow/flow/hessian.hpp"
#include "support/input_errors.hpp"
#include "support/settings.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

Model full_model() {
  Model model{.boundary = Boundary::partial,
              .head_windows = HeadWindows::shifted,
              .head_normalization = HeadNormalization::layer,
              .readout = Readout::softmax};
  model.scores = Scores::tokens;
  model.own_position = true;
  model.values = HeadValues::matrix;
  model.rectify = true;
  model.rectify_width = 0.1;
  return model;
}

Snapshot last_of(const TrainingState& state) {
  return state.trajectory.stages.back().snapshots.back();
}

TrainingState flown(const Model& model, const Parameters& start, const Schedule& schedule,
                    double rtol = 1e-8) {
  const auto objective = make_objective(model, *sample_prior(sampling(60, 40)));
  TrainingState state = begin_training(start);
  FlowOptions options;
  options.rtol = rtol;
  options.atol = 1e-12;
  options.outputs = 5;
  CHECK(train_flow(state, schedule, *objective, nullptr, options, nullptr) == Outcome::reached);
  return state;
}

/// Entry (i, j) of the matrix of a head.
double entry(const std::vector<double>& matrices, Index h, Index i, Index j, Index d) {
  return matrices[static_cast<std::size_t>((h * d + i) * d + j)];
}

}  // namespace

TEST_CASE("the flow of the full model conserves what (3.8) says") {
  const Model model = full_model();
  const Index H = model.heads, d = model.vocabulary;
  Parameters start = generic_point(model);
  const Parameters end = last_of(flown(model, start, {{"cwaqkvn", 3.0}})).parameters;
  const auto balance = [&](const Parameters& x, Index h, Index i, Index j) {
    double sum = 0.0;
    for (Index e = 0; e < d; ++e)
      sum += entry(x.query, h, e, i, d) * entry(x.query, h, e, j, d) -
             entry(x.key, h, e, i, d) * entry(x.key, h, e, j, d);
    return sum;
  };
  double moved = 0.0;
  for (std::size_t k = 0; k < start.query.size(); ++k)
    moved = std::max(
        {moved, std::abs(end.query[k] - start.query[k]), std::abs(end.value[k] - start.value[k])});
  CHECK(moved > 1e-3);
  for (Index h = 0; h < H; ++h)
    for (Index i = 0; i < d; ++i) {
      for (Index j = 0; j < d; ++j)
        CHECK(std::abs(balance(end, h, i, j) - balance(start, h, i, j)) <= 1e-6);
      double key = 0.0, value = 0.0;
      for (Index j = 0; j < d; ++j) {
        key += entry(end.key, h, j, i, d) - entry(start.key, h, j, i, d);
        value += entry(end.value, h, i, j, d) - entry(start.value, h, i, j, d);
      }
      CHECK(std::abs(key) <= 1e-6);
      CHECK(std::abs(value) <= 1e-6);
    }
}

TEST_CASE("the identities of (3.8) hold at every point") {
  const Model model = full_model();
  const Index H = model.heads, d = model.vocabulary;
  const auto objective = make_objective(model, *sample_prior(sampling(20, 30)));
  const Parameters at = generic_point(model);
  Gradient g;
  objective->gradient(point_of(at), g);
  for (Index h = 0; h < H; ++h)
    for (Index i = 0; i < d; ++i) {
      double key = 0.0, value = 0.0;
      for (Index j = 0; j < d; ++j) {
        key += entry(g.key, h, j, i, d);
        value += entry(g.value, h, i, j, d);
        double balance = 0.0;  // derivative of QᵀQ − KᵀK along the gradient
        for (Index e = 0; e < d; ++e)
          balance += entry(g.query, h, e, i, d) * entry(at.query, h, e, j, d) +
                     entry(at.query, h, e, i, d) * entry(g.query, h, e, j, d) -
                     entry(g.key, h, e, i, d) * entry(at.key, h, e, j, d) -
                     entry(at.key, h, e, i, d) * entry(g.key, h, e, j, d);
        CHECK(std::abs(balance) <= 1e-14);
      }
      CHECK(std::abs(key) <= 1e-14);
      CHECK(std::abs(value) <= 1e-14);
    }
}

TEST_CASE("with exact rectifiers features scale as the products of heads do") {
  // t_h is of second degree in gain and bias: ⟨γ,∂γ⟩ + ⟨β,∂β⟩ = 2 Σ|S| p_S ∂𝓛/∂p_S.
  Model model = full_model();
  model.rectify_width = 0.0;
  for (const bool own : {true, false}) {
    model.own_position = own;
    const auto objective = make_objective(model, *sample_prior(sampling(20, 30)));
    const Point at = point_of(generic_point(model));
    Gradient g;
    objective->gradient(at, g);
    double scaled = 0.0, of_sets = 0.0, of_values = 0.0, largest = 0.0;
    for (std::size_t e = 0; e < at.gain.size(); ++e)
      scaled += at.gain[e] * g.gain[e] + at.bias[e] * g.bias[e];
    const std::vector<std::uint32_t> sets = subsets(model.heads, model.degree);
    for (std::size_t i = 0; i < sets.size(); ++i)
      of_sets += 2.0 * static_cast<double>(std::popcount(sets[i])) * at.p[i] * g.p[i];
    CHECK(std::abs(scaled - of_sets) <= 1e-13);
    CHECK(std::abs(scaled) > 1e-3);
    // Layer norm leaves no scale of V but what its 1e-5 makes of small variances.
    for (std::size_t k = 0; k < at.value.size(); ++k) {
      of_values += at.value[k] * g.value[k];
      largest = std::max(largest, std::abs(at.value[k] * g.value[k]));
    }
    CHECK(std::abs(of_values) <= 1e-2 * largest);
    // A constant added to the logits of a head changes nothing, unless the own position's is fixed.
    for (Index h = 0; h < model.heads; ++h) {
      double sum = 0.0;
      for (Index i = 0; i < model.window; ++i)
        sum += g.w[static_cast<std::size_t>(h * model.window + i)];
      CHECK((std::abs(sum) <= 1e-14) == !own);
    }
  }
}

TEST_CASE("the energy law holds for every method, and descent tends to the flow") {
  const Model model = full_model();
  const Parameters start = generic_point(model, 0.5);
  const Snapshot automatic = last_of(flown(model, start, {{"cwaqkvn", 1.0}}));
  CHECK(std::abs(automatic.energy_residual) <= 1e-7);
  const auto objective = make_objective(model, *sample_prior(sampling(60, 40)));
  FlowOptions stiff;
  stiff.integrator = Integrator::rodas5p;
  stiff.rtol = 1e-7;
  TrainingState state = begin_training(start);
  CHECK(train_flow(state, {{"cwaqkvn", 1.0}}, *objective, nullptr, stiff, nullptr) ==
        Outcome::reached);
  const auto distance = [&](const Parameters& x, const Parameters& y) {
    double most = std::abs(x.a - y.a);
    for (const PlainArray& array : plain_arrays)
      for (std::size_t k = 0; k < array.in(x).size(); ++k)
        most = std::max(most, std::abs(array.in(x)[k] - array.in(y)[k]));
    return most;
  };
  CHECK(distance(last_of(state).parameters, automatic.parameters) <= 1e-5);
  std::vector<double> to_flow;
  for (const double rate : {0.02, 0.01}) {
    DescentOptions options;
    options.learning_rate = rate;
    TrainingState descent = begin_training(start);
    CHECK(train_descent(descent, {{"cwaqkvn", 1.0}}, *objective, nullptr, options, nullptr) ==
          Outcome::reached);
    to_flow.push_back(distance(last_of(descent).parameters, automatic.parameters));
  }
  CHECK(to_flow[0] / to_flow[1] == doctest::Approx(2.0).epsilon(0.1));  // order 1
}

TEST_CASE("a stage may move heads alone") {
  const Model model = full_model();
  const Parameters start = generic_point(model);
  const Parameters end = last_of(flown(model, start, {{"w[2]v[1,3]", 0.5}}, 1e-6)).parameters;
  const auto row = static_cast<std::size_t>(model.window);
  const auto changed = [](const std::vector<double>& x, const std::vector<double>& y,
                          std::size_t head, std::size_t size) {
    return !std::equal(x.begin() + static_cast<Index>(head * size),
                       x.begin() + static_cast<Index>((head + 1) * size),
                       y.begin() + static_cast<Index>(head * size));
  };
  const std::size_t matrix = start.value.size() / 3;
  for (std::size_t h = 0; h < 3; ++h) {
    CHECK(changed(start.w, end.w, h, row) == (h == 1));
    CHECK(changed(start.value, end.value, h, matrix) == (h != 1));
  }
  CHECK(end.query == start.query);
  CHECK(end.a == start.a);
  CHECK(end.log_c_squared == start.log_c_squared);
}

TEST_CASE("a stage may move sets alone") {
  const auto objective = make_objective({}, *sample_prior(sampling(60, 40)));
  const Parameters start = generic_point({});
  const Schedule schedule = parse_schedule("c{1,3}{2}:1");
  std::vector<Parameters> ends;
  for (const Integrator integrator : {Integrator::dopri5, Integrator::rodas5p}) {
    FlowOptions options;
    options.integrator = integrator;
    options.rtol = 1e-9;
    options.atol = 1e-13;
    TrainingState state = begin_training(start);
    CHECK(train_flow(state, schedule, *objective, nullptr, options, nullptr) == Outcome::reached);
    const StageRecord& stage = state.trajectory.stages.front();
    CHECK(stage.gauge_drift == 0.0);
    CHECK(stage.snapshots.front().loss - stage.snapshots.back().loss > 1e-4);
    CHECK(std::abs(stage.snapshots.back().energy_residual) <= 1e-8);
    ends.push_back(last_of(state).parameters);
  }
  const std::vector<std::uint32_t> sets = subsets(3, 2);
  for (std::size_t i = 0; i < sets.size(); ++i) {
    CAPTURE(to_string_subset(sets[i]));
    const bool moves = sets[i] == 0b101 || sets[i] == 0b010;
    CHECK((ends[0].log_c_squared[i] == start.log_c_squared[i]) == !moves);
    CHECK(std::abs(ends[0].log_c_squared[i] - ends[1].log_c_squared[i]) <= 1e-6);
  }
  CHECK(std::abs(ends[0].log_normalizer() - start.log_normalizer()) > 1e-3);
  // Descent in c itself tends to it.
  std::vector<double> to_flow;
  for (const double rate : {1e-2, 5e-3}) {
    DescentOptions options;
    options.learning_rate = rate;
    TrainingState state = begin_training(start);
    CHECK(train_descent(state, schedule, *objective, nullptr, options, nullptr) ==
          Outcome::reached);
    CHECK(state.trajectory.stages.front().gauge_drift == 0.0);
    double most = 0.0;
    const Parameters end = last_of(state).parameters;
    for (std::size_t i = 0; i < sets.size(); ++i)
      most = std::max(most, std::abs(end.log_c_squared[i] - ends[0].log_c_squared[i]));
    to_flow.push_back(most);
  }
  CHECK(to_flow[0] / to_flow[1] == doctest::Approx(2.0).epsilon(0.1));
}

TEST_CASE("Hessian products of a stage that moves sets alone are derivatives of its gradient") {
  const auto objective = make_objective({}, *sample_prior(sampling(15, 30)));
  const Parameters at = generic_point({});
  const Stage stage = parse_schedule("c{}{1,2}w[2]:1").front();
  const Hessian hessian(*objective, stage, at);
  REQUIRE(hessian.size() == 5);
  const std::vector<double> u{0.3, -0.2, 0.5, 0.1, -0.4};
  const auto gradient_at = [&](double step) {
    Parameters x = at;
    std::vector<double> c = at.c();
    c[0] += step * u[0];
    c[static_cast<std::size_t>(subset_index(0b011, 3))] += step * u[1];
    x.set_c(c);
    for (std::size_t i = 0; i < 3; ++i) x.w[3 + i] += step * u[2 + i];
    return Hessian(*objective, stage, x).gradient();
  };
  const double step = 1e-5;
  const auto ahead = gradient_at(step), behind = gradient_at(-step), product = hessian.product(u);
  std::vector<double> difference;
  for (std::size_t i = 0; i < u.size(); ++i)
    difference.push_back((ahead[i] - behind[i]) / (2.0 * step));
  CHECK(relative_difference(product, difference) <= 1e-7);
}

TEST_CASE("Hessian products of all blocks are derivatives of the gradient") {
  Model model = full_model();
  const auto objective = make_objective(model, *sample_prior(sampling(15, 30)));
  const Parameters at = generic_point(model, 0.7);
  const Stage all{"cwaqkvn"};
  const Hessian hessian(*objective, all, at);
  const auto n = static_cast<std::size_t>(hessian.size());
  std::vector<double> u(n);
  for (std::size_t i = 0; i < n; ++i) u[i] = std::sin(1.0 + static_cast<double>(i));
  const auto gradient_at = [&](double step) {
    Parameters x = at;
    std::vector<double> c = at.c();
    std::size_t k = 0;
    for (double& value : c) value += step * u[k++];
    x.set_c(c);
    for (const PlainArray& array : plain_arrays)
      for (double& value : array.of(x)) value += step * u[k++];
    return Hessian(*objective, all, x).gradient();
  };
  const double step = 1e-5;
  const auto ahead = gradient_at(step), behind = gradient_at(-step), product = hessian.product(u);
  std::vector<double> difference(n);
  for (std::size_t i = 0; i < n; ++i) difference[i] = (ahead[i] - behind[i]) / (2.0 * step);
  CHECK(relative_difference(product, difference) <= 1e-7);
}

TEST_CASE("blocks, heads and sets that a model does not have are refused") {
  const auto refusal = [](const char* stages, const Model& model) {
    const ErrorList errors = schedule_errors(parse_schedule(stages), model);
    return errors.empty() ? std::string() : input_error([&] { errors.throw_if_any(); });
  };
  CHECK(refusal("cwaqkvn:5", full_model()).empty());
  CHECK(refusal("cq:5", {}) == "stages 'cq:5': the model has no block 'q', only c, w, a");
  CHECK(refusal("w[4]:5", {}) == "stages 'w[4]:5': names head 4; the model has 3");
  CHECK(input_error([] { parse_schedule("a[1]:5"); }).find("names heads of 'a', which has none") !=
        std::string::npos);
  CHECK(to_string(parse_schedule("w[3,1]c:5,a:1")) == "cw[1,3]:5,a:1");
  CHECK(to_string(parse_schedule("c{3,1}{2}{}w[3,1]:5,a:1")) == "c{}{2}{1,3}w[1,3]:5,a:1");
  CHECK(refusal("c{1,4}:5", {}) == "stages 'c{1,4}:5': names head 4; the model has 3");
  CHECK(refusal("c{1,2,3}:5", {}) ==
        "stages 'c{1,2,3}:5': names the set {1,2,3}; the model has sets of at most 2 heads");
  const auto says = [](const char* stages, const char* what) {
    return input_error([&] { parse_schedule(stages); }).find(what) != std::string::npos;
  };
  CHECK(says("w{1}:5", "names sets of 'w', which has none"));
  CHECK(says("c{2}{1}{2}:5", "names the set {2} twice"));
  CHECK(says("c{1,1}:5", "names a head of a set twice"));
  CHECK(says("c{1,x}:5", "names the head 'x', which is not a number from 1 to 30"));
  CHECK(says("c{1,2:5,a:1", "has a '{' without a '}'"));
  CHECK(says("c[1]:5", "names heads of 'c', which has none"));
}
