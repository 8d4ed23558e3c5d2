#include "gihflow/base/digits.hpp"

#include <cstddef>

#include "base/make_fault.hpp"
#include "gihflow/base/errors.hpp"

namespace gihflow {

Index power(Index base, Index exponent, const char* what) {
  constexpr Index largest = Index{1} << 62;
  Index result = 1;
  for (Index i = 0; i < exponent; ++i) {
    if (base > 1 && result > largest / base)
      throw InputError(fault(what, fmt::format("{}^{}", base, exponent), "must not exceed 2^62"));
    result *= base;
    if (base <= 1) break;
  }
  return result;
}

void digits_of(std::uint64_t number, std::uint64_t base, std::span<Token> digits) {
  for (std::size_t place = digits.size(); place-- > 0; number /= base)
    digits[place] = static_cast<Token>(number % base);
}

}  // namespace gihflow
