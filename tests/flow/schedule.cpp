#include "gihflow/flow/schedule.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "support/input_errors.hpp"

using namespace gihflow;
using namespace gihflow::testing;

TEST_CASE("schedules are read and written") {
  Schedule schedule = parse_schedule("c:2000,wa:0.5,cwa:1e6");
  REQUIRE(schedule.size() == 3);
  CHECK(schedule[0] == Stage{"c", 2000.0});
  CHECK(schedule[1] == Stage{"wa", 0.5});
  CHECK(schedule[2] == Stage{"cwa", 1e6});
  CHECK(parse_schedule(to_string(schedule)) == schedule);
  CHECK(parse_schedule("c:0.1")[0].duration == 0.1);
}

TEST_CASE("every faulty stage of a schedule gets its sentence") {
  auto errors = input_errors([] { parse_schedule("c:0,x:5,cc:5,w,:3,a:inf,a:1x,w:-2,"); });
  REQUIRE(errors.size() == 9);
  CHECK(errors[0].find("'c:0'") != std::string::npos);
  CHECK(errors[0].find("not a positive finite number") != std::string::npos);
  CHECK(errors[1].find("unknown block 'x'") != std::string::npos);
  CHECK(errors[2].find("block 'c' twice") != std::string::npos);
  CHECK(errors[3].find("no TIME") != std::string::npos);
  CHECK(errors[4].find("names no block") != std::string::npos);
  CHECK(errors[6].find("'1x', which is not a number") != std::string::npos);
  for (const std::string& error : errors) CHECK(error.find("stages: ") == 0);
}

TEST_CASE("output times start at zero, end at the end and grow in between") {
  auto times = output_times(2000.0, 200);
  REQUIRE(times.size() == 200);
  CHECK(times[0] == 0.0);
  CHECK(times[1] == 1.0);
  CHECK(times.back() == 2000.0);
  CHECK(std::is_sorted(times.begin(), times.end()));
  CHECK(output_times(50.0, 10)[1] == 0.05);
  CHECK(output_times(50.0, 10, 2.0)[1] == 2.0);
  CHECK(output_times(50.0, 2) == std::vector<double>{0.0, 50.0});
  CHECK(output_times(50.0, 3) == std::vector<double>{0.0, 0.05, 50.0});
}

TEST_CASE("output times increase for every first time and duration that is a number") {
  const double tiny = 5e-324, huge = 1e308;
  for (const double duration : {tiny, 1e-320, 1e-300, 1.0, 2000.0, huge})
    for (const double first : {0.0, tiny, 1e-307, 1.0, 2000.0 * (1.0 - 1e-15)}) {
      CAPTURE(duration);
      CAPTURE(first);
      const auto times = output_times(duration, 200, first);
      CHECK(times.front() == 0.0);
      CHECK(times.back() == duration);
      for (std::size_t k = 1; k < times.size(); ++k) CHECK(times[k] > times[k - 1]);
    }
  const auto times = output_times(2000.0, 200, 1e-307);
  REQUIRE(times.size() == 200);
  CHECK(times[1] == 1e-307);
  // Evenly spaced in log t.
  const double step = (std::log(2000.0) - std::log(1e-307)) / 198.0;
  for (std::size_t k = 2; k < times.size(); ++k)
    CHECK(std::abs(std::log(times[k]) - std::log(times[k - 1]) - step) <= 1e-12 * 710.0);
}
