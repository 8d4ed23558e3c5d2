#include "population/instruction_sets.hpp"

#include <vector>

namespace gihflow {

#define GIHFLOW_HOT_LOOPS(set)                          \
  namespace set {                                       \
  extern const hot::BlockFunctions block_functions;     \
  extern const hot::FeatureFunctions feature_functions; \
  extern const hot::LawFunctions law_functions;         \
  extern const hot::MomentFunctions moment_functions;   \
  }
GIHFLOW_HOT_LOOPS(baseline)
#ifdef GIHFLOW_ISA_X86
GIHFLOW_HOT_LOOPS(avx2)
GIHFLOW_HOT_LOOPS(avx512)
#endif
#undef GIHFLOW_HOT_LOOPS

HotLoops hot_loops([[maybe_unused]] const std::string& set) {
#ifdef GIHFLOW_ISA_X86
  if (set == "avx512")
    return {avx512::block_functions, avx512::feature_functions, avx512::law_functions,
            avx512::moment_functions};
  if (set == "avx2")
    return {avx2::block_functions, avx2::feature_functions, avx2::law_functions,
            avx2::moment_functions};
#endif
  return {baseline::block_functions, baseline::feature_functions, baseline::law_functions,
          baseline::moment_functions};
}

double* scratch_of_thread(std::size_t doubles) {
  static thread_local std::vector<hot::Line> lines;
  const std::size_t needed = doubles / 8 + 1;
  if (lines.size() < needed) lines.resize(needed);
  return lines.front().number;
}

}  // namespace gihflow
