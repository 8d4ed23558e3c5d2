#include "gihflow/record/sweep_table.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "gihflow/base/errors.hpp"
#include "record/sample_files.hpp"
#include "support/directory.hpp"

using namespace gihflow;
using namespace gihflow::testing;

TEST_CASE("A table of runs is read back with units, meanings and names of entries") {
  const Directory directory;
  const std::string path = directory / "sweep.h5";
  write_sweep_sample(path);
  const auto table = read_sweep_table(path);
  REQUIRE(table);
  CHECK(table->rows == 2);
  CHECK(table->plan == sample_sweep().plan);
  std::vector<std::string> names;
  for (const ReadColumn& column : table->columns) names.push_back(column.name);
  CHECK(names == std::vector<std::string>{"alpha", "loss", "member", "p", "rhs_evaluations", "w"});
  CHECK(table->columns[0].numbers == std::vector<double>{0.1, 1.0});
  CHECK(table->columns[1].units == "nats");
  CHECK(table->columns[1].meaning == "training loss");
  CHECK(std::isnan(table->columns[1].numbers[0]));
  CHECK(table->columns[2].texts == std::vector<std::string>{"first", "second"});
  CHECK(table->columns[2].numbers.empty());
  CHECK(table->columns[3].entries == std::vector<std::string>{"{}", "{1}"});
  CHECK(table->columns[3].numbers == std::vector<double>{0.25, 0.75, 1, 0});
  CHECK(table->columns[4].numbers == std::vector<double>{3, 4});
  CHECK(table->columns[5].entries == std::vector<std::string>{"[1,1]", "[1,2]"});
}

TEST_CASE("Another file is no table of runs, and none at all is refused") {
  const Directory directory;
  write_run_sample(directory / "run.h5");
  CHECK_FALSE(read_sweep_table(directory / "run.h5"));
  CHECK_THROWS_AS(read_sweep_table(directory / "none.h5"), InputError);
}
