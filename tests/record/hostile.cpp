// Damaged files of every kind that is read: whatever a byte became, the answer is a value that
// keeps its promises or sentences that name the file. 300 of each kind.

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <random>

#include "gihflow/base/errors.hpp"
#include "record/sample_files.hpp"
#include "support/directory.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

constexpr int damages = 300;

// Most memory that this process ever had, in bytes: what a damaged file merely declares must not be
// in it.
double most_memory() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return 1024.0 * static_cast<double>(used.ru_maxrss);
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
  CHECK_NOTHROW(read(path));
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
      CHECK_FALSE(error.faults().empty());
      for (const Fault& fault : error.faults()) {
        const std::string message = sentence(fault, plain_spelling);
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
  CHECK(most_memory() < 0x1p30);
}

}  // namespace

TEST_CASE("damaged data files") {
  const Directory directory;
  write_data_sample(directory / "good.h5");
  check_damaged(directory / "good.h5", 1, [](const std::string& path) {
    const Sequences read = read_data(path, Isolation::child);
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
  write_kernel_sample(directory / "good.h5");
  check_damaged(directory / "good.h5", 2, [](const std::string& path) {
    validate(read_kernels(path, Isolation::child), "kernels");
  });
}

TEST_CASE("damaged tables of runs") {
  const Directory directory;
  write_sweep_sample(directory / "good.h5");
  check_damaged(directory / "good.h5", 5, [](const std::string& path) {
    const auto table = read_sweep_table(path, Isolation::child);
    if (!table) return;
    for (const ReadColumn& column : table->columns) {
      const std::size_t values = table->rows * column.entries.size();
      REQUIRE(column.numbers.size() + column.texts.size() == values);
    }
  });
}

TEST_CASE("damaged parameter files") {
  const Directory directory;
  write_parameter_sample(directory / "good.h5");
  check_damaged(directory / "good.h5", 3, [](const std::string& path) {
    const Parameters read = read_parameters(path, Isolation::child);
    CHECK(read.w.size() == static_cast<std::size_t>(read.heads * read.window));
    CHECK(read.c().size() == read.c_sign.size());
    CHECK(std::isfinite(read.a));
    CHECK(std::isfinite(read.log_normalizer()));
  });
}

TEST_CASE("damaged run files") {
  const Directory directory;
  write_run_sample(directory / "good.h5");
  check_damaged(directory / "good.h5", 4, [](const std::string& path) {
    const RunFile read = read_run(path, Isolation::child);
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
