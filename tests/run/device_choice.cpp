#include "population/staged_host.hpp"

#include "run/device_choice.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <utility>

#include "gihflow/base/errors.hpp"
#include "gihflow/chain/sequence.hpp"
#include "gihflow/run/estimate.hpp"
#include "gihflow/run/objectives.hpp"

using namespace gihflow;

namespace {

// The seconds of a gradient over N chains are fixed + slope·N.
struct Cost {
  double fixed, slope;
  double at(Index chains) const { return fixed + slope * static_cast<double>(chains); }
};

// An objective of which only the number of chains is asked for.
class Unevaluated final : public Objective {
 public:
  Unevaluated(Device device, Index chains) : device_(device), chains_(chains) {}
  const Model& model() const override { return model_; }
  Index chains() const override { return chains_; }
  std::string engine() const override { return device_ == Device::cuda ? "card" : "cpu"; }
  std::size_t memory() const override { return 0; }
  void gradient(const Point&, Gradient&, bool) const override {}
  void gradient_along(const Point&, const Point&, Gradient&, Gradient&) const override {}
  StandardErrors standard_errors(const Parameters&) const override { return {}; }

 private:
  Model model_;
  Device device_;
  Index chains_;
};

// A machine with these costs, and what was made on it.
struct Machine {
  Cost cpu, card;
  std::vector<std::pair<Device, Index>> made = {};

