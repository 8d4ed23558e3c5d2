#pragma once

#include "gihflow/base/parallel.hpp"

namespace gihflow::testing {

/// A number of threads for as long as this object lives.
class Threads {
 public:
  explicit Threads(int count) : before_(threads()) { set_threads(count); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
  ~Threads() { set_threads(before_); }

 private:
  int before_;
};

}  // namespace gihflow::testing
