#pragma once

// Packs of doubles for hot loops: eight in the widest registers of the instruction set this file is
// compiled for, or with GIHFLOW_CARD_NUMBERS four plain ones, as a CUDA thread has them. Every
// operation is elementwise and none is contracted, so each set yields the same bits.

#if defined(__x86_64__) && !defined(__CUDACC__)
#include <immintrin.h>
#endif

#ifdef __CUDACC__
#define GIHFLOW_CARD_NUMBERS
#define GIHFLOW_HD __host__ __device__
#else
#define GIHFLOW_HD
#endif

#ifdef GIHFLOW_CARD_NUMBERS
#include <math.h>
#else
extern "C" double sqrt(double) noexcept;
#endif

namespace gihflow::GIHFLOW_ISA {

#if defined(GIHFLOW_CARD_NUMBERS)
inline constexpr int pack_lanes = 4, register_doubles = 1;
#elif defined(__AVX512F__)
inline constexpr int pack_lanes = 8, register_doubles = 8;
#elif defined(__AVX__)
inline constexpr int pack_lanes = 8, register_doubles = 4;
#else
inline constexpr int pack_lanes = 8, register_doubles = 2;
#endif

/// pack_lanes doubles, one for each of as many chains, window pairs or draws.
struct Pack {
#if defined(GIHFLOW_CARD_NUMBERS)
  typedef double Register;
  typedef double Memory;
#else
  typedef double Register __attribute__((vector_size(8 * register_doubles)));
  /// The same numbers anywhere in an array of doubles.
  typedef double Memory __attribute__((vector_size(8 * register_doubles), aligned(8), may_alias));
#endif
  static constexpr int registers = pack_lanes / register_doubles;
  Register part[registers];
#if !defined(GIHFLOW_CARD_NUMBERS)
  // Register by register: GCC copies a struct in smaller pieces, and a load that spans several
  // stores waits for all of them.
  Pack() = default;
  Pack(const Pack& from) {
    *this = from;
  }
  // NOLINTNEXTLINE(bugprone-unhandled-self-assignment): each register keeps what it had
  Pack& operator=(const Pack& from) {
    for (int i = 0; i < registers; ++i) part[i] = from.part[i];
    return *this;
  }
#endif
};

#define GIHFLOW_PACK_OPERATOR(op)                                                 \
  GIHFLOW_HD inline Pack operator op(const Pack& x, const Pack& y) {              \
    Pack z;                                                                       \
    for (int i = 0; i < Pack::registers; ++i) z.part[i] = x.part[i] op y.part[i]; \
    return z;                                                                     \
  }                                                                               \
  GIHFLOW_HD inline Pack operator op(const Pack& x, double y) {                   \
    Pack z;                                                                       \
    for (int i = 0; i < Pack::registers; ++i) z.part[i] = x.part[i] op y;         \
    return z;                                                                     \
  }
GIHFLOW_PACK_OPERATOR(+)
GIHFLOW_PACK_OPERATOR(-)
GIHFLOW_PACK_OPERATOR(*)
GIHFLOW_PACK_OPERATOR(/)
#undef GIHFLOW_PACK_OPERATOR

/// x where condition > 0, else y, lane by lane.
GIHFLOW_HD inline Pack where_positive(const Pack& condition, const Pack& x, const Pack& y) {
  Pack z;
  for (int i = 0; i < Pack::registers; ++i)
    z.part[i] = condition.part[i] > 0.0 ? x.part[i] : y.part[i];
  return z;
}
GIHFLOW_HD inline double where_positive(double condition, double x, double y) {
  return condition > 0.0 ? x : y;
}
GIHFLOW_HD inline Pack maximum(const Pack& x, const Pack& y) {
  Pack z;
  for (int i = 0; i < Pack::registers; ++i)
    z.part[i] = x.part[i] > y.part[i] ? x.part[i] : y.part[i];
  return z;
}
GIHFLOW_HD inline double maximum(double x, double y) {
  return x > y ? x : y;
}

#if !defined(GIHFLOW_CARD_NUMBERS)
/// Lanes that are > 0, the first in the lowest bit.
inline unsigned positive_lanes(const Pack& x) {
  unsigned lanes = 0;
  for (int i = 0; i < Pack::registers; ++i) {
    const auto positive = x.part[i] > 0.0;
#if defined(__AVX512F__)
    lanes |= unsigned{_mm512_movepi64_mask(reinterpret_cast<__m512i>(positive))}
             << i * register_doubles;
#elif defined(__AVX__)
    lanes |= static_cast<unsigned>(_mm256_movemask_pd(reinterpret_cast<__m256d>(positive)))
             << i * register_doubles;
#elif defined(__x86_64__)
    lanes |= static_cast<unsigned>(_mm_movemask_pd(reinterpret_cast<__m128d>(positive)))
             << i * register_doubles;
#else
    for (int j = 0; j < register_doubles; ++j)
      lanes |= static_cast<unsigned>(positive[j] & 1) << (i * register_doubles + j);
#endif
  }
  return lanes;
}
#endif

GIHFLOW_HD inline void set(double& x, double y) {
  x = y;
}
GIHFLOW_HD inline void set(Pack& x, double y) {
  // y − 0 is y for every y, so that GCC only broadcasts it; y + 0 would turn −0 into 0.
  for (int i = 0; i < Pack::registers; ++i) x.part[i] = y - Pack::Register{};
}

GIHFLOW_HD inline void load(double& x, const double* from) {
  x = *from;
}
GIHFLOW_HD inline void load(Pack& x, const double* from) {
  for (int i = 0; i < Pack::registers; ++i)
    // NOLINTNEXTLINE(bugprone-implicit-widening-of-multiplication-result): at most pack_lanes
    x.part[i] = *reinterpret_cast<const Pack::Memory*>(from + i * register_doubles);
}
GIHFLOW_HD inline void store(const Pack& x, double* to) {
  for (int i = 0; i < Pack::registers; ++i)
    // NOLINTNEXTLINE(bugprone-implicit-widening-of-multiplication-result): at most pack_lanes
    *reinterpret_cast<Pack::Memory*>(to + i * register_doubles) = x.part[i];
}

GIHFLOW_HD inline double lane(const Pack& x, int i) {
#if defined(GIHFLOW_CARD_NUMBERS)
  return x.part[i];
#else
  return x.part[i / register_doubles][i % register_doubles];
#endif
}

GIHFLOW_HD inline double square_root(double x) {
  return sqrt(x);
}
#if !defined(GIHFLOW_CARD_NUMBERS) && defined(__x86_64__)
GIHFLOW_HD inline Pack square_root(const Pack& x) {
  Pack z;
  for (int i = 0; i < Pack::registers; ++i)
#if defined(__AVX512F__)
    z.part[i] = _mm512_maskz_sqrt_pd(0xff, x.part[i]);  // all lanes: the form without a mask warns
#elif defined(__AVX__)
    z.part[i] = _mm256_sqrt_pd(x.part[i]);
#else
    z.part[i] = _mm_sqrt_pd(x.part[i]);
#endif
  return z;
}
#else
GIHFLOW_HD inline Pack square_root(const Pack& x) {
  double y[pack_lanes];
  store(x, y);
  for (int l = 0; l < pack_lanes; ++l) y[l] = sqrt(y[l]);
  Pack z;
  load(z, y);
  return z;
}
#endif

}  // namespace gihflow::GIHFLOW_ISA
