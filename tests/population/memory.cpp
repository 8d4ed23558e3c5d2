// The bounds on memory against the peak resident size of a child process.

#include "population/staged_host.hpp"

#include <doctest/doctest.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>

#include "gihflow/population/infinite.hpp"
#include "population/cases.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

// A line of /proc/self/status, in bytes: "VmRSS:", or its peak "VmHWM:".
double status(const std::string& name) {
  std::ifstream file("/proc/self/status");
  for (std::string word; file >> word;) {
    double kilobytes = 0.0;
    if (word == name && file >> kilobytes) return 1024.0 * kilobytes;
  }
  return 0.0;
}

// How far work(chains) takes a child beyond the memory that it begins with; none if it fails.
// work(1) comes first, since pages of code, arenas and stacks of threads are no objective's.
template <class Work>
std::optional<double> peak_of(Index chains, const Work& work) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    work(1);
    malloc_trim(0);
    std::ofstream("/proc/self/clear_refs") << 5;  // the peak begins anew
    const double before = status("VmRSS:");
    work(chains);
    const double peak = status("VmHWM:") - before;
    _exit(write(ends[1], &peak, sizeof peak) == sizeof peak ? 0 : 1);
  }
  REQUIRE(child > 0);
  double peak = 0.0;
  close(ends[1]);
  const bool told = read(ends[0], &peak, sizeof peak) == sizeof peak;
  close(ends[0]);
  int code = 1;
  waitpid(child, &code, 0);
  if (!told || code != 0) return std::nullopt;
  return peak;
}

void use(const Objective& objective) {
  const Parameters at = generic_point(objective.model());
  Gradient gradient;
  objective.gradient(point_of(at), gradient);
  static_cast<void>(objective.standard_errors(at));
}

// Pages and malloc's own needs.
constexpr double slack = 4.0 * 0x1p20;

}  // namespace

TEST_CASE("an objective's memory is bounded by what is said beforehand") {
  struct Sizes {
    std::string name;
    Model model;
    Index chains, length;
    Engine engine;
  };
  const Model wide{.vocabulary = 16, .window = 8, .heads = 4};
  Model full{.boundary = Boundary::partial,
             .head_windows = HeadWindows::shifted,
             .head_normalization = HeadNormalization::layer};
  full.scores = Scores::tokens;
  full.values = HeadValues::matrix;
  Model full_and_wide = full;
  full_and_wide.vocabulary = 16;
  full_and_wide.window = 6;
  Model all;
  all.positions = Positions::all;
  Model all_and_wide = wide;
  all_and_wide.positions = Positions::all;
  for (const Sizes& size : {
           Sizes{"paper", {}, 30'000, 100, Engine::automatic},
           Sizes{"dense", {}, 20'000, 300, Engine::dense},
           Sizes{"sparse", {}, 20'000, 300, Engine::sparse},
           Sizes{"every window once", wide, 5'000, 128, Engine::automatic},
           Sizes{"every window once, dense", wide, 2'000, 128, Engine::dense},
           Sizes{"large counts", {.vocabulary = 2}, 20, 100'000, Engine::automatic},
           Sizes{"reference", {.window = 2, .heads = 1}, 100, 40, Engine::reference},
           Sizes{"full model", full, 3'000, 100, Engine::automatic},
           Sizes{"three parts", {}, 140'000, 20, Engine::automatic},
           Sizes{"two parts of the full model", full, 70'000, 10, Engine::automatic},
           Sizes{"full model, every window once", full_and_wide, 500, 128, Engine::automatic},
           Sizes{"full context",
                 {.vocabulary = 10, .window = 39, .boundary = Boundary::partial},
                 3'000,
                 40,
                 Engine::automatic},
           Sizes{"all positions", all, 1'000, 100, Engine::automatic},
           Sizes{"all positions, every window once", all_and_wide, 100, 128, Engine::automatic},
       }) {
    CAPTURE(size.name);
    SamplingOptions options = sampling(size.chains, size.length);
    options.prior.vocabulary = size.model.vocabulary;
    options.initial_law = InitialLaw::uniform;
    const double bound =
        objective_memory(size.model, size.chains, size.length, size.engine, Device::cpu).peak;
    const auto peak = peak_of(size.chains, [&](Index chains) {
      options.count = chains;
      use(*make_objective(size.model, *sample_prior(options), size.engine, Device::cpu));
    });
    REQUIRE(peak.has_value());
    MESSAGE(size.name, ": at most ", bound / 0x1p20, " MiB, took ", *peak / 0x1p20, " MiB");
    CHECK(*peak <= bound + slack);
    CHECK(bound <= 16.0 * *peak + 32.0 * 0x1p20);  // and not without meaning
  }
}

TEST_CASE("an objective's memory in infinite context is bounded by what is said beforehand") {
  for (const Index window : {3, 4}) {
    const Model model{.window = window};
    const auto kernels = [](Index count) { return draw_kernels(Prior(), 5, Purpose::test, count); };
    const Index count = 500;
    const double bound = infinite_objective_memory(model, count, kernels(1).longest_lag()).peak;
    const auto peak =
        peak_of(count, [&](Index some) { use(*make_infinite_objective(model, kernels(some))); });
    REQUIRE(peak.has_value());
    MESSAGE("window ", window, ": at most ", bound / 0x1p20, " MiB, took ", *peak / 0x1p20, " MiB");
    CHECK(*peak <= bound + slack);
    CHECK(bound <= 16.0 * *peak + 32.0 * 0x1p20);
  }
}

TEST_CASE("the host's memory for an objective on a card is bounded by what is said beforehand") {
  // Here the card's arrays are on the host too.
  for (const Engine engine : {Engine::automatic, Engine::sparse}) {
    const Model model;
    SamplingOptions options = sampling(20'000, 100);
    const double bound =
        objective_memory(model, options.count, options.length, engine, Device::cuda).peak;
    const std::size_t of_card =
        staged_host::make_staged_objective(model, *sample_prior(options), engine)->memory();
    const auto peak = peak_of(options.count, [&](Index chains) {
      options.count = chains;
      use(*staged_host::make_staged_objective(model, *sample_prior(options), engine));
    });
    REQUIRE(peak.has_value());
    MESSAGE("at most ", bound / 0x1p20, " MiB beside ", static_cast<double>(of_card) / 0x1p20,
            " MiB on the card, took ", *peak / 0x1p20, " MiB");
    CHECK(*peak <= bound + static_cast<double>(of_card) + slack);
  }
  // Ten million chains fit the memory of a machine with a card.
  const auto bound = [](Device device) {
    return objective_memory({}, 10'000'000, 100, Engine::automatic, device).peak;
  };
  CHECK(bound(Device::cuda) <= 8.0 * bound(Device::cpu));
}
