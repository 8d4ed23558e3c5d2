#pragma once

// A model point on its way to where the stages run. Compiled by nvcc alone.

#include <cmath>
#include <numeric>

#include "population/formulas.hpp"
#include "population/model_tables.hpp"
#include "population/staged.cuh"

namespace gihflow::GIHFLOW_ISA {

/// The largest that |a·k| can be at a point: |t_h| ≤ 1, so |k| ≤ Σ|p_S|.
inline double largest_height(const Point& at) {
  return std::abs(at.a) * std::accumulate(at.p.begin(), at.p.end(), 0.0,
                                          [](double sum, double p) { return sum + std::abs(p); });
}

/// Whether every chain must be shifted by its own largest a·k, lest a denominator underflow; below, one bound
/// does for all. Not where numbers are not finite: these come through.
inline bool needs_shifts(double height) {
  return height > 0.5 * widest_spread && height < HUGE_VAL;
}

/// PointOnCard, written on the host: a, p [subsets], σ [patterns, H, M], values or dual numbers.
class StagedPoint {
 public:
  StagedPoint(const Model& model, const ModelTables& tables)
      : numbers_(static_cast<std::size_t>(1 + model.subsets() +
                                          tables.patterns() * model.heads * model.window)),
        memory_(2 * numbers_) {}

  std::size_t doubles() const { return 2 * numbers_; }
  template <class S>
  std::size_t bytes() const {
    return numbers_ * sizeof(S);
  }
  template <class S>
  const void* write(const Point& at, const Attention& attention, const Point* along) {
    S* to = reinterpret_cast<S*>(memory_.data());
    const auto put = [&](const double* x, const double* dx, std::size_t count) {
      for (std::size_t i = 0; i < count; ++i) {
        if constexpr (sizeof(S) == sizeof(double))
          *to++ = x[i];
        else
          *to++ = {x[i], dx[i]};
      }
    };
    put(&at.a, along ? &along->a : nullptr, 1);
    put(at.p.data(), along ? along->p.data() : nullptr, at.p.size());
    put(attention.sigma.data(), attention.along.data(), attention.sigma.size());
    return memory_.data();
  }

 private:
  std::size_t numbers_;
  Pinned memory_;
};

}  // namespace gihflow::GIHFLOW_ISA
