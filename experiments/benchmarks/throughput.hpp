#pragma once

#include <cstdint>

namespace gihflow::hot {

/// Loops that do nothing but one kind of the dense engine's work. All but the last work on numbers
/// that stay in the first cache or in registers, and repeat themselves `rounds` times.
struct Throughput {
  /// Multiplications and additions that do not wait for each other; returns how many there were.
  double (*multiply_add)(std::int64_t rounds);
  /// One byte a lane loaded, converted, multiplied and added, packs of eight; returns how many
  /// packs.
  double (*count)(std::int64_t rounds);
  /// Logarithms and divisions of packs; return how many packs.
  double (*logarithm)(std::int64_t rounds);
  double (*divide)(std::int64_t rounds);
  /// Lines of eight numbers, a multiple of eight lines, read one after the other and added up.
  void (*read)(const double* numbers, std::int64_t lines);
};

}  // namespace gihflow::hot
