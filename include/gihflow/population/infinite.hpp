#pragma once

#include <memory>

#include "gihflow/base/export.hpp"
#include "gihflow/chain/kernel.hpp"
#include "gihflow/population/objective.hpp"

namespace GIHFLOW_API gihflow {

/// Throws InputError for a model without an objective in infinite context: one that sees the own
/// token (4.6).
void require_infinite(const Model& model);

/// Upper bound in bytes of what make_infinite_objective() takes on the host, with standard errors
/// and beside the kernels, on the threads of the Context. longest_lag: r_n.
MemoryBound infinite_objective_memory(const Model& model, Index chains, Index longest_lag);

/// The objective in infinite context, formula (5.1): the loss averaged exactly over the sequences
/// of each chain, so Monte Carlo error is over chains only. N = kernels.count. For each chain it
/// keeps the stationary law of a window and the token after it, μ^π(Z,e), which with q for Z is
/// also μ^π(q)T_π(e|q), as a product: μ^π(Z), d^W numbers, and T(e|s), where s are the tokens of Z
/// at the n parents if the model sees all of them, d^{n+1} numbers, and else all of Z. A card keeps
/// the d^{W+1} numbers μ^π(Z,e). engine() is "infinite"; the boundary of the model is not read. On
/// the host a gradient costs about 4·N·d^W·(d^W + d^{n+1}) operations, as matrix products. Throws
/// InputError: vocabulary of the kernels ≠ vocabulary of the model; kernels that validate()
/// refuses; a chain with more than one closed class; more states than stationary_lag_law() takes;
/// on the host more memory than memory_limit(); as require_infinite() does; and for the device
/// cuda: a cuda_fault(), a model that require_card() refuses, d > 64, laws that do not fit the
/// card.
std::unique_ptr<Objective> make_infinite_objective(const Model& model, const Kernels& kernels,
                                                   Device device = Device::cpu);

}  // namespace gihflow
