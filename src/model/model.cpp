#include "gihflow/model/model.hpp"

#include "gihflow/base/subsets.hpp"

namespace gihflow {

Index Model::subsets() const {
  return subset_count(heads, degree);
}

}  // namespace gihflow
