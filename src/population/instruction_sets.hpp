#pragma once

#include <cstddef>
#include <string>

#include "population/views.hpp"

namespace gihflow {

/// Hot loops in the version for an instruction set, see instruction_set().
const hot::BlockFunctions& block_functions(const std::string& set);
const hot::LawFunctions& law_functions(const std::string& set);

/// Room for what hot loops keep, reused by its thread. 64-byte aligned.
double* scratch_of_thread(std::size_t doubles);

}  // namespace gihflow
