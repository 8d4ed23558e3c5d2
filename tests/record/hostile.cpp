// Damaged files of every kind that is read: whatever a byte became, the answer is a value that keeps
// its promises or sentences that name the file. 300 of each kind.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <limits>
#include <random>
#include <sstream>

#include "gihflow/base/errors.hpp"
#include "gihflow/record/data_file.hpp"
#include "gihflow/record/kernel_file.hpp"
#include "gihflow/record/parameter_file.hpp"
#include "gihflow/record/run_file.hpp"
#include "support/directory.hpp"

using namespace gihflow;
using gihflow::testing::Directory;

namespace {

constexpr int damages = 300;

std::string contents(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

// Generators of the standard library are the same everywhere, its distributions are not.
class Damage {
 public:
  explicit Damage(std::uint64_t seed) : bits_(seed) {}

  std::string to(std::string bytes) {
    switch (below(8)) {
      case 0:
        bytes.resize(below(bytes.size()));
        break;
      case 1: {  // zeros, as after a lost write
        const std::size_t lost = below(bytes.size() / 4);
        bytes.replace(below(bytes.size() - lost), lost, std::string(lost, '\0'));
        break;
      }
      case 2:  // a stretch of one place in another
        bytes.replace(below(bytes.size()), 64, bytes.substr(below(bytes.size()), 64));
        break;
      case 3:  // an address or a size that is far too large
        bytes.replace(below(bytes.size() - 8), 8, std::string(8, '\xff'));
        break;
      default:
        for (std::size_t k = 1 + below(8); k > 0; --k) {
          bytes[below(bytes.size())] = static_cast<char>(below(256));
        }
    }
    return bytes;
  }

 private:
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(bits_()) % bound; }

  std::mt19937_64 bits_;
};

// Damages the file again and again and reads it; `read` throws InputError or checks what it read.
void check_damaged(const std::string& path, std::uint64_t seed,
                   const std::function<void(const std::string&)>& read) {
  const Directory directory;
  const std::string good = contents(path);
  const std::string damaged = directory / "damaged.h5";
  Damage damage(seed);
  int refused = 0;
  for (int k = 0; k < damages; ++k) {
    const std::string bytes = damage.to(good);
    std::ofstream(damaged, std::ios::binary) << bytes;
    CAPTURE(k);
    try {
      read(damaged);
    } catch (const InputError& error) {
      ++refused;
      CHECK_FALSE(error.messages().empty());
      for (const std::string& message : error.messages()) {
        CHECK(message.starts_with(damaged + ": "));
        CHECK(message.size() > damaged.size() + 10);
      }
    }
    REQUIRE(directory.files() == 1);
    REQUIRE(contents(damaged) == bytes);
  }
  MESSAGE(fmt::format("{} of {} damaged files refused", refused, damages));
  CHECK(refused > damages / 4);
  CHECK(refused < damages);
}

}  // namespace

TEST_CASE("damaged data files") {
  const Directory directory;
  Sequences sequences;
  sequences.vocabulary = 3;
  sequences.length = 7;
  sequences.count = 20;
  for (int k = 0; k < 20 * 8; ++k) sequences.tokens.push_back(static_cast<Token>(k * k % 3));
  for (int k = 0; k < 20; ++k) sequences.targets.insert(sequences.targets.end(), {0.25, 0.25, 0.5});
  sequences.parents = {1, 3};
  OutputFile file(directory / "data.h5", false);
  write_data(file, sequences, {"0.1.0", "abc", "alpha = 0.1\n", 7});
  check_damaged(directory / "data.h5", 1, [](const std::string& path) {
    const Sequences read = read_data(path);
    const Index d = read.vocabulary;
    REQUIRE(static_cast<Index>(read.tokens.size()) == read.count * (read.length + 1));
    CHECK(std::all_of(read.tokens.begin(), read.tokens.end(), [d](Token x) { return x < d; }));
    CHECK((read.targets.empty() || static_cast<Index>(read.targets.size()) == read.count * d));
    for (Index chain = 0; chain < read.count && !read.targets.empty(); ++chain) {
      double sum = 0.0;
      for (const double p : read.targets_of(chain)) sum += p;
      CHECK(std::abs(sum - 1.0) < 2e-9);
    }
  });
}

TEST_CASE("damaged kernel files") {
  const Directory directory;
  Kernels kernels;
  kernels.vocabulary = 2;
  kernels.parents = {1, 2};
  kernels.count = 5;
  for (int k = 0; k < 5 * 4; ++k) kernels.values.insert(kernels.values.end(), {0.125, 0.875});
  OutputFile file(directory / "kernels.h5", false);
  write_kernels(file, kernels, {"0.1.0", "abc", "alpha = 0.1\n", 7});
  check_damaged(directory / "kernels.h5", 2,
                [](const std::string& path) { validate(read_kernels(path), "kernels"); });
}

TEST_CASE("damaged parameter files") {
  const Directory directory;
  Parameters p;
  p.window = 3;
  p.heads = 2;
  p.degree = 2;
  p.set_c(std::vector<double>{0.5, -0.25, 0.125, 1.0});
  p.w = {3.0, 0.01, 0.01, 0.01, 3.0, 0.01};
  p.a = 7.0;
  OutputFile file(directory / "p.h5", false);
  write_parameters(file, p, {"0.1.0", "abc", "alpha = 0.1\n", 7});
  check_damaged(directory / "p.h5", 3, [](const std::string& path) {
    const Parameters read = read_parameters(path);
    CHECK(read.w.size() == static_cast<std::size_t>(read.heads * read.window));
    CHECK(read.c().size() == read.c_sign.size());
    CHECK(std::isfinite(read.a));
    CHECK(std::isfinite(read.log_normalizer()));
  });
}

TEST_CASE("damaged run files") {
  const Directory directory;
  RunFile run;
  run.provenance = {"0.1.0", "abc", "alpha = 0.1\n", 7};
  run.vocabulary = 2;
  run.lags = {1, 2};
  TrainingState& state = run.state;
  state.start.window = 2;
  state.start.heads = 1;
  state.start.degree = 1;
  state.start.set_c(std::vector<double>{0.5, -0.25});
  state.start.w = {3.0, 0.01};
  state.initial = state.start;
  state.stepper = {true, 2, 1.5, 0.25, {0.1, -0.0, 1e300}, {1, 2, 3}, {1e-4}, {0, -7}};
  Snapshot snapshot;
  snapshot.parameters = state.start;
  snapshot.validation_loss = std::numeric_limits<double>::quiet_NaN();  // of no validation chains
  StageRecord stage;
  stage.stage = {.c = true, .w = false, .a = true, .duration = 2000.0};
  stage.snapshots = {snapshot, snapshot, snapshot};
  stage.switches = {{0.5, "dopri5", "rosenbrock4", "stiff"}};
  stage.restarts = {{state.stepper, {}, 1e-8}};
  run.execution.processes.resize(2);
  state.trajectory.stages = {stage, stage};
  OutputFile file(directory / "run.h5", false);
  write_run(file, run);
  CHECK_NOTHROW(read_run(directory / "run.h5"));
  check_damaged(directory / "run.h5", 4, [](const std::string& path) {
    const RunFile read = read_run(path);
    const Parameters& start = read.state.start;
    CHECK(read.lags.size() == static_cast<std::size_t>(start.heads * start.window));
    for (const StageRecord& one : read.state.trajectory.stages) {
      for (const Snapshot& point : one.snapshots) {
        CHECK(point.parameters.log_c_squared.size() == start.log_c_squared.size());
        CHECK(point.parameters.w.size() == start.w.size());
      }
    }
  });
}