  DeviceChoice choose(Index chains, double gradients) {
    DeviceCandidates candidates;
    candidates.on_cpu = candidates.on_card = chains;
    candidates.gradients = gradients;
    candidates.make = [&](Device device, Index count) {
      made.emplace_back(device, count);
      return std::make_unique<Unevaluated>(device, count);
    };
    candidates.seconds = [&](const Objective& objective) {
      return (objective.engine() == "card" ? card : cpu).at(objective.chains());
    };
    return choose_device(candidates);
  }
};

constexpr double many = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("few chains are timed all, many by two parts of them") {
  using Sizes = std::vector<Index>;
  CHECK(timed_chains(1) == Sizes{1});
  CHECK(timed_chains(16'384) == Sizes{16'384});
  CHECK(timed_chains(16'385) == Sizes{1024, 4096});
  CHECK(timed_chains(160'000) == Sizes{2'500, 10'000});
  CHECK(timed_chains(10'000'000) == Sizes{16'384, 65'536});
}

TEST_CASE("the device of lower cost is chosen, at the size of the run") {
  // About an H100 and the 16 cores beside it, experiments/benchmarks/card.md.
  const Machine machine{{15e-6, 1.2e-9}, {60e-6, 5e-11}};
  for (const Index chains :
       {1'000, 16'384, 20'000, 100'000, 1'000'000, 10'000'000, 1'000'000'000}) {
    Machine tried = machine;
    const DeviceChoice choice = tried.choose(chains, many);
    CAPTURE(chains);
    CHECK(choice.cpu == doctest::Approx(machine.cpu.at(chains)).epsilon(1e-9));
    CHECK(choice.card == doctest::Approx(machine.card.at(chains)).epsilon(1e-9));
    CHECK((choice.device == Device::cuda) == (chains >= 100'000));
    for (const auto& [device, count] : tried.made) CHECK(count <= 65'536);
  }
}

TEST_CASE("a card is not started for gradients that take less time on the CPU") {
  Machine machine{{15e-6, 1.2e-9}, {1e-6, 0.0}};
  DeviceChoice choice = machine.choose(9'000, 900);  // 23 ms
  CHECK(choice.device == Device::cpu);
  CHECK(choice.card == 0.0);
  for (const auto& [device, count] : machine.made) CHECK(device == Device::cpu);
  choice = machine.choose(9'000, 9'000);
  CHECK(choice.device == Device::cuda);
}

TEST_CASE("near ties go to the CPU, and so does a card that cannot take the chains") {
  const auto chosen = [](double ratio) {
    return Machine{{1e-3, 1e-7}, {ratio * 1e-3, ratio * 1e-7}}.choose(50'000, many).device;
  };
  CHECK(chosen(1.05) == Device::cpu);
  CHECK(chosen(0.95) == Device::cpu);
  CHECK(chosen(0.85) == Device::cuda);

  DeviceCandidates candidates;
  candidates.on_cpu = candidates.on_card = 100;
  candidates.gradients = many;
  candidates.make = [](Device device, Index count) {
    if (device == Device::cuda) throw InputError(Fault{});
    return std::make_unique<Unevaluated>(device, count);
  };
  candidates.seconds = [](const Objective&) { return 1.0; };
  CHECK(choose_device(candidates).device == Device::cpu);
}

TEST_CASE("noise in the slope makes no cost negative") {
  DeviceCandidates candidates;
  candidates.on_cpu = candidates.on_card = 10'000'000;
  candidates.make = [](Device device, Index count) {
    return std::make_unique<Unevaluated>(device, count);
  };
  // Of the larger part less time.
  candidates.seconds = [](const Objective& objective) {
    return objective.chains() == 16'384 ? 61e-6 : 60e-6;
  };
  CHECK(choose_device(candidates).cpu == 60e-6);
}

TEST_CASE("what was made on all chains is kept, of the staged engine in place of a card too") {
  const Model model;
  SamplingOptions options;
  options.count = 300;
  const auto source = sample_prior(options);
  const auto reference = make_objective(model, *source, Engine::reference);
  const Parameters start = initial_parameters(model, {});
  const Point at = point_of(start);
  Gradient expected;
  reference->gradient(at, expected);
  for (const Device faster : {Device::cpu, Device::cuda}) {
    DeviceCandidates candidates;
    candidates.on_cpu = candidates.on_card = options.count;
    // So few gradients that the CPU, where it is the faster one, is taken at once.
    candidates.gradients = faster == Device::cpu ? 1.0 : many;
    const Objective* on_card = nullptr;
    candidates.make = [&](Device device, Index count) -> std::unique_ptr<Objective> {
      const SequenceSlice some(*source, 0, count);
      if (device == Device::cpu) return make_objective(model, some);
      auto made = staged_host::make_staged_objective(model, some, Engine::automatic);
      on_card = made.get();
      return made;
    };
    candidates.seconds = [&](const Objective& objective) {
      CHECK(seconds_of_gradient(objective, at, 0.0) > 0.0);
      CHECK(seconds_of_gradient(objective, at, 0.1) > 0.0);
      return &objective == on_card ? 1e-5 : 1e-3;
    };
    const DeviceChoice choice = choose_device(candidates);
    CHECK(choice.device == faster);
    REQUIRE(choice.objective != nullptr);
    CHECK((choice.objective.get() == on_card) == (faster == Device::cuda));
    Gradient found;
    choice.objective->gradient(at, found);
    CHECK(found.loss == doctest::Approx(expected.loss).epsilon(1e-12));
    for (std::size_t i = 0; i < found.w.size(); ++i)
      CHECK(found.w[i] == doctest::Approx(expected.w[i]).epsilon(1e-10));
  }
}

TEST_CASE("a card is a candidate only where it computes what was asked for") {
  const auto candidate = [](const TrainSetting& setting) {
    return may_take_card(prepare(setting));
  };
  TrainSetting setting;
  CHECK(candidate(setting) == cuda_fault().empty());
  setting.device = Device::cpu;
  CHECK_FALSE(candidate(setting));
  setting.device = Device::automatic;
  setting.engine = Engine::reference;
  CHECK_FALSE(candidate(setting));
  setting.engine = Engine::automatic;
  setting.method = TrainingMethod::gd;
  setting.resample = true;
  setting.batch = 10;
  CHECK_FALSE(candidate(setting));
  TrainSetting full;
  apply_preset(full, "full");
  CHECK_FALSE(candidate(full));
}

TEST_CASE("a problem is left with the device that computes it") {
  TrainSetting setting;
  setting.sampling.count = 20;
  setting.validation_chains = 5;
  for (const Engine engine : {Engine::automatic, Engine::reference}) {
    setting.engine = engine;
    Problem problem = prepare(setting);
    const Objectives objectives = make_objectives(problem);
    CHECK(problem.setting.device == Device::cpu);  // faster for so few chains
    CHECK(objectives.device_note.empty());
  }
}
