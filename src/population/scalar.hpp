#pragma once

// Scalars of the hot loops: packs of eight doubles in the widest registers of the instruction set
// this file is compiled for, and dual numbers over doubles or packs. Every operation is elementwise
// and none is contracted, so each set yields the same bits up to the vector exp and log.

#include <cstdint>

#if defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#endif

#ifdef __CUDACC__
#define GIHFLOW_HD __host__ __device__
#else
#define GIHFLOW_HD
#endif

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__) && \
    !defined(__CUDACC__)
// glibc's vector versions: exact enough (4 ulp) and called without any fast-math flag.
extern "C" __attribute__((simd("notinbranch"), const)) double exp(double) noexcept;
extern "C" __attribute__((simd("notinbranch"), const)) double log(double) noexcept;
#else
#include <math.h>
#endif
extern "C" double sqrt(double) noexcept;

namespace gihflow::GIHFLOW_ISA {

#if defined(__AVX512F__)
inline constexpr int register_doubles = 8;
#elif defined(__AVX__)
inline constexpr int register_doubles = 4;
#else
inline constexpr int register_doubles = 2;
#endif

/// Eight doubles, one a chain.
struct Pack {
  typedef double Register __attribute__((vector_size(8 * register_doubles)));
  static constexpr int registers = 8 / register_doubles;
  Register part[registers];
};

#define GIHFLOW_PACK_OPERATOR(op)                                                 \
  inline Pack operator op(const Pack& x, const Pack& y) {                         \
    Pack z;                                                                       \
    for (int i = 0; i < Pack::registers; ++i) z.part[i] = x.part[i] op y.part[i]; \
    return z;                                                                     \
  }                                                                               \
  inline Pack operator op(const Pack& x, double y) {                              \
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
inline Pack where_positive(const Pack& condition, const Pack& x, const Pack& y) {
  Pack z;
  for (int i = 0; i < Pack::registers; ++i)
    z.part[i] = condition.part[i] > 0.0 ? x.part[i] : y.part[i];
  return z;
}
inline double where_positive(double condition, double x, double y) {
  return condition > 0.0 ? x : y;
}
inline Pack maximum(const Pack& x, const Pack& y) {
  Pack z;
  for (int i = 0; i < Pack::registers; ++i)
    z.part[i] = x.part[i] > y.part[i] ? x.part[i] : y.part[i];
  return z;
}
inline double maximum(double x, double y) {
  return x > y ? x : y;
}

inline void set(double& x, double y) {
  x = y;
}
inline void set(Pack& x, double y) {
  for (int i = 0; i < Pack::registers; ++i) x.part[i] = Pack::Register{} + y;
}

inline void load(double& x, const double* from) {
  x = *from;
}
inline void load(Pack& x, const double* from) {
  __builtin_memcpy(&x, from, sizeof x);
}

template <class Count>
inline void load_counts(double& x, const Count* from) {
  x = static_cast<double>(static_cast<std::int64_t>(*from));
}
#if defined(__AVX512F__)
inline void load_counts(Pack& x, const std::uint8_t* from) {
  __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
  typedef int Integers __attribute__((vector_size(32)));
  x.part[0] = __builtin_convertvector(reinterpret_cast<Integers>(_mm256_cvtepu8_epi32(bytes)),
                                      Pack::Register);
}
#elif defined(__AVX2__)
inline void load_counts(Pack& x, const std::uint8_t* from) {
  __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
  x.part[0] = _mm256_cvtepi32_pd(_mm_cvtepu8_epi32(bytes));
  x.part[1] = _mm256_cvtepi32_pd(_mm_cvtepu8_epi32(_mm_srli_si128(bytes, 4)));
}
#endif
template <class Count>
inline void load_counts(Pack& x, const Count* from) {
  double y[8];
  for (int i = 0; i < 8; ++i) y[i] = static_cast<double>(static_cast<std::int64_t>(from[i]));
  __builtin_memcpy(&x, y, sizeof y);
}

inline double sum_lanes(double x) {
  return x;
}
/// Fixed order: lanes 0 … 7 in pairs.
inline double sum_lanes(const Pack& x) {
  double y[8];
  __builtin_memcpy(y, &x, sizeof y);
  return ((y[0] + y[1]) + (y[2] + y[3])) + ((y[4] + y[5]) + (y[6] + y[7]));
}

inline double exponential(double x) {
  return exp(x);
}
inline Pack exponential(const Pack& x) {
  double y[8];
  __builtin_memcpy(y, &x, sizeof y);
  for (int i = 0; i < 8; ++i) y[i] = exp(y[i]);
  Pack z;
  __builtin_memcpy(&z, y, sizeof y);
  return z;
}
inline double logarithm(double x) {
  return log(x);
}
inline Pack logarithm(const Pack& x) {
  double y[8];
  __builtin_memcpy(y, &x, sizeof y);
  for (int i = 0; i < 8; ++i) y[i] = log(y[i]);
  Pack z;
  __builtin_memcpy(&z, y, sizeof y);
  return z;
}

/// Value and directional derivative.
template <class T>
struct Dual {
  T v, d;
};

template <class T>
inline Dual<T> operator+(const Dual<T>& x, const Dual<T>& y) {
  return {x.v + y.v, x.d + y.d};
}
template <class T>
inline Dual<T> operator-(const Dual<T>& x, const Dual<T>& y) {
  return {x.v - y.v, x.d - y.d};
}
template <class T>
inline Dual<T> operator*(const Dual<T>& x, const Dual<T>& y) {
  return {x.v * y.v, x.v * y.d + y.v * x.d};
}
template <class T>
inline Dual<T> operator/(const Dual<T>& x, const Dual<T>& y) {
  T quotient = x.v / y.v;
  return {quotient, (x.d - quotient * y.d) / y.v};
}
template <class T>
inline Dual<T> operator*(const Dual<T>& x, double y) {
  return {x.v * y, x.d * y};
}
template <class T>
inline Dual<T> operator+(const Dual<T>& x, double y) {
  return {x.v + y, x.d};
}
template <class T>
inline Dual<T> operator-(const Dual<T>& x, double y) {
  return {x.v - y, x.d};
}
template <class T>
inline Dual<T> operator/(const Dual<T>& x, double y) {
  return {x.v / y, x.d / y};
}
/// A pack of constant counts times a number that all lanes share.
inline Dual<Pack> operator*(const Pack& x, const Dual<double>& y) {
  return {x * y.v, x * y.d};
}
inline Dual<double> operator*(double x, const Dual<double>& y) {
  return {x * y.v, x * y.d};
}
inline Dual<Pack> operator*(const Pack& x, const Dual<Pack>& y) {
  return {x * y.v, x * y.d};
}

/// x − c and c / x for a constant c that each lane has its own of.
inline double minus(double x, double c) {
  return x - c;
}
inline Pack minus(const Pack& x, const Pack& c) {
  return x - c;
}
template <class T>
inline Dual<T> minus(const Dual<T>& x, const T& c) {
  return {x.v - c, x.d};
}
inline double quotient(double c, double x) {
  return c / x;
}
inline Pack quotient(const Pack& c, const Pack& x) {
  return c / x;
}
template <class T>
inline Dual<T> quotient(const T& c, const Dual<T>& x) {
  T ratio = c / x.v;
  return {ratio, ratio * x.d / x.v * -1.0};
}

/// The same number for every lane.
inline void spread(double& x, double from) {
  x = from;
}
inline void spread(Pack& x, double from) {
  set(x, from);
}
template <class T>
inline void spread(Dual<T>& x, const Dual<double>& from) {
  set(x.v, from.v);
  set(x.d, from.d);
}

inline const double& value(const double& x) {
  return x;
}
inline const Pack& value(const Pack& x) {
  return x;
}
template <class T>
inline const T& value(const Dual<T>& x) {
  return x.v;
}

template <class T>
inline Dual<T> where_positive(const T& condition, const Dual<T>& x, const Dual<T>& y) {
  return {where_positive(condition, x.v, y.v), where_positive(condition, x.d, y.d)};
}
template <class T>
inline void set(Dual<T>& x, double y) {
  set(x.v, y);
  set(x.d, 0.0);
}
template <class T>
inline Dual<double> sum_lanes(const Dual<T>& x) {
  return {sum_lanes(x.v), sum_lanes(x.d)};
}
template <class T>
inline Dual<T> exponential(const Dual<T>& x) {
  T y = exponential(x.v);
  return {y, y * x.d};
}
template <class T>
inline Dual<T> logarithm(const Dual<T>& x) {
  return {logarithm(x.v), x.d / x.v};
}
inline double square_root(double x) {
  return sqrt(x);
}
inline Pack square_root(const Pack& x) {
  double y[8];
  __builtin_memcpy(y, &x, sizeof y);
  for (int l = 0; l < 8; ++l) y[l] = sqrt(y[l]);
  Pack z;
  load(z, y);
  return z;
}
/// Derivative 0 at 0, where (4.5) sets it so.
template <class T>
inline Dual<T> square_root(const Dual<T>& x) {
  T y = square_root(x.v), zero;
  set(zero, 0.0);
  return {y, where_positive(y, x.d / (y * 2.0), zero)};
}

/// x[l] = table[index[l]·stride].
template <class Integer>
inline void gather(Pack& x, const double* table, const Integer* index, std::int64_t stride = 1) {
  double y[8];
  for (int l = 0; l < 8; ++l) y[l] = table[index[l] * stride];
  __builtin_memcpy(&x, y, sizeof y);
}
template <class Integer>
inline void gather(Dual<Pack>& x, const Dual<double>* table, const Integer* index,
                   std::int64_t stride = 1) {
  double v[8], d[8];
  for (int l = 0; l < 8; ++l) {
    v[l] = table[index[l] * stride].v;
    d[l] = table[index[l] * stride].d;
  }
  __builtin_memcpy(&x.v, v, sizeof v);
  __builtin_memcpy(&x.d, d, sizeof d);
}

/// Eight numbers one after the other.
inline void store_lanes(const Pack& x, double* to) {
  __builtin_memcpy(to, &x, sizeof x);
}
inline void store_lanes(const Dual<Pack>& x, Dual<double>* to) {
  double v[8], d[8];
  __builtin_memcpy(v, &x.v, sizeof v);
  __builtin_memcpy(d, &x.d, sizeof d);
  for (int l = 0; l < 8; ++l) to[l] = {v[l], d[l]};
}
inline void load_lanes(Pack& x, const double* from) {
  load(x, from);
}
inline void load_lanes(Dual<Pack>& x, const Dual<double>* from) {
  const std::int64_t lanes[8] = {0, 1, 2, 3, 4, 5, 6, 7};
  gather(x, from, lanes);
}

/// table[index[l]·stride] += x[l], lane after lane.
template <class V, class S, class Integer>
inline void scatter_add(const V& x, S* table, const Integer* index, std::int64_t stride = 1) {
  S y[8];
  store_lanes(x, y);
  for (int l = 0; l < 8; ++l) table[index[l] * stride] = table[index[l] * stride] + y[l];
}

/// x where the tokens are equal, else 0.
template <class V>
inline V where_equal(const std::uint16_t* first, const std::uint16_t* second, const V& x) {
  double y[8];
  for (int l = 0; l < 8; ++l) y[l] = first[l] == second[l] ? 1.0 : 0.0;
  Pack mask;
  load(mask, y);
  return mask * x;
}

/// Number types of one evaluation: S shared by all lanes, C a lane's number that is not
/// differentiated, L a lane's number, V eight window pairs.
template <class Shared, class Constant, class Lane, class Pairs, int Lanes>
struct Types {
  using S = Shared;
  using C = Constant;
  using L = Lane;
  using V = Pairs;
  static constexpr int lanes = Lanes;
};
using Plain1 = Types<double, double, double, Pack, 1>;
using Plain8 = Types<double, Pack, Pack, Pack, 8>;
using Dual1 = Types<Dual<double>, double, Dual<double>, Dual<Pack>, 1>;
using Dual8 = Types<Dual<double>, Pack, Dual<Pack>, Dual<Pack>, 8>;

}  // namespace gihflow::GIHFLOW_ISA
