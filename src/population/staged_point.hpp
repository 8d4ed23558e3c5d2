#pragma once

// A model point on its way to the place where the stages run: a CUDA card (staged.cuh), or in tests
// the host.
//
// A Place has Vector<T>, an array in its own memory, and raw(), a pointer to its numbers;
// HostMemory, doubles of the host that are copied fast; and `warp`, the threads of a warp.
// items(count, item) and teams(blocks, threads, bytes, stage) run a stage, see stages.hpp, with at
// most most_memory() bytes a team. upload() and download() copy. replay(recording, work) runs
// work(), or repeats what it did before from the Recording. All of these run one after the other
// and have ended after wait(); settle() also waits for copies to vectors.

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "gihflow/base/errors.hpp"
#include "population/formulas.hpp"
#include "population/model_tables.hpp"
#include "population/stages.hpp"

namespace gihflow::GIHFLOW_ISA {

/// Upper bound of the threads of a team.
inline constexpr int threads_of_team = 128;

/// Upper bound of |a·k| at a point: |t_h| ≤ 1, so |k| ≤ Σ|p_S|.
inline double largest_height(const Point& at) {
  return std::abs(at.a) * std::accumulate(at.p.begin(), at.p.end(), 0.0,
                                          [](double sum, double p) { return sum + std::abs(p); });
}

/// Whether the exponents of each chain must be shifted by its own largest a·k, so that no
/// denominator underflows; else one shift is enough for all. False where the bound is not finite,
/// so that NaN reaches the result.
inline bool needs_shifts(double height) {
  return height > 0.5 * widest_spread && height < HUGE_VAL;
}

/// The numbers of PointOnCard, values or dual numbers, as the host writes them. The shift is
/// largest_height() for a > 0, else 0.
template <class Place>
class StagedPoint {
 public:
  StagedPoint(const Model& model, const ModelTables& tables)
      : numbers_(static_cast<std::size_t>(2 + model.subsets() +
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
    const double shift[] = {at.a > 0.0 ? largest_height(at) : 0.0}, constant[] = {0.0};
    put(shift, constant, 1);
    return memory_.data();
  }

 private:
  std::size_t numbers_;
  typename Place::HostMemory memory_;
};

/// How the stage PairBackward is launched.
struct PairTeams {
  std::int64_t threads = 0, per_block = 0, blocks = 0;

  /// As many threads as have memory for sums of their own. Throws InputError if the threads of one
  /// warp have not.
  template <class Place>
  static PairTeams of(const Place& place, const Model& model, std::int64_t pairs,
                      std::int64_t sums) {
    constexpr std::int64_t most_blocks = 1024;
    PairTeams teams;
    for (teams.threads = threads_of_team; teams.threads >= 32; teams.threads /= 2)
      if (PairBackward<double>::memory(2 * sums, teams.threads) <= place.most_memory()) break;
    if (teams.threads < 32)
      throw InputError(Fault{Field::degree, std::to_string(model.degree),
                             Phrase("with " + std::to_string(model.heads) + " heads " +
                                        std::to_string(model.subsets()) +
                                        " subsets are more than a card sums at a time; use ",
                                    Field::device, " cpu"),
                             ""});
    teams.per_block = std::max(teams.threads, (pairs + most_blocks - 1) / most_blocks);
    teams.per_block = (teams.per_block + teams.threads - 1) / teams.threads * teams.threads;
    teams.blocks = (pairs + teams.per_block - 1) / teams.per_block;
    return teams;
  }
};

}  // namespace gihflow::GIHFLOW_ISA
