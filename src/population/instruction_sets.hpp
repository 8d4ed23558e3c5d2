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

/// Those for `set`, see instruction_set().
HotLoops hot_loops(const std::string& set);

/// Room for what hot loops keep, reused by its thread. 64-byte aligned.
double* scratch_of_thread(std::size_t doubles);

}  // namespace gihflow
