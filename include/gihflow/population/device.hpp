#pragma once

#include <cstddef>
#include <string>

#include "gihflow/base/export.hpp"
#include "gihflow/model/model.hpp"

namespace GIHFLOW_API gihflow {

/// Where gradients are computed. `automatic` is for settings, of which make_objectives() makes the
/// faster device; objectives that are made one by one take it for `cpu`.
enum class Device { automatic, cpu, cuda };

/// Whether the CUDA engine is part of this library.
bool built_with_cuda() noexcept;

/// Why no CUDA card can be used, as text for a fault: built without CUDA, no driver, no card, a
/// card too old. Empty if one can. Determined at the first call.
const std::string& cuda_fault();

/// The driver's name of the first card, such as "NVIDIA H100 80GB HBM3". Empty if there is a
/// cuda_fault().
std::string cuda_card();

/// Memory of this thread's card that is free now, in bytes; 0 if there is a cuda_fault().
std::size_t cuda_free_memory();

/// Throws InputError that names the option for a model that the card's engine does not support.
void require_card(const Model& model);

/// Whether a card can compute a model's gradients: there is no cuda_fault(), and the card's engine
/// supports the model.
bool card_computes(const Model& model);

}  // namespace gihflow
