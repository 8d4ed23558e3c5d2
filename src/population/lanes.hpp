#pragma once

// Single lanes of packs: gathered from tables and scattered into them, read and written one by one.

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

/// table[index[l]][l] += x[l]: every lane has a column of its own, so that additions of one pack
/// never wait for each other.
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

/// x[l] = number index[l] of packs that stand one after the other.
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
