#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "gihflow/base/size.hpp"
#include "gihflow/base/types.hpp"

namespace gihflow {

/// The kernels of a source's chains, each drawn at its first use and kept: a run asks for its
/// chains several times, and at small lengths kernels are most of what drawing them costs. None is
/// kept of sources whose kernels would take more than most_bytes together. Thread-safe.
class KeptKernels {
 public:
  static constexpr double most_bytes = 0x1p24;

  /// What `chains` kernels of so many entries take if they are kept, else 0.
  static double memory(double chains, double entries) {
    const double bytes = chains * (8.0 * entries + sizeof(State));
    return bytes <= most_bytes ? bytes : 0.0;
  }

  KeptKernels(Index chains, Index entries) : entries_(size(entries)) {
    if (memory(static_cast<double>(chains), static_cast<double>(entries)) == 0.0) return;
    states_ = std::make_unique<std::atomic<State>[]>(size(chains));
    values_ = std::make_unique_for_overwrite<double[]>(size(chains) * entries_);
  }

  /// The kernel of a chain, which draw(values) writes where it is not there yet: into `scratch`
  /// where it is not to be kept, or where another thread draws it at this moment.
  template <class Draw>
  std::span<const double> of_chain(Index chain, std::vector<double>& scratch,
                                   const Draw& draw) const {
    if (values_) {
      const std::span<double> kept(values_.get() + size(chain) * entries_, entries_);
      std::atomic<State>& state = states_[size(chain)];
      if (state.load(std::memory_order_acquire) == State::there) return kept;
      State none = State::none;
      if (state.compare_exchange_strong(none, State::begun, std::memory_order_relaxed)) {
        draw(kept);
        state.store(State::there, std::memory_order_release);
        return kept;
      }
    }
    scratch.resize(entries_);
    draw(std::span(scratch));
    return scratch;
  }

 private:
  enum class State : char { none, begun, there };

  std::size_t entries_;
  std::unique_ptr<std::atomic<State>[]> states_;
  std::unique_ptr<double[]> values_;  ///< [chains, entries]; null: none is kept
};

}  // namespace gihflow
