#pragma once

#include <cstddef>
#include <string>

#include "population/moments.hpp"
#include "population/views.hpp"

namespace gihflow {

/// Hot loops in the version for one instruction set.
struct HotLoops {
  const hot::BlockFunctions& blocks;
  const hot::FeatureFunctions& features;
  const hot::LawFunctions& laws;
  const hot::MomentFunctions& moments;
};

/// The version for `set`, see instruction_set(); "baseline" for any other name.
HotLoops hot_loops(const std::string& set);

/// Scratch of the calling thread for the hot loops, 64-byte aligned; the next call reuses it.
double* scratch_of_thread(std::size_t doubles);

}  // namespace gihflow
