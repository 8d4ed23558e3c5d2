#include "gihflow/flow/hessian.hpp"

#include <doctest/doctest.h>

#include <Eigen/Eigenvalues>
#include <cmath>

#include "gihflow/base/subsets.hpp"
#include "population/jet.hpp"
#include "population/reference.hpp"
#include "support/settings.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

using First = reference::Jet<double>;
using Second = reference::Jet<First>;

/// The Hessian in (c, w, a) of the mean loss, by nested dual numbers through p = c²/C_D and the
/// loss of every sequence: shares nothing with the objectives but the definitions.
Eigen::MatrixXd nested_hessian(const Model& model, const Sequences& sequences, const Stage& blocks,
                               const Parameters& at) {
  const auto masks = subsets(model.heads, model.degree);
  const auto trains = [&](char block) { return blocks.blocks.has(block); };
  Index size = (trains('c') ? model.subsets() : 0) +
               (trains('w') ? model.heads * model.window : 0) + (trains('a') ? 1 : 0);
  Index next = 0;
  auto variable = [&](double value, bool trained) {
    if (!trained) return Second(value);
    std::vector<double> inner(static_cast<std::size_t>(size));
    std::vector<First> outer(static_cast<std::size_t>(size));
    inner[static_cast<std::size_t>(next)] = 1.0;
    outer[static_cast<std::size_t>(next++)] = First(1.0);
    return Second(First(value, inner), outer);
  };
  std::vector<Second> c, p, w;
  for (double x : at.c()) c.push_back(variable(x, trains('c')));
  for (double x : at.w) w.push_back(variable(x, trains('w')));
  Second a = variable(at.a, trains('a'));
  Second normalizer(0.0);
  for (const Second& x : c) normalizer += x * x;
  for (const Second& x : c) p.push_back(x * x / normalizer);
  Eigen::MatrixXd all = Eigen::MatrixXd::Zero(size, size);
  for (Index chain = 0; chain < sequences.count; ++chain) {
    Second loss = reference::chain_loss<Second>(model, masks, sequences.tokens_of(chain),
                                                sequences.targets_of(chain),
                                                reference::Values<Second>{p, w, a});
    for (Index i = 0; i < size; ++i)
      for (Index j = 0; j < size; ++j) {
        const First& row = loss.d[static_cast<std::size_t>(i)];
        if (!row.d.empty()) all(i, j) += row.d[static_cast<std::size_t>(j)];
      }
  }
  return all / static_cast<double>(sequences.count);
}

Eigen::MatrixXd dense_matrix(const Hessian& hessian) {
  const std::vector<double> all = hessian.dense();
  return Eigen::Map<const Eigen::MatrixXd>(all.data(), hessian.size(), hessian.size());
}

double difference(const Eigen::MatrixXd& x, const Eigen::MatrixXd& y) {
  return (x - y).cwiseAbs().maxCoeff() / y.cwiseAbs().maxCoeff();
}

}  // namespace

TEST_CASE("Hessians are those of nested dual numbers, in every block and convention") {
  for (const bool reference_conventions : {false, true}) {
    Model model;
    if (reference_conventions) {
      model.boundary = Boundary::partial;
      model.head_windows = HeadWindows::shifted;
      model.head_normalization = HeadNormalization::l2;
      model.readout = Readout::softmax;
    }
    SamplingOptions options = sampling(7, 12);
    Sequences sequences = collect(*sample_prior(options));
    auto objective = make_objective(model, *sample_prior(options));
    const Parameters at = generic_point(model);
    for (const char* blocks : {"c:1", "w:1", "a:1", "cw:1", "wa:1", "cwa:1"}) {
      CAPTURE(reference_conventions);
      CAPTURE(blocks);
      const Stage stage = parse_schedule(blocks)[0];
      Hessian hessian(*objective, stage, at);
      Eigen::MatrixXd dense = dense_matrix(hessian);
      CHECK(difference(dense, nested_hessian(model, sequences, stage, at)) <=
            tolerance<double>(1e5));
      CHECK(difference(dense.transpose(), dense) <= tolerance<double>(1e5));
      Eigen::VectorXd u = Eigen::VectorXd::LinSpaced(hessian.size(), -1.0, 2.0);
      const std::vector<double> product = hessian.product({u.data(), u.data() + u.size()});
      CHECK(difference(Eigen::Map<const Eigen::VectorXd>(product.data(), u.size()), dense * u) <=
            tolerance<double>(1e5));
    }
  }
}

TEST_CASE("a coefficient at zero has the curvature of its coordinate") {
  Model model;
  SamplingOptions options = sampling(5, 12);
  Parameters at = generic_point(model);
  std::vector<double> c = at.c();
  c[2] = 0.0;
  at.set_c(c);
  auto objective = make_objective(model, *sample_prior(options));
  const Stage stage = parse_schedule("cwa:1")[0];
  CHECK(difference(dense_matrix(Hessian(*objective, stage, at)),
                   nested_hessian(model, collect(*sample_prior(options)), stage, at)) <=
        tolerance<double>(1e5));
}

TEST_CASE("the largest eigenvalue is the dense Hessian's") {
  auto objective = make_objective({}, *sample_prior(sampling(300)));
  for (const Parameters& at :
       {initial_parameters({}, {}), generic_point({}), generic_point({}, 30.0)})
    for (const char* blocks : {"c:1", "w:1", "a:1", "cw:1", "cwa:1"}) {
      CAPTURE(blocks);
      Hessian hessian(*objective, parse_schedule(blocks)[0], at);
      const Eigen::MatrixXd dense = dense_matrix(hessian);
      Eigen::VectorXd values = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(dense).eigenvalues();
      double scale = values.cwiseAbs().maxCoeff();
      CHECK(std::abs(largest_eigenvalue(hessian) - values[values.size() - 1]) <= 1e-8 * scale);
    }
}

TEST_CASE("sharpness at the paper's start is that of (3.7)") {
  SamplingOptions options = sampling(9000);
  options.purpose = Purpose::train;
  auto objective = make_objective({}, *sample_prior(options));
  auto sharpness = [&](const char* blocks) {
    return largest_eigenvalue(
        Hessian(*objective, parse_schedule(blocks)[0], initial_parameters({}, {})));
  };
  // 2.7 and 4.5 up to the sample.
  CHECK(std::abs(sharpness("c:1") - 2.8) <= 0.1);
  CHECK(std::abs(sharpness("cw:1") - 2.8) <= 0.1);
  CHECK(std::abs(sharpness("cwa:1") - 4.6) <= 0.1);
}
