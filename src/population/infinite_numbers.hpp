#pragma once

// Numbers of the objective in infinite context: values, or values with their derivative along one
// direction, as Eigen arrays over windows and queries.

#include <Eigen/Core>
#include <numeric>
#include <vector>

#include "gihflow/base/types.hpp"
#include "population/dual.hpp"
#include "population/views.hpp"

namespace gihflow::infinite {

inline constexpr Index widest_panel = 32;  // queries

using Grid = Eigen::Array<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Row = Eigen::Array<double, 1, Eigen::Dynamic, Eigen::RowMajor, 1, widest_panel>;
using Column = Eigen::ArrayXd;
using GridMap = Eigen::Map<const Grid>;

/// The numbers of an evaluation: values alone, or values with their derivative.
struct Plain {
  static constexpr Index parts = 1;
  using Scalar = double;
  using Column = infinite::Column;
  using Grid = infinite::Grid;
};
struct Along {
  static constexpr Index parts = 2;
  using Scalar = Dual<double>;
  using Column = Dual<infinite::Column>;
  using Grid = Dual<infinite::Grid>;
};

inline void constant(double& x, double value) {
  x = value;
}
inline void constant(Dual<double>& x, double value) {
  x = {value, 0.0};
}
inline void constant(Grid& x, Index rows, Index columns, double value) {
  x.setConstant(rows, columns, value);
}
inline void constant(Dual<Grid>& x, Index rows, Index columns, double value) {
  constant(x.v, rows, columns, value);
  constant(x.d, rows, columns, 0.0);
}

inline Grid product(const Grid& x, const Grid& y) {
  return (x.matrix() * y.matrix()).array();
}
inline Dual<Grid> product(const Dual<Grid>& x, const Dual<Grid>& y) {
  return {product(x.v, y.v), product(x.v, y.d) + product(x.d, y.v)};
}
template <class G>
G transposed(const G& x) {
  return linear([](const Grid& g) { return Grid(g.transpose()); }, x);
}
template <class G>
G rows_of(const G& x, Index first, Index count) {
  return linear([&](const Grid& g) { return Grid(g.middleRows(first, count)); }, x);
}
template <class G>
auto sum(const G& x) {
  return linear([](const auto& g) { return g.sum(); }, x);
}
inline Column column(const Grid& x, Index i) {
  return x.col(i);
}
inline Dual<Column> column(const Dual<Grid>& x, Index i) {
  return {x.v.col(i), x.d.col(i)};
}
inline void add_column(Grid& x, Index i, const Column& y) {
  x.col(i) += y;
}
inline void add_column(Dual<Grid>& x, Index i, const Dual<Column>& y) {
  x.v.col(i) += y.v;
  x.d.col(i) += y.d;
}

/// Packs of queries as hot::LawTask has them, [packs, windows, parts, pack]: `parts` is 1, or 2 for
/// values and derivatives.
inline Index packs_of(Index queries) {
  return (queries + hot::pack - 1) / hot::pack;
}
inline double* pack_of(double* packs, Index windows, Index parts, Index part, Index window,
                       Index query) {
  return packs + ((query / hot::pack * windows + window) * parts + part) * hot::pack +
         query % hot::pack;
}
inline void to_packs(const Grid& x, double* packs, Index parts = 1, Index part = 0) {
  for (Index z = 0; z < x.rows(); ++z)
    for (Index q = 0; q < packs_of(x.cols()) * hot::pack; ++q)
      *pack_of(packs, x.rows(), parts, part, z, q) =
          q < x.cols() ? x(z, q) : (part == 0 ? 1.0 : 0.0);
}
inline void to_packs(const Dual<Grid>& x, double* packs) {
  to_packs(x.v, packs, 2, 0);
  to_packs(x.d, packs, 2, 1);
}
inline void add_packs(Grid& x, double* packs, Index parts = 1, Index part = 0) {
  for (Index z = 0; z < x.rows(); ++z)
    for (Index q = 0; q < x.cols(); ++q) x(z, q) += *pack_of(packs, x.rows(), parts, part, z, q);
}
inline void add_packs(Dual<Grid>& x, double* packs) {
  add_packs(x.v, packs, 2, 0);
  add_packs(x.d, packs, 2, 1);
}

/// (p, a) of an evaluation.
template <class N>
struct Numbers {
  using Scalar = typename N::Scalar;
  std::vector<Scalar> p;  // [subsets]
  Scalar a;
};

inline void join(double& x, double value, double) {
  x = value;
}
inline void join(Dual<double>& x, double value, double tangent) {
  x = {value, tangent};
}
inline void split(double x, double* value, Index) {
  *value = x;
}
/// The derivative stands `stride` numbers behind the value.
inline void split(const Dual<double>& x, double* value, Index stride) {
  value[0] = x.v;
  value[stride] = x.d;
}

/// A number of a grid, or its derivative.
inline double& number(Grid& x, Index i, Index j, Index) {
  return x(i, j);
}
inline double& number(Dual<Grid>& x, Index i, Index j, Index part) {
  return part == 0 ? x.v(i, j) : x.d(i, j);
}
inline double number(const Grid& x, Index i, Index j, Index) {
  return x(i, j);
}
inline double number(const Dual<Grid>& x, Index i, Index j, Index part) {
  return part == 0 ? x.v(i, j) : x.d(i, j);
}

inline std::vector<std::uint64_t> all_windows(Index count) {
  std::vector<std::uint64_t> windows(static_cast<std::size_t>(count));
  std::iota(windows.begin(), windows.end(), std::uint64_t{0});
  return windows;
}

inline void add_rows(Grid& x, Index first, const Grid& y) {
  x.middleRows(first, y.rows()) += y;
}
inline void add_rows(Dual<Grid>& x, Index first, const Dual<Grid>& y) {
  add_rows(x.v, first, y.v);
  add_rows(x.d, first, y.d);
}

/// Replaces z by max(0, z) smoothed over the width δ (2.8); returns the slope.
template <class G>
G rectify(double width, G& z) {
  G slope;
  if (width > 0.0) {
    const G root = square_root(G(z * z + width * width));
    z = (z + root) * 0.5;
    slope = z / root;
  } else {
    const Grid positive = (value(z) > 0.0).template cast<double>();
    slope = z * 0.0 + 1.0;
    slope = scaled(positive, slope);
    z = scaled(positive, z);
  }
  return slope;
}

/// Features of all windows beside the queries of one panel, [d^W, count] each.
template <class N>
struct Panel {
  Index first = 0, count = 0;
  std::vector<typename N::Grid> t, kappa;  // t_h; κ_S = Π_{h∈S} t_h
  std::vector<typename N::Grid> slope;     // of the rectifier at t_h
  typename N::Grid k, x, e;                // k; a·k; E, each query shifted by its largest a·k
  std::vector<hot::Line> packed_e;         // E as the hot loops take it
  bool wide = false;
};

}  // namespace gihflow::infinite
