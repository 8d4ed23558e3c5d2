#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace gihflow::hot {

/// Of Gamma(shape, 1) variates. For a shape ≥ 1 (Marsaglia & Tsang 2000): with x normal,
/// root = 1 + x/√(9δ) and δ = shape − 1/3, the variate is δ·root³, accepted when root > 0 and
/// log u < x²/2 + δ(1 − root³ + log root³). Below, G(shape) = G(shape + 1)·U^{1/shape}.
struct GammaLaw {
  double shape;
  double delta, slope, log_delta;  ///< δ of shape or shape + 1, 1/√(9δ), log δ
};

/// An attempt takes two uniforms for its normal variate and one to accept it, and one more for the
/// power of an accepted one if shape < 1.
inline constexpr std::size_t uniforms_of_attempt = 3;
inline constexpr std::size_t uniforms_of_variate(double shape) {
  return shape < 1.0 ? 4 : 3;
}

/// How many variates were drawn, and how many uniforms were taken for them.
struct Drawn {
  std::size_t variates, uniforms;
};

/// Numbers beyond those that are held which may be read, whatever they are.
inline constexpr std::size_t read_beyond = 64;

/// Laws from logarithms, exponentials and cosines of base/elementary.hpp, with the same bits on
/// every instruction set.
struct DrawingFunctions {
  /// Standard normal variate of two uniforms (Box & Muller 1958).
  double (*normal)(double u, double v);
  GammaLaw (*gamma_law)(double shape);
  /// Logarithms of variates from the uniforms (k + ½)·2⁻⁵² of `held` integers k in order, until
  /// `count` are drawn or too few uniforms are left for the next. Sixteen are attempted at once, as
  /// if each were accepted; those before the first that is not are kept, and it is tried again.
  Drawn (*log_gamma)(const GammaLaw& law, const std::uint64_t* fractions, std::size_t held,
                     double* variates, std::size_t count);
  /// Turns rows of d logarithms, n numbers in all, into probabilities, none below the smallest
  /// normal number.
  void (*normalise)(double* rows, std::size_t d, std::size_t n);
};

}  // namespace gihflow::hot

namespace gihflow {

/// The version for `set`, see instruction_set().
const hot::DrawingFunctions& drawing_functions(const std::string& set);

}  // namespace gihflow
