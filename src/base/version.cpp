#include "gihflow/base/version.hpp"

#include <fmt/format.h>
#include <thrust/version.h>

#include <Eigen/Core>
#include <boost/version.hpp>

#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif

#include "gihflow_build_info.hpp"

namespace gihflow {

std::string version() {
  return GIHFLOW_VERSION;
}

std::string git_commit() {
  return GIHFLOW_GIT_COMMIT;
}

std::string compiler() {
  return GIHFLOW_COMPILER;
}

std::string compiler_flags() {
  return fmt::format("{} ({})", GIHFLOW_FLAGS, GIHFLOW_BUILD_TYPE);
}

std::string instruction_set() {
#if defined(__x86_64__)
  // The same extensions that the hot loops are compiled with.
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")) {
    return "avx512";
  }
  if (__builtin_cpu_supports("avx2")) return "avx2";
#endif
  return "baseline";
}

std::string library_versions() {
  std::string libraries =
      fmt::format("Thrust {}.{}.{}, Boost {}.{}.{}, Eigen {}.{}.{}", THRUST_VERSION / 100000,
                  THRUST_VERSION / 100 % 1000, THRUST_VERSION % 100, BOOST_VERSION / 100000,
                  BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100, EIGEN_WORLD_VERSION,
                  EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION);
#ifdef __GLIBC__
  libraries += fmt::format(", glibc {}", gnu_get_libc_version());
#endif
  return libraries;
}

}  // namespace gihflow
