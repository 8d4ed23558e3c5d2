// Sums over parts (5.2) against the same sums put together by hand.

#include "population/parts.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>
#include <set>

#include "gihflow/population/infinite.hpp"
#include "population/cases.hpp"
#include "population/engines.hpp"
#include "population/statistics.hpp"
#include "support/threads.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

std::vector<double> numbers_of(const Gradient& g) {
  std::vector<double> all{g.loss};
  all.insert(all.end(), g.p.begin(), g.p.end());
  all.insert(all.end(), g.attention.begin(), g.attention.end());
  for (const PlainArray& array : plain_arrays) {
    const auto some = array.in(g);
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

// Value and derivative along a direction.
std::vector<double> everything(const Objective& objective, const Parameters& at) {
  Point along = point_of(at);
  for (double& x : along.p) x = 0.3 - x;
  Gradient value, derivative;
  objective.gradient_along(point_of(at), along, value, derivative);
  std::vector<double> all = numbers_of(value), more = numbers_of(derivative);
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

// The gradient alone: parts take it by another way than with a direction.
std::vector<double> gradient_of(const Objective& objective, const Parameters& at) {
  Gradient value;
  objective.gradient(point_of(at), value);
  return numbers_of(value);
}

std::vector<double> numbers_of(const StandardErrors& errors) {
  std::vector<double> all{errors.loss};
  all.insert(all.end(), errors.c.begin(), errors.c.end());
  for (const PlainArray& array : plain_arrays) {
    const auto some = array.in(errors);
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

Model full_model() {
  Model model{.boundary = Boundary::partial, .head_normalization = HeadNormalization::layer};
  model.scores = Scores::tokens;
  model.values = HeadValues::matrix;
  return model;
}

Model everywhere() {
  Model model;
  model.positions = Positions::all;
  return model;
}

// (x₀ + x₁) + (x₂ + x₃), each scaled by a power of two: exact but for the additions.
std::vector<double> tree_of_four(const std::vector<std::vector<double>>& x, double scale) {
  std::vector<double> sum;
  for (std::size_t i = 0; i < x[0].size(); ++i)
    sum.push_back((scale * x[0][i] + scale * x[1][i]) + (scale * x[2][i] + scale * x[3][i]));
  return sum;
}

constexpr Index part = 64;

}  // namespace

TEST_CASE("the tree over parts is the same however many there are") {
  for (const Index n : {1, 2, 3, 5, 8, 13}) {
    std::vector<std::string> x;
    for (Index i = 0; i < n; ++i) x.push_back(std::to_string(i));
    sum_in_tree(n, [&](Index i, Index j) {
      auto& sum = x[static_cast<std::size_t>(i)];
      sum = "(" + sum + " " + x[static_cast<std::size_t>(j)] + ")";
    });
    CAPTURE(n);
    if (n == 1) CHECK(x[0] == "0");
    if (n == 3) CHECK(x[0] == "((0 1) 2)");
    if (n == 5) CHECK(x[0] == "(((0 1) (2 3)) 4)");
    if (n == 13) CHECK(x[0] == "((((0 1) (2 3)) ((4 5) (6 7))) (((8 9) (10 11)) 12))");
  }
}

TEST_CASE("subtrees that are added up apart leave the tree as it is") {
  const auto add = [](std::string& x, const std::string& y) { x = "(" + x + " " + y + ")"; };
  const auto join = [&](std::vector<Node<std::string>>& to, std::vector<Node<std::string>> nodes) {
    for (Node<std::string>& node : nodes) to.push_back(std::move(node));
  };
  for (Index n = 1; n <= 40; ++n) {
    const auto some = [&](Index begin, Index end) {
      std::vector<Node<std::string>> nodes;
      for (Index i = begin; i < end; ++i) nodes.push_back({i, std::to_string(i)});
      sum_in_tree(nodes, end, n, add);
      return nodes;
    };
    std::vector<std::string> whole;
    for (Index i = 0; i < n; ++i) whole.push_back(std::to_string(i));
    sum_in_tree(n, [&](Index i, Index j) {
      add(whole[static_cast<std::size_t>(i)], whole[static_cast<std::size_t>(j)]);
    });
    REQUIRE(some(0, n).size() == 1);
    CHECK(some(0, n).front().sum == whole.front());
    for (Index first = 1; first < n; ++first)
      for (Index second = first; second < n; ++second) {
        std::vector<Node<std::string>> nodes;
        for (const auto& [begin, end] :
             {std::pair{Index{0}, first}, {first, second}, {second, n}}) {
          const auto held = some(begin, end);
          const double k = static_cast<double>(end - begin);
          if (k > 0) CHECK(static_cast<double>(held.size()) <= 2 * std::log2(k) + 1);
          join(nodes, held);
        }
        sum_in_tree(nodes, n, n, add);
        REQUIRE(nodes.size() == 1);
        CHECK(nodes.front().sum == whole.front());
      }
  }
}

TEST_CASE("gradients over several parts are those of the parts, added in the tree, bit by bit") {
  // What 64 chains add to the mean over 256 is their own mean over 4, exactly.
  for (const Model& model : {Model{}, full_model(), everywhere()})
    for (const int lanes : {1, 8}) {
      CAPTURE(lanes);
      const Parameters at = generic_point(model);
      const auto source = sample_prior(sampling(4 * part, 40));
      const auto whole = make_tiled_objective(model, *source, lanes, instruction_set(), part);
      std::vector<std::vector<double>> gradients, all;
      for (Index i = 0; i < 4; ++i) {
        const auto some =
            make_tiled_objective(model, SequenceSlice(*source, i * part, part), lanes);
        gradients.push_back(gradient_of(*some, at));
        all.push_back(everything(*some, at));
      }
      CHECK(gradient_of(*whole, at) == tree_of_four(gradients, 0.25));
      const std::vector<double> expected = tree_of_four(all, 0.25), found = everything(*whole, at);
      // The derivative of the loss follows from the sums.
      const std::size_t loss = found.size() / 2;
      for (std::size_t i = 0; i < found.size(); ++i)
        if (i != loss) CHECK(found[i] == expected[i]);
      CHECK(found[loss] == doctest::Approx(expected[loss]).epsilon(1e-12));
    }
}

TEST_CASE("parts of other sizes, the last one shorter, agree with one part") {
  for (const Model& model : {Model{}, full_model(), everywhere()})
    for (const int lanes : {1, 8}) {
      const Parameters at = generic_point(model);
      const auto source = sample_prior(sampling(301, 40));
      const auto one = make_tiled_objective(model, *source, lanes);
      for (const Index size : {1, 7, 64, 300}) {
        CAPTURE(size);
        const auto many = make_tiled_objective(model, *source, lanes, instruction_set(), size);
        CHECK(many->chains() == 301);
        CHECK(many->engine() == one->engine());
        CHECK(relative_difference(everything(*many, at), everything(*one, at)) <= 1e-12);
        CHECK(relative_difference(numbers_of(many->standard_errors(at)),
                                  numbers_of(one->standard_errors(at))) <= 1e-12);
      }
    }
}

TEST_CASE("minibatches over several parts") {
  for (const Model& model : {Model{}, full_model(), everywhere()}) {
    const Parameters at = generic_point(model);
    const auto source = sample_prior(sampling(200, 40));
    const auto one = make_tiled_objective(model, *source, 8),
               many = make_tiled_objective(model, *source, 8, instruction_set(), part);
    for (const std::vector<Index>& batch :
         {std::vector<Index>{199}, {70, 65, 130}, {63, 64, 127, 128, 0, 5, 191, 192}}) {
      Gradient of_one, of_many;
      one->batch_gradient(batch, point_of(at), of_one);
      many->batch_gradient(batch, point_of(at), of_many);
      of_one.loss = of_many.loss = 0.0;  // there is none
      CHECK(relative_difference(numbers_of(of_many), numbers_of(of_one)) <= 1e-12);
    }
  }
}

TEST_CASE("the statistics of some chains are those of a slice") {
  const Model model;
  const auto source = sample_prior(sampling(50, 30));
  const Statistics some = statistics_of(count_windows(model, *source), 13, 21),
                   slice = count_windows(model, SequenceSlice(*source, 13, 21));
  CHECK(some.chains == slice.chains);
  CHECK(some.entry_begin == slice.entry_begin);
  CHECK(some.key == slice.key);
  CHECK(some.count == slice.count);
  CHECK(some.query == slice.query);
  CHECK(some.targets == slice.targets);
}

TEST_CASE("parts in infinite context") {
  Model matrices;
  matrices.values = HeadValues::matrix;
  for (const Model& model : {Model{}, matrices}) {
    const Parameters at = generic_point(model);
    const Kernels kernels = draw_kernels(Prior(), 5, Purpose::test, 4 * part);
    const auto whole = make_host_infinite_objective(model, kernels, instruction_set(), part);
    std::vector<std::vector<double>> all;
    const auto each = static_cast<std::ptrdiff_t>(kernels.values.size() / 4);
    for (Index i = 0; i < 4; ++i) {
      const auto begin = kernels.values.begin() + i * each;
      all.push_back(gradient_of(
          *make_host_infinite_objective(model, {3, kernels.parents, part, {begin, begin + each}}),
          at));
    }
    CHECK(gradient_of(*whole, at) == tree_of_four(all, 0.25));

    const auto one = make_host_infinite_objective(model, kernels);
    for (const Index size : {1, 100, 255}) {
      CAPTURE(size);
      const auto many = make_host_infinite_objective(model, kernels, instruction_set(), size);
      CHECK(relative_difference(everything(*many, at), everything(*one, at)) <= 1e-12);
      CHECK(relative_difference(numbers_of(many->standard_errors(at)),
                                numbers_of(one->standard_errors(at))) <= 1e-12);
    }
  }
}

TEST_CASE("parts have the same bits on any number of threads") {
  const Parameters at = generic_point(full_model());
  const auto source = sample_prior(sampling(300, 40));
  const Kernels kernels = draw_kernels(Prior(), 5, Purpose::test, 100);
  std::set<std::vector<double>> seen, errors, infinite;
  for (const int count : {1, 2, 5}) {
    const ContextScope on({.threads = count});
    const auto finite = make_tiled_objective(full_model(), *source, 8, instruction_set(), part);
    seen.insert(everything(*finite, at));
    errors.insert(numbers_of(finite->standard_errors(at)));
    infinite.insert(everything(*make_host_infinite_objective({}, kernels, instruction_set(), 30),
                               generic_point({})));
  }
  CHECK(seen.size() == 1);
  CHECK(errors.size() == 1);
  CHECK(infinite.size() == 1);
}

TEST_CASE("up to 65,536 chains there is one part") {
  CHECK(Parts{65'536}.count() == 1);
  CHECK(Parts{65'537}.count() == 2);
  CHECK(Parts{65'537}.chains_of(1) == 1);
  CHECK(Parts{3 * 65'536 - 1}.chains_of(2) == 65'535);
}
