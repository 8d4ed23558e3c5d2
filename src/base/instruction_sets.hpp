#pragma once

#include <string>

#include "gihflow/base/version.hpp"

// Functions of a *.hot.cpp, which is compiled once for every instruction set into a namespace named
// after it.

#ifdef GIHFLOW_ISA_X86
/// Declares `name` of each set; at namespace gihflow.
#define GIHFLOW_HOT(Type, name) \
  namespace baseline {          \
  extern const Type name;       \
  }                             \
  namespace avx2 {              \
  extern const Type name;       \
  }                             \
  namespace avx512 {            \
  extern const Type name;       \
  }
/// `name` of the set with that name, see instruction_set(); the baseline's for any other name.
#define GIHFLOW_HOT_OF(set, name) \
  ((set) == "avx512" ? avx512::name : (set) == "avx2" ? avx2::name : baseline::name)
#else
#define GIHFLOW_HOT(Type, name) \
  namespace baseline {          \
  extern const Type name;       \
  }
#define GIHFLOW_HOT_OF(set, name) (static_cast<void>(set), baseline::name)
#endif
