#pragma once

#include <stdexcept>

#include "gihflow/base/export.hpp"

namespace GIHFLOW_API gihflow {

/// Thrown where work without a usable partial result was given up because the Interrupt of the
/// caller's Context was requested.
class Interrupted : public std::runtime_error {
 public:
  Interrupted() : std::runtime_error("interrupted") {}
};

/// While an object of this class lives, parallel loops of the calling thread throw Interrupted
/// between two blocks once an interrupt is requested in its Context. For work whose partial result
/// is of no use: drawing, counting, ranking. Integrators do not use it: they end after a complete
/// step.
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
