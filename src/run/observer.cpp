#include "gihflow/run/observer.hpp"

#include <algorithm>
#include <cmath>

namespace gihflow {

double fraction_done(const Progress& progress) {
  const double first = std::min(1.0, progress.duration / 1000.0);
  const double in_stage = std::log1p(progress.t / first) / std::log1p(progress.duration / first);
  return std::clamp(
      (static_cast<double>(progress.stage) + in_stage) / static_cast<double>(progress.stages), 0.0,
      1.0);
}

}  // namespace gihflow
