#include "gihflow/base/version.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <string>

using namespace gihflow;

TEST_CASE("version and commit have the form that files promise") {
  CHECK(std::regex_match(version(), std::regex(R"(\d+\.\d+\.\d+)")));
  CHECK(std::regex_match(git_commit(), std::regex("unknown|[0-9a-f]{40}(-dirty)?")));
}

TEST_CASE("compiler and flags are those of this build") {
#ifdef __clang__
  CHECK(compiler() ==
        fmt::format("Clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__));
#else
  CHECK(compiler() == fmt::format("GNU {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__));
#endif
  CHECK(compiler_flags().find("-ffp-contract=off") != std::string::npos);
  CHECK(compiler_flags().find("-std=c++20") != std::string::npos);
  CHECK(compiler_flags().find("-W") == std::string::npos);  // warnings decide no bit
}

TEST_CASE("the instruction set is one that the processor says it has") {
  std::ifstream file("/proc/cpuinfo");
  const std::string info{std::istreambuf_iterator<char>(file), {}};
  const auto has = [&](const char* flag) {
    return std::regex_search(info, std::regex("\nflags[^\n]* " + std::string(flag) + "[ \n]"));
  };
  const bool avx512 = has("avx512f") && has("avx512dq") && has("avx512vl") && has("avx512bw");
  CHECK(instruction_set() == (avx512 ? "avx512" : has("avx2") ? "avx2" : "baseline"));
}

TEST_CASE("each library is named once, with a version") {
  const std::regex one(R"((\w+) \d+\.\d+(\.\d+)?)");
  const std::string all = library_versions();
  CHECK(std::regex_match(all, std::regex(R"((\w+ [\d.]+)(, \w+ [\d.]+)*)")));
  std::string names;
  for (std::sregex_iterator i(all.begin(), all.end(), one), end; i != end; ++i) {
    names += (*i)[1].str() + " ";
  }
  CHECK(names == "Thrust Boost Eigen glibc ");
}
