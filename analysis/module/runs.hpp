#pragma once

#include <memory>

#include "gihflow/run/train.hpp"
#include "python.hpp"

namespace gihflow::python {

/// A run held in memory, with the inputs that a call gave it.
class RunHandle {
 public:
  RunHandle(Run run, Inputs inputs)
      : run_(std::make_shared<Run>(std::move(run))), inputs_(std::move(inputs)) {}

  const Run& run() const { return *run_; }
  const Inputs& inputs() const { return inputs_; }

 private:
  std::shared_ptr<const Run> run_;
  Inputs inputs_;
};

}  // namespace gihflow::python
