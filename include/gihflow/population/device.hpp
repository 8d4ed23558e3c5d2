#pragma once

#include <cstddef>
#include <string>

#include "gihflow/base/export.hpp"
#include "gihflow/model/model.hpp"

namespace GIHFLOW_API gihflow {

/// Where gradients are computed.
enum class Device { automatic, cpu, cuda };

/// Whether the CUDA engine is part of this library.
bool built_with_cuda() noexcept;

/// Why no CUDA card can be used, in words for the fault of device cuda: built without CUDA, no
/// driver, no card, a card too old. Empty where one can. Asks once; cheap afterwards.
const std::string& cuda_fault();

/// The card that is used, as its driver names it, "NVIDIA H100 80GB HBM3". Empty with a
/// cuda_fault().
std::string cuda_card();

/// Memory of the card that is free now, in bytes; 0 with a cuda_fault().
std::size_t cuda_free_memory();

/// Throws InputError where the card's engine does not serve a model, naming the part.
void require_card(const Model& model);

/// What `automatic` stands for here: cuda where there is no cuda_fault() and the card's engine
/// serves the model, else cpu. Others stay.
Device resolved(Device device, const Model& model);

}  // namespace gihflow
