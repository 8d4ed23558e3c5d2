#pragma once

// Scalars of the hot loops: packs of doubles and dual numbers over doubles or packs; exp and log of
// packs may differ in the last digits between instruction sets.

#include <cstdint>

#include "base/pack.hpp"

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__) && \
    !defined(GIHFLOW_CARD_NUMBERS)
// glibc's vector versions: exact enough (4 ulp) and called without any fast-math flag.
extern "C" __attribute__((simd("notinbranch"), const)) double exp(double) noexcept;
extern "C" __attribute__((simd("notinbranch"), const)) double log(double) noexcept;
#else
#include <math.h>
#endif

namespace gihflow::GIHFLOW_ISA {

/// Entries whose counts a loop loads at a time, forward and backward; and whether it adds them to
/// two sums in turn, which hides the latency of additions on a CPU (on a card other threads do).
#if defined(GIHFLOW_CARD_NUMBERS)
inline constexpr int entries_forward = 4, entries_back = 4;
inline constexpr bool two_sums = false;
#else
inline constexpr int entries_forward = 2, entries_back = 1;
inline constexpr bool two_sums = true;
#endif

template <class Count>
GIHFLOW_HD inline void load_counts(double& x, const Count* from) {
  x = static_cast<double>(static_cast<std::int64_t>(*from));
}
#if defined(__CUDACC__)
GIHFLOW_HD inline void load_counts(Pack& x, const std::uint8_t* from) {
  const uchar4 n = *reinterpret_cast<const uchar4*>(from);
  x = {{static_cast<double>(n.x), static_cast<double>(n.y), static_cast<double>(n.z),
        static_cast<double>(n.w)}};
}
GIHFLOW_HD inline void load_counts(Pack& x, const std::uint16_t* from) {
  const ushort4 n = *reinterpret_cast<const ushort4*>(from);
  x = {{static_cast<double>(n.x), static_cast<double>(n.y), static_cast<double>(n.z),
        static_cast<double>(n.w)}};
}
#elif !defined(GIHFLOW_CARD_NUMBERS) && defined(__AVX512F__)
GIHFLOW_HD inline void load_counts(Pack& x, const std::uint8_t* from) {
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
  // By way of 64 bits, whose conversion needs no shuffle. With a mask of all lanes, since GCC 12
  // warns of an undefined value in the intrinsic without mask.
  x.part[0] = _mm512_maskz_cvtepi64_pd(0xff, _mm512_maskz_cvtepu8_epi64(0xff, bytes));
}
#elif !defined(GIHFLOW_CARD_NUMBERS) && defined(__AVX2__)
GIHFLOW_HD inline void load_counts(Pack& x, const std::uint8_t* from) {
  x.part[0] = _mm256_cvtepi32_pd(_mm_cvtepu8_epi32(_mm_loadu_si32(from)));
  x.part[1] = _mm256_cvtepi32_pd(_mm_cvtepu8_epi32(_mm_loadu_si32(from + 4)));
}
#endif
template <class Count>
GIHFLOW_HD inline void load_counts(Pack& x, const Count* from) {
  double y[pack_lanes];
  for (int i = 0; i < pack_lanes; ++i)
    y[i] = static_cast<double>(static_cast<std::int64_t>(from[i]));
  load(x, y);
}

GIHFLOW_HD inline double sum_lanes(double x) {
  return x;
}
/// Sum of lanes [First, First + Count), always in the same order: that of the first half plus that
/// of the second.
template <int First = 0, int Count = pack_lanes>
GIHFLOW_HD inline double sum_lanes(const Pack& x) {
  if constexpr (Count > 1)
    return sum_lanes<First, Count / 2>(x) + sum_lanes<First + Count / 2, Count / 2>(x);
  else
    return lane(x, First);
}

GIHFLOW_HD inline double exponential(double x) {
  return exp(x);
}
GIHFLOW_HD inline Pack exponential(const Pack& x) {
  double y[pack_lanes];
  store(x, y);
  for (int i = 0; i < pack_lanes; ++i) y[i] = exp(y[i]);
  Pack z;
  load(z, y);
  return z;
}
GIHFLOW_HD inline double logarithm(double x) {
  return log(x);
}
GIHFLOW_HD inline Pack logarithm(const Pack& x) {
  double y[pack_lanes];
  store(x, y);
  for (int i = 0; i < pack_lanes; ++i) y[i] = log(y[i]);
  Pack z;
  load(z, y);
  return z;
}

/// A value and its directional derivative.
template <class T>
struct Dual {
  T v, d;
};

template <class T>
GIHFLOW_HD inline Dual<T> operator+(const Dual<T>& x, const Dual<T>& y) {
  return {x.v + y.v, x.d + y.d};
}
template <class T>
GIHFLOW_HD inline Dual<T> operator-(const Dual<T>& x, const Dual<T>& y) {
  return {x.v - y.v, x.d - y.d};
}
template <class T>
GIHFLOW_HD inline Dual<T> operator*(const Dual<T>& x, const Dual<T>& y) {
  return {x.v * y.v, x.v * y.d + y.v * x.d};
}
template <class T>
GIHFLOW_HD inline Dual<T> operator/(const Dual<T>& x, const Dual<T>& y) {
  T quotient = x.v / y.v;
  return {quotient, (x.d - quotient * y.d) / y.v};
}
template <class T>
GIHFLOW_HD inline Dual<T> operator*(const Dual<T>& x, double y) {
  return {x.v * y, x.d * y};
}
template <class T>
GIHFLOW_HD inline Dual<T> operator+(const Dual<T>& x, double y) {
  return {x.v + y, x.d};
}
template <class T>
GIHFLOW_HD inline Dual<T> operator-(const Dual<T>& x, double y) {
  return {x.v - y, x.d};
}
template <class T>
GIHFLOW_HD inline Dual<T> operator/(const Dual<T>& x, double y) {
  return {x.v / y, x.d / y};
}
/// Counts, which are constants, times a number that all lanes share.
GIHFLOW_HD inline Dual<Pack> operator*(const Pack& x, const Dual<double>& y) {
  return {x * y.v, x * y.d};
}
GIHFLOW_HD inline Dual<double> operator*(double x, const Dual<double>& y) {
  return {x * y.v, x * y.d};
}
GIHFLOW_HD inline Dual<Pack> operator*(const Pack& x, const Dual<Pack>& y) {
  return {x * y.v, x * y.d};
}

/// x − c and c / x for a constant c, one for each lane.
GIHFLOW_HD inline double minus(double x, double c) {
  return x - c;
}
GIHFLOW_HD inline Pack minus(const Pack& x, const Pack& c) {
  return x - c;
}
template <class T>
GIHFLOW_HD inline Dual<T> minus(const Dual<T>& x, const T& c) {
  return {x.v - c, x.d};
}
GIHFLOW_HD inline double quotient(double c, double x) {
  return c / x;
}
GIHFLOW_HD inline Pack quotient(const Pack& c, const Pack& x) {
  return c / x;
}
template <class T>
GIHFLOW_HD inline Dual<T> quotient(const T& c, const Dual<T>& x) {
  T ratio = c / x.v;
  return {ratio, ratio * x.d / x.v * -1.0};
}

/// Sets every lane to the same number.
GIHFLOW_HD inline void spread(double& x, double from) {
  x = from;
}
GIHFLOW_HD inline void spread(Pack& x, double from) {
  set(x, from);
}
template <class T>
GIHFLOW_HD inline void spread(Dual<T>& x, const Dual<double>& from) {
  set(x.v, from.v);
  set(x.d, from.d);
}

GIHFLOW_HD inline const double& value(const double& x) {
  return x;
}
GIHFLOW_HD inline const Pack& value(const Pack& x) {
  return x;
}
template <class T>
GIHFLOW_HD inline const T& value(const Dual<T>& x) {
  return x.v;
}

template <class T>
GIHFLOW_HD inline Dual<T> where_positive(const T& condition, const Dual<T>& x, const Dual<T>& y) {
  return {where_positive(condition, x.v, y.v), where_positive(condition, x.d, y.d)};
}
template <class T>
GIHFLOW_HD inline void set(Dual<T>& x, double y) {
  set(x.v, y);
  set(x.d, 0.0);
}
template <class T>
GIHFLOW_HD inline Dual<double> sum_lanes(const Dual<T>& x) {
  return {sum_lanes(x.v), sum_lanes(x.d)};
}
template <class T>
GIHFLOW_HD inline Dual<T> exponential(const Dual<T>& x) {
  T y = exponential(x.v);
  return {y, y * x.d};
}
template <class T>
GIHFLOW_HD inline Dual<T> logarithm(const Dual<T>& x) {
  return {logarithm(x.v), x.d / x.v};
}
/// Derivative 0 at 0, where (4.5) sets it so.
template <class T>
GIHFLOW_HD inline Dual<T> square_root(const Dual<T>& x) {
  T y = square_root(x.v), zero;
  set(zero, 0.0);
  return {y, where_positive(y, x.d / (y * 2.0), zero)};
}

/// Number types of one evaluation of `lanes` chains at a time: S is shared by all chains, L has one
/// number for each chain, C the same without derivatives, V one for each of eight window pairs.
template <class Shared, class Constant, class Lane, class Pairs, int Lanes>
struct Types {
  using S = Shared;
  using C = Constant;
  using L = Lane;
  using V = Pairs;
  static constexpr int lanes = Lanes;
};
using Plain1 = Types<double, double, double, Pack, 1>;
using PlainPack = Types<double, Pack, Pack, Pack, pack_lanes>;
using Dual1 = Types<Dual<double>, double, Dual<double>, Dual<Pack>, 1>;
using DualPack = Types<Dual<double>, Pack, Dual<Pack>, Dual<Pack>, pack_lanes>;

}  // namespace gihflow::GIHFLOW_ISA
