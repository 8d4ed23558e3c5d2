#pragma once

#include <cstdint>
#include <span>

#include "gihflow/base/export.hpp"
#include "gihflow/base/types.hpp"

namespace GIHFLOW_API gihflow {

/// base^exponent for base ≥ 0, exponent ≥ 0; throws InputError naming `what` when it exceeds 2^62.
Index power(Index base, Index exponent, const char* what);

/// The digits of `number` in `base` ≤ 2^16, the most significant first; leading zeros fill
/// `digits`.
void digits_of(std::uint64_t number, std::uint64_t base, std::span<Token> digits);

}  // namespace gihflow
