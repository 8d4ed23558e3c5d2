#pragma once

// Logarithm, exponential and cosine of packs, from + − × ÷ alone: every instruction set and every
// C library gives the same bits. Tests hold them against 80-bit results.

#include <cstdint>

#include "base/pack.hpp"

namespace gihflow::GIHFLOW_ISA {

typedef std::uint64_t BitsRegister __attribute__((vector_size(8 * register_doubles)));

inline BitsRegister bits_of(const Pack::Register& x) {
  return reinterpret_cast<BitsRegister>(x);
}
inline Pack::Register number_of(const BitsRegister& x) {
  return reinterpret_cast<Pack::Register>(x);
}

inline constexpr std::uint64_t bits_of_one = 0x3ff0000000000000, exponent_bits = 0xfff0000000000000;

/// ln 2 in two parts. The upper one has 42 bits: times an exponent it is exact.
inline constexpr double ln2_upper = 0x1.62e42fefa3800p-1, ln2_lower = 0x1.ef35793c76730p-45;

/// c_0 + c_1 z + … + c_{n−1} z^{n−1}, of pairs, pairs of pairs and so on, which do not wait for
/// each other.
template <int N>
[[gnu::always_inline]] inline Pack::Register polynomial(const double (&c)[N], Pack::Register z) {
  Pack::Register sum[N];
  for (int i = 0; i < N / 2; ++i) sum[i] = z * c[2 * i + 1] + c[2 * i];
  if (N % 2 != 0) sum[N / 2] = c[N - 1] - Pack::Register{};
  for (int n = (N + 1) / 2; n > 1; n = (n + 1) / 2) {
    z = z * z;
    for (int i = 0; i < n / 2; ++i) sum[i] = sum[2 * i] + sum[2 * i + 1] * z;
    if (n % 2 != 0) sum[n / 2] = sum[n - 1];
  }
  return sum[0];
}

/// log x of a positive normal number, within 1 ulp. With x = 2^k(1 + f), 1 + f between √½ and √2,
/// and s = f/(2 + f): log(1 + f) = 2 artanh s = 2s + sR, where R = 2s²/3 + 2s⁴/5 + …, and 2s is
/// f − f²/2 + sf²/2.
[[gnu::always_inline]] inline Pack::Register logarithm(const Pack::Register& x) {
  constexpr double series[] = {2.0 / 3.0,  2.0 / 5.0,  2.0 / 7.0,  2.0 / 9.0,  2.0 / 11.0,
                               2.0 / 13.0, 2.0 / 15.0, 2.0 / 17.0, 2.0 / 19.0, 2.0 / 21.0};
  constexpr std::uint64_t bits_of_root_half = 0x3fe6a09e667f3bcd;
  const BitsRegister shifted = bits_of(x) + (bits_of_one - bits_of_root_half);
  // k + 1023 in the last digits of a number from 2⁵² on.
  const Pack::Register k =
      number_of(shifted >> 52 | std::uint64_t{0x4330000000000000}) - (0x1p52 + 1023.0);
  const Pack::Register f = number_of(bits_of(x) - (shifted & exponent_bits) + bits_of_one) - 1.0;
  const Pack::Register s = f / (f + 2.0), z = s * s, half = 0.5 * f * f;
  const Pack::Register R = z * polynomial(series, z);
  return k * ln2_upper + (f - (half - (s * (half + R) + k * ln2_lower)));
}

/// eˣ for x ≤ 0, within 1 ulp; 0 where it is not above the smallest normal number. Its Taylor
/// series about multiples of ln 2.
[[gnu::always_inline]] inline Pack::Register exponential(const Pack::Register& x) {
  constexpr double series[] = {1.0 / 2.0,        1.0 / 6.0,         1.0 / 24.0,
                               1.0 / 120.0,      1.0 / 720.0,       1.0 / 5040.0,
                               1.0 / 40320.0,    1.0 / 362880.0,    1.0 / 3628800.0,
                               1.0 / 39916800.0, 1.0 / 479001600.0, 1.0 / 6227020800.0};
  constexpr double log2_e = 0x1.71547652b82fep+0, least = -708.3964185322641;
  constexpr double to_integer = 0x1.8p52;  // added, it leaves an integer in the last digits
  const Pack::Register shifted = x * log2_e + to_integer, n = shifted - to_integer;
  const Pack::Register r = (x - n * ln2_upper) - n * ln2_lower;
  const Pack::Register e = 1.0 + (r + r * r * polynomial(series, r));
  const Pack::Register scaled = number_of(bits_of(e) + (bits_of(shifted) << 52));
  return x > least ? scaled : Pack::Register{};
}

/// cos 2πv for a multiple v of 2⁻⁵³ in [0, 1], within 2 ulp: sin 2πw for w = |v − ½| − ¼, by its
/// Taylor series for |w| ≤ ⅛ and by that of the cosine of 2π(¼ − |w|) beyond.
[[gnu::always_inline]] inline Pack::Register cosine_of_turns(const Pack::Register& v) {
  // ±(2π)ᵏ/k!, and what is left of 2π
  constexpr double of_sine[] = {-41.34170224039976,  81.60524927607506,  -76.70585975306139,
                                42.058693944897655,  -15.09464257682299, 3.819952584848282,
                                -0.7181223017785006, 0.10422916220813984};
  constexpr double of_cosine[] = {-19.739208802178716, 64.9393940226683,   -85.45681720669373,
                                  60.24464137187666,   -26.4262567833744,  7.903536371318469,
                                  -1.714390711088672,  0.28200596845579123};
  constexpr double two_pi = 6.283185307179586, left = 2.4492935982947064e-16;
  const auto absolute = [](const Pack::Register& x) { return x > 0.0 ? x : -x; };
  const Pack::Register w = absolute(v - 0.5) - 0.25, beyond = 0.25 - absolute(w);
  const Pack::Register r = beyond > 0.125 ? w : beyond, z = r * r;
  const Pack::Register sine = w * two_pi + w * (z * polynomial(of_sine, z) + left);
  const Pack::Register cosine = 1.0 + z * polynomial(of_cosine, z);
  return beyond > 0.125 ? sine : w > 0.0 ? cosine : -cosine;
}

inline Pack logarithm(const Pack& x) {
  Pack y;
  for (int i = 0; i < Pack::registers; ++i) y.part[i] = logarithm(x.part[i]);
  return y;
}
inline Pack exponential(const Pack& x) {
  Pack y;
  for (int i = 0; i < Pack::registers; ++i) y.part[i] = exponential(x.part[i]);
  return y;
}
inline Pack cosine_of_turns(const Pack& x) {
  Pack y;
  for (int i = 0; i < Pack::registers; ++i) y.part[i] = cosine_of_turns(x.part[i]);
  return y;
}

}  // namespace gihflow::GIHFLOW_ISA
