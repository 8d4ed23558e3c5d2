#include "population/instruction_sets.hpp"

#include <vector>

#include "base/instruction_sets.hpp"

namespace gihflow {

GIHFLOW_HOT(hot::BlockFunctions, block_functions)
GIHFLOW_HOT(hot::FeatureFunctions, feature_functions)
GIHFLOW_HOT(hot::LawFunctions, law_functions)
GIHFLOW_HOT(hot::MomentFunctions, moment_functions)

HotLoops hot_loops(const std::string& set) {
  return {GIHFLOW_HOT_OF(set, block_functions), GIHFLOW_HOT_OF(set, feature_functions),
          GIHFLOW_HOT_OF(set, law_functions), GIHFLOW_HOT_OF(set, moment_functions)};
}

double* scratch_of_thread(std::size_t doubles) {
  static thread_local std::vector<hot::Line> lines;
  const std::size_t needed = doubles / 8 + 1;
  if (lines.size() < needed) lines.resize(needed);
  return lines.front().number;
}

}  // namespace gihflow
