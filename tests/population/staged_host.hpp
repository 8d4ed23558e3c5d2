#pragma once

// The host as a place where the stages of the CUDA engine run, one item after the other, each team
// a single thread; compiled by any C++ compiler, with the number types of a CUDA thread.

#define GIHFLOW_ISA staged_host
#define GIHFLOW_CARD_NUMBERS

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "population/staged_parts.hpp"

namespace gihflow::staged_host {

struct HostTeam {
  void* own;

  std::int64_t index() const { return 0; }
  std::int64_t size() const { return 1; }
  std::int64_t warp() const { return 0; }
  std::int64_t warps() const { return 1; }
  std::int64_t lane() const { return 0; }
  std::int64_t lanes() const { return 1; }
  void sync() const {}
  void* memory() const { return own; }
  template <class S>
  S warp_sum(const S& x) const {
    return x;
  }
  template <class S>
  S sum(const S& x) const {
    return x;
  }
};

class Host {
 public:
  template <class T>
  using Vector = std::vector<T>;
  template <class V>
  static auto* raw(V& v) {
    return v.data();
  }
  using HostMemory = std::vector<double>;
  struct Recording {};

  std::int64_t most_memory() const { return std::int64_t{1} << 30; }
  static constexpr std::int64_t warp = 1;

  template <class Item>
  void items(std::int64_t count, const Item& item) const {
    for (std::int64_t i = 0; i < count; ++i) item(i);
  }
  template <class Stage>
  void teams(std::int64_t blocks, std::int64_t, std::int64_t bytes, const Stage& stage) const {
    std::vector<double> own(static_cast<std::size_t>(bytes) / sizeof(double) + 1);
    HostTeam team{own.data()};
    for (std::int64_t block = 0; block < blocks; ++block) stage(team, block);
  }
  template <class Work>
  void replay(Recording&, const Work& work) const {
    work();
  }
  void upload(void* to, const void* from, std::size_t bytes) const { std::memcpy(to, from, bytes); }
  void download(void* to, const void* from, std::size_t bytes) const {
    std::memcpy(to, from, bytes);
  }
  void wait() const {}
  void settle() const {}
};

class HostProducts {
 public:
  explicit HostProducts(const Host&) {}
  void apply(const double* law, Index rows, Index windows, const double* x, Index columns,
             double* to) const {
    std::fill(to, to + rows * columns, 0.0);
    for (Index i = 0; i < rows; ++i)
      for (Index z = 0; z < windows; ++z)
        for (Index j = 0; j < columns; ++j)
          to[i * columns + j] += law[i * windows + z] * x[z * columns + j];
  }
  void apply_transposed(const double* law, Index rows, Index windows, const double* x,
                        Index columns, double* to) const {
    std::fill(to, to + windows * columns, 0.0);
    for (Index i = 0; i < rows; ++i)
      for (Index z = 0; z < windows; ++z)
        for (Index j = 0; j < columns; ++j)
          to[z * columns + j] += law[i * windows + z] * x[i * columns + j];
  }
};

inline std::unique_ptr<PartedObjective> make_staged_objective(const Model& model,
                                                              const SequenceSource& source,
                                                              Engine engine,
                                                              Index part_size = chains_of_card_part,
                                                              Index of = 0) {
  return staged_objective<Host>(model, source, engine, part_size, of);
}

inline std::unique_ptr<PartedObjective> make_staged_infinite_objective(
    const Model& model, const Kernels& kernels, Index part_size = chains_of_card_part,
    Index of = 0) {
  return staged_infinite_objective<Host, HostProducts>(model, kernels, part_size, of);
}

}  // namespace gihflow::staged_host
