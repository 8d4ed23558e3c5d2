// The answers of a library that was built without CUDA.

#include "gihflow/base/errors.hpp"
#include "gihflow/population/device.hpp"
#include "population/engines.hpp"

namespace gihflow {

namespace {

[[noreturn]] void refuse_cuda() {
  throw InputError(Fault{Field::device, "cuda", cuda_fault(), ""});
}

}  // namespace

bool built_with_cuda() noexcept {
  return false;
}

const std::string& cuda_fault() {
  static const std::string fault = "must be cpu or auto, since this program was built without CUDA";
  return fault;
}

std::string cuda_card() {
  return "";
}

std::size_t cuda_free_memory() {
  return 0;
}

std::string take_card(int) {
  refuse_cuda();
}

std::unique_ptr<PartedObjective> make_cuda_objective(const Model&, const SequenceSource&, Engine,
                                                     Index, Index) {
  refuse_cuda();
}

std::unique_ptr<PartedObjective> make_cuda_infinite_objective(const Model&, const Kernels&, Index,
                                                              Index) {
  refuse_cuda();
}

}  // namespace gihflow
