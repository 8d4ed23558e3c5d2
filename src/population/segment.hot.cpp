// Compiled once for every instruction set, with GIHFLOW_ISA naming the set.

#include "population/segment.hpp"

namespace gihflow::GIHFLOW_ISA {

extern const hot::BlockFunctions block_functions;

#define GIHFLOW_COUNTS(Features, Numbers)                                                    \
  {                                                                                          \
    run_block<Features, Numbers, std::uint8_t>, run_block<Features, Numbers, std::uint16_t>, \
        run_block<Features, Numbers, std::uint32_t>                                          \
  }
#define GIHFLOW_FEATURES(Features)                                             \
  {                                                                            \
    {GIHFLOW_COUNTS(Features, Plain1), GIHFLOW_COUNTS(Features, PlainPack)}, { \
      GIHFLOW_COUNTS(Features, Dual1), GIHFLOW_COUNTS(Features, DualPack)      \
    }                                                                          \
  }

const hot::BlockFunctions block_functions = {{GIHFLOW_FEATURES(Relative), GIHFLOW_FEATURES(Table)},
                                             {{scratch_size<Plain1>, scratch_size<PlainPack>},
                                              {scratch_size<Dual1>, scratch_size<DualPack>}}};

}  // namespace gihflow::GIHFLOW_ISA
