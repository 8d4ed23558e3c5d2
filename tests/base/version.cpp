#include "gihflow/base/version.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace gihflow;

TEST_CASE("the build says what it is") {
  CHECK(version().find('.') != std::string::npos);
  CHECK_FALSE(git_commit().empty());
  CHECK_FALSE(compiler().empty());
  CHECK(compiler_flags().find("-ffp-contract=off") != std::string::npos);
  const std::string set = instruction_set();
  CHECK((set == "baseline" || set == "avx2" || set == "avx512"));
  for (const char* library : {"Thrust 1.", "Boost 1.", "Eigen 3."}) {
    CHECK_MESSAGE(library_versions().find(library) != std::string::npos, library);
  }
}
