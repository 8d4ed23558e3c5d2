#pragma once

#include "gihflow/base/parallel.hpp"

namespace gihflow::testing {

/// A number of threads for as long as this object lives.
class Threads {
 public:
  explicit Threads(int count) : scope_({.threads = count}) {}

 private:
  ContextScope scope_;
};

}  // namespace gihflow::testing
