#pragma once

#include <span>

#include "gihflow/base/random.hpp"
#include "gihflow/base/types.hpp"

namespace gihflow {

/// x_l ~ π(·|x_{l−r₁}, …, x_{l−r_n}) for l = r_n+1 … L+1, formula (1.2): one uniform of `stream` a
/// token, in the sense of categorical(). tokens [L + 1], of which x_1 … x_{r_n} are read; kernel
/// [dⁿ, d].
void draw_tokens(std::span<const double> kernel, Index vocabulary, std::span<const Index> parents,
                 Stream& stream, std::span<Token> tokens);

}  // namespace gihflow
