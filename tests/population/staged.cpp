// The stages of the CUDA engine, run on the host.

#include "population/staged_host.hpp"

#include <doctest/doctest.h>

#include "population/cases.hpp"
#include "population/staged_checks.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

std::unique_ptr<Objective> make_one_part(const Model& model, const SequenceSource& source,
                                         Engine engine) {
  return staged_host::make_staged_objective(model, source, engine);
}

std::unique_ptr<Objective> make_one_infinite_part(const Model& model, const Kernels& kernels) {
  return staged_host::make_staged_infinite_objective(model, kernels);
}

}  // namespace

TEST_CASE("the stages of the CUDA engine, run on the host, agree with the CPU engine") {
  check_against_cpu(make_one_part);
}

TEST_CASE("the stages of the CUDA engine, run on the host, agree on larger samples") {
  check_large(make_one_part);
}

TEST_CASE("the stages of the CUDA engine, run on the host, agree in infinite context") {
  check_infinite(make_one_infinite_part);
}

TEST_CASE("parts of a card add up in the tree, whoever holds them") {
  constexpr Index part = 64, all = 4 * part;
  const Model model;
  const Parameters at = generic_point(model);
  const Point point = point_of(at);
  const auto source = sample_prior(sampling(all, 40));
  const Kernels kernels = draw_kernels(Prior(), 5, Purpose::test, all);
  const auto check = [&](const PartedObjective& whole, const auto& piece) {
    CHECK(whole.part_size() == part);
    Gradient found, wanted;
    whole.gradient(point, found);
    // Two processes hold three parts and one.
    const auto first = piece(0, 3 * part), last = piece(3 * part, part);
    std::vector<Share> shares = first->shares(point, nullptr, Wanted{});
    for (Share& share : last->shares(point, nullptr, Wanted{})) shares.push_back(std::move(share));
    REQUIRE(shares.size() == 4);
    sum_in_tree(4, [&](Index i, Index j) {
      add(shares[static_cast<std::size_t>(i)], shares[static_cast<std::size_t>(j)]);
    });
    wanted = shares[0].value;
    CHECK(found.loss == wanted.loss);
    CHECK(found.p == wanted.p);
    CHECK(found.attention == wanted.attention);
    CHECK(found.a == wanted.a);
    CHECK(whole.moments(at).size() == 4);
  };
  const auto whole = staged_host::make_staged_objective(model, *source, Engine::automatic, part, 0);
  check(*whole, [&](Index first, Index count) {
    const Engine engine = whole->engine() == "dense" ? Engine::dense : Engine::sparse;
    return staged_host::make_staged_objective(model, SequenceSlice(*source, first, count), engine,
                                              part, all);
  });
  check(*staged_host::make_staged_infinite_objective(model, kernels, part, 0),
        [&](Index first, Index count) {
          return staged_host::make_staged_infinite_objective(
              model, some_kernels(kernels, first, count), part, all);
        });
  // Against the engine of the CPU: gradient, minibatch, standard errors.
  const auto cpu = make_tiled_objective(model, *source, 8);
  const auto close = [](const Gradient& a, const Gradient& b) {
    CHECK(a.loss == doctest::Approx(b.loss).epsilon(1e-12));
    CHECK(a.a == doctest::Approx(b.a).epsilon(1e-11));
    for (std::size_t i = 0; i < a.p.size(); ++i)
      CHECK(a.p[i] == doctest::Approx(b.p[i]).epsilon(1e-11));
  };
  Gradient a, b;
  whole->gradient(point, a);
  cpu->gradient(point, b);
  close(a, b);
  const std::vector<Index> some{255, 3, 64, 63, 128};
  whole->batch_gradient(some, point, a);
  cpu->batch_gradient(some, point, b);
  a.loss = b.loss = 0.0;  // there is none
  close(a, b);
  CHECK(whole->standard_errors(at).loss ==
        doctest::Approx(cpu->standard_errors(at).loss).epsilon(1e-12));
}
