#include "gihflow/chain/distributions.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>

#include "base/instruction_sets.hpp"
#include "chain/drawing.hpp"
#include "gihflow/base/size.hpp"

namespace gihflow {

GIHFLOW_HOT(hot::DrawingFunctions, drawing_functions)

const hot::DrawingFunctions& drawing_functions(const std::string& set) {
  return GIHFLOW_HOT_OF(set, drawing_functions);
}

namespace {

const hot::DrawingFunctions& drawing() {
  static const hot::DrawingFunctions& own = drawing_functions(instruction_set());
  return own;
}

// For alpha near 1e-308 log(U)/alpha overflows for all entries, which would then be equal. At
// 1e-300 the entry with the largest U already has the whole mass, to the last bit.
double shape_of_entry(double alpha) {
  return std::max(alpha, 1e-300);
}

// The next variates of the stream; returns the number of draws that they took.
std::uint64_t draw_log_gamma(Stream stream, double shape, std::span<double> variates) {
  constexpr std::size_t step = 64;  // draws that a stream takes at once
  std::array<std::uint64_t, 8 * step + hot::read_beyond> fractions;
  const hot::GammaLaw law = drawing().gamma_law(shape);
  const std::size_t needed = hot::uniforms_of_variate(law.shape);
  std::uint64_t used = 0;
  for (std::size_t held = 0; !variates.empty();) {
    const std::size_t room = fractions.size() - hot::read_beyond - held;
    const std::size_t more = std::min((variates.size() * needed / step + 1) * step, room);
    stream.fractions({fractions.data() + held, more});
    held += more;
    std::fill_n(fractions.data() + held, hot::read_beyond, 0);
    const hot::Drawn drawn =
        drawing().log_gamma(law, fractions.data(), held, variates.data(), variates.size());
    variates = variates.subspan(drawn.variates);
    used += drawn.uniforms;
    held = static_cast<std::size_t>(
        std::copy(fractions.data() + drawn.uniforms, fractions.data() + held, fractions.data()) -
        fractions.data());
  }
  return used;
}

}  // namespace

double normal_variate(Stream& stream) {
  const double u = stream.uniform();
  return drawing().normal(u, stream.uniform());
}

double log_gamma_variate(Stream& stream, double shape) {
  double variate = 0.0;
  log_gamma_variates(stream, shape, {&variate, 1});
  return variate;
}

void log_gamma_variates(Stream& stream, double shape, std::span<double> variates) {
  stream.skip(draw_log_gamma(stream, shape, variates));
}

void dirichlet(Stream& stream, double alpha, std::span<double> row) {
  log_gamma_variates(stream, shape_of_entry(alpha), row);
  drawing().normalise(row.data(), row.size(), row.size());
}

void dirichlet_rows(Stream stream, double alpha, Index d, std::span<double> rows) {
  draw_log_gamma(stream, shape_of_entry(alpha), rows);
  drawing().normalise(rows.data(), size(d), rows.size());
}

bool sums_to_one(double sum, std::span<const double> probabilities) {
  const double error = std::abs(sum - 1.0);
  if (error <= sum_tolerance) return true;
  const double units = error / static_cast<double>(probabilities.size());
  const auto all = [&](auto&& of_type) {
    return std::all_of(probabilities.begin(), probabilities.end(), of_type);
  };
  const auto is_single = [](double p) { return p == static_cast<double>(static_cast<float>(p)); };
  // Representable in half precision: 11 bits, none below 2⁻²⁴.
  const auto is_half = [](double p) {
    if (p == 0.0) return true;
    const double last = std::max(std::ldexp(1.0, std::ilogb(p) - 10), 0x1p-24);
    return std::fmod(p, last) == 0.0;
  };
  return (units <= 0x1p-24 && all(is_single)) || (units <= 0x1p-11 && all(is_half));
}

Index categorical(double uniform, std::span<const double> probabilities) {
  double cumulative = 0.0;
  Index last_possible = 0;
  for (std::size_t k = 0; k < probabilities.size(); ++k) {
    if (probabilities[k] <= 0.0) continue;
    cumulative += probabilities[k];
    last_possible = static_cast<Index>(k);
    if (uniform < cumulative) return last_possible;
  }
  // The sum was rounded to at most the uniform.
  return last_possible;
}

}  // namespace gihflow
