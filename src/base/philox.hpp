#pragma once

#include <cstdint>

namespace gihflow::hot {

/// Counters that are taken at once.
inline constexpr unsigned philox_counters = 32;

/// Philox4x32-10 at `counter` and those that follow it in the first word: the upper 52 bits of the
/// two draws of each, [2 · philox_counters]. Only integers are multiplied, so that every
/// instruction set gives the same bits.
using PhiloxFunction = void (*)(const std::uint32_t* counter, const std::uint32_t* key,
                                std::uint64_t* fractions);

}  // namespace gihflow::hot
