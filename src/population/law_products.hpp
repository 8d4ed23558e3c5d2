#pragma once

// Products of many small matrices with vectors whose entries are strips, numbers of sixteen
// queries: laws of chains times E(Z,q), and the transposed products of the way back.

#include <algorithm>

#include "population/scalar.hpp"

namespace gihflow::GIHFLOW_ISA {

/// One number for each of sixteen queries: an entry of a law is loaded once for all of them.
template <class V>
struct Strip {
  V half[2];
};
template <class V>
Strip<V>* strips_of(double* from) {
  return reinterpret_cast<Strip<V>*>(from);
}

/// Number of strips that one loop adds up at a time. They fill half of the registers, enough for an
/// addition not to wait for the one before.
#if defined(__AVX512F__)
constexpr int registers = 32;
#else
constexpr int registers = 16;
#endif
template <class V>
constexpr int most_sums = std::max<int>(
    1, registers / 2 / (2 * Pack::registers * static_cast<int>(sizeof(V) / sizeof(Pack))));

/// body.operator()<size>() for a size from 1 to R.
template <int R, class Body>
void with_size(std::int64_t size, const Body& body) {
  if (size == R)
    body.template operator()<R>();
  else if constexpr (R > 1)
    with_size<R - 1>(size, body);
}
/// body.operator()<R>(i) for i from 0 to `count` in steps of R ≤ Most, all about equal.
template <int Most, class Body>
void in_steps(std::int64_t count, const Body& body) {
  std::int64_t i = 0;
  for (std::int64_t left = (count + Most - 1) / Most; left > 0; --left) {
    const std::int64_t step = (count - i + left - 1) / left;
    with_size<Most>(step, [&]<int R>() { body.template operator()<R>(i); });
    i += step;
  }
}

/// `count` matrices A [rows, columns], `stride` numbers apart; their rows are row_stride apart.
struct Matrices {
  const double* numbers;
  std::int64_t rows, columns, row_stride, stride, count;
};
/// A vector for each matrix: entry i of vector n is strips[n·stride + i·step].
template <class V>
struct Strips {
  V* strips;
  std::int64_t step, stride;
};

/// to(i) = Σ_j A(i, j)·x(j) for every matrix.
template <class V>
void multiply(const Matrices& a, const Strips<const Strip<V>>& x, const Strips<Strip<V>>& to) {
  in_steps<most_sums<V>>(a.rows, [&]<int R>(std::int64_t i) {
    for (std::int64_t n = 0; n < a.count; ++n) {
      const double* row = a.numbers + n * a.stride + i * a.row_stride;
      const Strip<V>* from = x.strips + n * x.stride;
      V sum[2 * R];
      for (int r = 0; r < 2 * R; ++r) sum[r] = from[0].half[r % 2] * row[r / 2 * a.row_stride];
      for (std::int64_t j = 1; j < a.columns; ++j)
        for (int r = 0; r < 2 * R; ++r)
          sum[r] = sum[r] + from[j * x.step].half[r % 2] * row[r / 2 * a.row_stride + j];
      for (int r = 0; r < 2 * R; ++r)
        to.strips[n * to.stride + (i + r / 2) * to.step].half[r % 2] = sum[r];
    }
  });
}

/// to(j) = Σ_i A(i, j)·x(i) for every matrix; with `add` the sum is added to to(j).
template <bool add, class V>
void multiply_transposed(const Matrices& a, const Strips<const Strip<V>>& x,
                         const Strips<Strip<V>>& to) {
  in_steps<most_sums<V>>(a.columns, [&]<int R>(std::int64_t j) {
    for (std::int64_t n = 0; n < a.count; ++n) {
      const double* row = a.numbers + n * a.stride + j;
      const Strip<V>* from = x.strips + n * x.stride;
      Strip<V>* sums = to.strips + n * to.stride + j * to.step;
      V sum[2 * R];
      for (int r = 0; r < 2 * R; ++r) {
        sum[r] = from[0].half[r % 2] * row[r / 2];
        if constexpr (add) sum[r] = sums[r / 2 * to.step].half[r % 2] + sum[r];
      }
      for (std::int64_t i = 1; i < a.rows; ++i)
        for (int r = 0; r < 2 * R; ++r)
          sum[r] = sum[r] + from[i * x.step].half[r % 2] * row[i * a.row_stride + r / 2];
      for (int r = 0; r < 2 * R; ++r) sums[r / 2 * to.step].half[r % 2] = sum[r];
    }
  });
}

}  // namespace gihflow::GIHFLOW_ISA
