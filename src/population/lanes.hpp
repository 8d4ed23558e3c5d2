#pragma once

// Lanes of packs: gathered from tables and scattered into them, summed, read and written singly.

#include "population/scalar.hpp"

namespace gihflow::GIHFLOW_ISA {

/// x[l] = table[index[l]·stride].
template <class Integer>
inline void gather(Pack& x, const double* table, const Integer* index, std::int64_t stride = 1) {
  double y[pack_lanes];
  for (int l = 0; l < pack_lanes; ++l) y[l] = table[index[l] * stride];
  load(x, y);
}
template <class Integer>
inline void gather(Dual<Pack>& x, const Dual<double>* table, const Integer* index,
                   std::int64_t stride = 1) {
  double v[pack_lanes], d[pack_lanes];
  for (int l = 0; l < pack_lanes; ++l) {
    v[l] = table[index[l] * stride].v;
    d[l] = table[index[l] * stride].d;
  }
  load(x.v, v);
  load(x.d, d);
}

#if defined(__AVX512F__)
inline __m512i eight_of(const std::uint16_t* index) {
  return _mm512_maskz_cvtepu16_epi64(0xff,
                                     _mm_loadu_si128(reinterpret_cast<const __m128i*>(index)));
}
inline __m512i eight_of(const std::uint32_t* index) {
  return _mm512_maskz_cvtepu32_epi64(0xff,
                                     _mm256_loadu_si256(reinterpret_cast<const __m256i*>(index)));
}
/// Numbers first … first + 7 of a table of `size`, 0 behind its end.
inline __m512d eight_of(const double* table, std::int64_t first, std::int64_t size) {
  const std::int64_t there = size - first;
  const auto mask = static_cast<__mmask8>(there >= 8 ? 0xff : there > 0 ? (1 << there) - 1 : 0);
  return _mm512_maskz_loadu_pd(mask, table + first);
}
#endif

/// x[l] = table[index[l]] of a table of `size` numbers: a small one is a register or two, in which
/// one instruction finds all lanes.
template <class Integer>
inline void look_up(Pack& x, const double* table, [[maybe_unused]] std::int64_t size,
                    const Integer* index) {
#if defined(__AVX512F__)
  if (size <= pack_lanes) {
    x.part[0] = _mm512_maskz_permutexvar_pd(0xff, eight_of(index), eight_of(table, 0, size));
    return;
  }
  if (size <= 2 * pack_lanes) {
    x.part[0] = _mm512_permutex2var_pd(eight_of(table, 0, size), eight_of(index),
                                       eight_of(table, pack_lanes, size));
    return;
  }
#endif
  gather(x, table, index);
}
inline void look_up(Dual<Pack>& x, const Dual<double>* table, [[maybe_unused]] std::int64_t size,
                    const std::uint16_t* index) {
#if defined(__AVX512F__)
  if (size <= pack_lanes) {
    const double* numbers = reinterpret_cast<const double*>(table);
    const __m512d low = eight_of(numbers, 0, 2 * size), high = eight_of(numbers, 8, 2 * size);
    const __m512i once = eight_of(index), twice = once + once;
    x.v.part[0] = _mm512_permutex2var_pd(low, twice, high);
    x.d.part[0] = _mm512_permutex2var_pd(low, _mm512_or_si512(twice, _mm512_set1_epi64(1)), high);
    return;
  }
#endif
  gather(x, table, index);
}

/// Eight numbers one after the other.
inline void store_lanes(const Pack& x, double* to) {
  store(x, to);
}
inline void store_lanes(const Dual<Pack>& x, Dual<double>* to) {
  double v[pack_lanes], d[pack_lanes];
  store(x.v, v);
  store(x.d, d);
  for (int l = 0; l < pack_lanes; ++l) to[l] = {v[l], d[l]};
}
inline void load_lanes(Pack& x, const double* from) {
  load(x, from);
}
inline void load_lanes(Dual<Pack>& x, const Dual<double>* from) {
  const std::int64_t lanes[8] = {0, 1, 2, 3, 4, 5, 6, 7};
  gather(x, from, lanes);
}

inline double largest_lane(const Pack& x) {
  double y[pack_lanes];
  store(x, y);
  for (int half = pack_lanes / 2; half > 0; half /= 2)
    for (int l = 0; l < half; ++l) y[l] = maximum(y[l], y[l + half]);
  return y[0];
}

/// x[l] = sum_lanes(packs[l·stride]), added in the same order.
inline void sum_lanes_of_eight(Pack& x, const Pack* packs, std::int64_t stride = 1) {
#if defined(__AVX512F__)
  // Neighbours, then neighbouring pairs, then halves; masks as in load_counts().
  const auto even = [](__m512d y, __m512d z) {
    return _mm512_maskz_shuffle_f64x2(0xff, y, z, 0x88);
  };
  const auto odd = [](__m512d y, __m512d z) {
    return _mm512_maskz_shuffle_f64x2(0xff, y, z, 0xdd);
  };
  __m512d pair[4];
  for (int i = 0; i < 4; ++i) {
    const __m512d y = packs[2 * i * stride].part[0], z = packs[(2 * i + 1) * stride].part[0];
    pair[i] = _mm512_maskz_unpacklo_pd(0xff, y, z) + _mm512_maskz_unpackhi_pd(0xff, y, z);
  }
  const __m512d first = even(pair[0], pair[1]) + odd(pair[0], pair[1]),
                second = even(pair[2], pair[3]) + odd(pair[2], pair[3]);
  x.part[0] = even(first, second) + odd(first, second);
#elif defined(__AVX__)
  for (int half = 0; half < 2; ++half) {
    const Pack* from = packs + 4 * half * stride;
    __m256d sum[2];  // of the lower and the upper four lanes of four packs
    for (int part = 0; part < 2; ++part) {
      const __m256d y = _mm256_hadd_pd(from[0].part[part], from[stride].part[part]),
                    z = _mm256_hadd_pd(from[2 * stride].part[part], from[3 * stride].part[part]);
      sum[part] = _mm256_permute2f128_pd(y, z, 0x20) + _mm256_permute2f128_pd(y, z, 0x31);
    }
    x.part[half] = sum[0] + sum[1];
  }
#else
  double y[pack_lanes];
  for (int l = 0; l < pack_lanes; ++l) y[l] = sum_lanes(packs[l * stride]);
  load(x, y);
#endif
}
inline void sum_lanes_of_eight(Dual<Pack>& x, const Dual<Pack>* packs) {
  const Pack* parts = reinterpret_cast<const Pack*>(packs);
  sum_lanes_of_eight(x.v, parts, 2);
  sum_lanes_of_eight(x.d, parts + 1, 2);
}
/// With one chain at a time the sums are the numbers themselves.
inline void sum_lanes_of_eight(Pack& x, const double* numbers) {
  load_lanes(x, numbers);
}
inline void sum_lanes_of_eight(Dual<Pack>& x, const Dual<double>* numbers) {
  load_lanes(x, numbers);
}

/// table[index[l]][l] += x[l]: each lane adds to a column of its own, so that the additions of one
/// pack do not wait for each other.
template <class Integer>
inline void scatter_add_lanes(const Pack& x, Pack* table, const Integer* index) {
  double y[pack_lanes];
  store_lanes(x, y);
  double* numbers = reinterpret_cast<double*>(table);
  for (int l = 0; l < pack_lanes; ++l) numbers[index[l] * pack_lanes + l] += y[l];
}
template <class Integer>
inline void scatter_add_lanes(const Dual<Pack>& x, Dual<Pack>* table, const Integer* index) {
  double v[pack_lanes], d[pack_lanes];
  store_lanes(x.v, v);
  store_lanes(x.d, d);
  double* numbers = reinterpret_cast<double*>(table);
  for (int l = 0; l < pack_lanes; ++l) {
    double* number = numbers + 2 * pack_lanes * index[l] + l;
    number[0] += v[l];
    number[pack_lanes] += d[l];
  }
}

#if defined(__AVX512F__)
inline void add_where(__mmask8 mask, const Pack& x, Pack& to) {
  to.part[0] = _mm512_mask_add_pd(to.part[0], mask, to.part[0], x.part[0]);
}
inline void add_where(__mmask8 mask, const Dual<Pack>& x, Dual<Pack>& to) {
  add_where(mask, x.v, to.v);
  add_where(mask, x.d, to.d);
}
#endif
/// The same into a table of `size` packs. Each pack of a small one is added to under a mask, the
/// lanes with its index.
template <class V>
inline void add_to_columns(const V& x, V* table, [[maybe_unused]] std::int64_t size,
                           const std::uint16_t* index) {
#if defined(__AVX512F__)
  if (size <= pack_lanes) {
    const __m512i column = eight_of(index);
    for (std::int64_t i = 0; i < size; ++i)
      add_where(_mm512_cmpeq_epi64_mask(column, _mm512_set1_epi64(i)), x, table[i]);
    return;
  }
#endif
  scatter_add_lanes(x, table, index);
}

/// x[l] = table[index[l]][l].
template <class Integer>
inline void gather_lanes(Pack& x, const Pack* table, const Integer* index) {
  double y[pack_lanes];
  const double* numbers = reinterpret_cast<const double*>(table);
  for (int l = 0; l < pack_lanes; ++l) y[l] = numbers[index[l] * pack_lanes + l];
  load(x, y);
}
template <class Integer>
inline void gather_lanes(Dual<Pack>& x, const Dual<Pack>* table, const Integer* index) {
  double v[pack_lanes], d[pack_lanes];
  const double* numbers = reinterpret_cast<const double*>(table);
  for (int l = 0; l < pack_lanes; ++l) {
    v[l] = numbers[2 * pack_lanes * index[l] + l];
    d[l] = numbers[2 * pack_lanes * index[l] + pack_lanes + l];
  }
  load(x.v, v);
  load(x.d, d);
}

/// x[l] = number index[l] of an array of packs.
template <class Integer>
inline void gather_numbers(Pack& x, const Pack* packs, const Integer* index) {
  gather(x, reinterpret_cast<const double*>(packs), index);
}
template <class Integer>
inline void gather_numbers(Dual<Pack>& x, const Dual<Pack>* packs, const Integer* index) {
  double v[pack_lanes], d[pack_lanes];
  const double* numbers = reinterpret_cast<const double*>(packs);
  for (int l = 0; l < pack_lanes; ++l) {
    const double* number = numbers + index[l] / pack_lanes * 2 * pack_lanes + index[l] % pack_lanes;
    v[l] = number[0];
    d[l] = number[pack_lanes];
  }
  load(x.v, v);
  load(x.d, d);
}

/// One lane by itself.
inline void read_lane(double& x, const Pack& from, std::int64_t lane) {
  x = reinterpret_cast<const double*>(&from)[lane];
}
inline void read_lane(Dual<double>& x, const Dual<Pack>& from, std::int64_t lane) {
  read_lane(x.v, from.v, lane);
  read_lane(x.d, from.d, lane);
}
inline void add_lane(Pack& to, std::int64_t lane, double x) {
  reinterpret_cast<double*>(&to)[lane] += x;
}
inline void add_lane(Dual<Pack>& to, std::int64_t lane, const Dual<double>& x) {
  add_lane(to.v, lane, x.v);
  add_lane(to.d, lane, x.d);
}

}  // namespace gihflow::GIHFLOW_ISA
