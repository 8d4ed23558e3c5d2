#pragma once

// Products of small matrices with vectors whose entries are packs, numbers of eight queries: laws
// of chains times E(Z,q), and the transposed products of the way back.

#include <algorithm>
#include <type_traits>

#include "population/scalar.hpp"

namespace gihflow::GIHFLOW_ISA {

/// Number of sums that one loop adds up at a time. They fill half of the registers, enough for an
/// addition not to wait for the one before.
#if defined(__AVX512F__)
constexpr int registers = 32;
#else
constexpr int registers = 16;
#endif
template <class V>
constexpr int most_sums = std::max<int>(
    1, registers / 2 / (Pack::registers * static_cast<int>(sizeof(V) / sizeof(Pack))));

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

/// A distance that is known when this is compiled, so that loops need no register for it.
template <std::int64_t number>
using Fixed = std::integral_constant<std::int64_t, number>;

/// Entry (i, j) is numbers[i·row_step + j·column_step].
template <class RowStep, class ColumnStep>
struct Matrix {
  const double* numbers;
  std::int64_t rows, columns;
  RowStep row_step;
  ColumnStep column_step;

  Matrix<ColumnStep, RowStep> transposed() const {
    return {numbers, columns, rows, column_step, row_step};
  }
};
/// to[i·to_step] = Σ_j A(i, j)·x[j·x_step]; with `add` the sum is added to what is there. Loops
/// over sums are unrolled before anything else, or GCC would keep the sums in memory.
template <bool add, std::int64_t x_step = 1, std::int64_t to_step = 1, class Matrix, class V>
void multiply(const Matrix& a, const V* x, V* to) {
  in_steps<most_sums<V>>(a.rows, [&]<int R>(std::int64_t i) {
    const double* entry = a.numbers + i * a.row_step;
    const V* from = x;
    V* const sums = to + i * to_step;
    V sum[R];
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      sum[r] = *from * entry[r * a.row_step];
      if constexpr (add) sum[r] = sums[r * to_step] + sum[r];
    }
#pragma GCC unroll 2
    for (std::int64_t j = 1; j < a.columns; ++j) {
      entry += a.column_step;
      from += x_step;
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) sum[r] = sum[r] + *from * entry[r * a.row_step];
    }
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) sums[r * to_step] = sum[r];
  });
}

}  // namespace gihflow::GIHFLOW_ISA
