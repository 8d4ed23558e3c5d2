#pragma once

#include <stdexcept>

#include "gihflow/base/export.hpp"

namespace GIHFLOW_API gihflow {

/// Work that gives no result half done was given up, as the Interrupt of the caller's context
/// asked.
class Interrupted : public std::runtime_error {
 public:
  Interrupted() : std::runtime_error("interrupted") {}
};

/// While an object of this lives, parallel loops of the calling thread are given up between two
/// blocks, and throw Interrupted, once an interrupt is requested in its context. For work that is
/// of no use half done: drawing, counting, ranking. An integrator, which ends after a step, has
/// none.
class GivingUp {
 public:
  GivingUp();
  GivingUp(const GivingUp&) = delete;
  GivingUp& operator=(const GivingUp&) = delete;
  ~GivingUp();

 private:
  bool before_;
};

}  // namespace gihflow
