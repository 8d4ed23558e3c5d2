// Compiled once for every instruction set, with GIHFLOW_ISA naming the set.

#include "population/segment.hpp"

namespace gihflow::GIHFLOW_ISA {

extern const hot::BlockFunctions block_functions;

#define GIHFLOW_COUNTS(Numbers)                                          \
  {                                                                      \
    run_block<Numbers, std::uint8_t>, run_block<Numbers, std::uint16_t>, \
        run_block<Numbers, std::uint32_t>                                \
  }

const hot::BlockFunctions block_functions = {{{GIHFLOW_COUNTS(Plain1), GIHFLOW_COUNTS(PlainPack)},
                                              {GIHFLOW_COUNTS(Dual1), GIHFLOW_COUNTS(DualPack)}},
                                             {{scratch_size<Plain1>, scratch_size<PlainPack>},
                                              {scratch_size<Dual1>, scratch_size<DualPack>}}};

}  // namespace gihflow::GIHFLOW_ISA
