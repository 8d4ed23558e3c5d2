#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <span>

#include "gihflow/base/size.hpp"
#include "gihflow/base/types.hpp"

namespace gihflow {

/// What a source has drawn of each of its chains, kernels or tokens, kept from the first use on: a
/// run asks for its chains several times, and at small lengths drawing them again is most of what
/// that costs. Nothing is kept where all rows together would take more than most_bytes.
/// Thread-safe.
template <class T>
class KeptRows {
 public:
  static constexpr double most_bytes = 0x1p24;

  /// What the rows of `chains` chains take if they are kept, else 0.
  static double memory(double chains, double entries) {
    const double bytes = chains * (static_cast<double>(sizeof(T)) * entries + sizeof(State));
    return bytes <= most_bytes ? bytes : 0.0;
  }

  /// For rows of so many entries.
  KeptRows(Index chains, Index entries) : entries_(size(entries)) {
    if (memory(static_cast<double>(chains), static_cast<double>(entries)) == 0.0) return;
    states_ = std::make_unique<std::atomic<State>[]>(size(chains));
    values_ = std::make_unique_for_overwrite<T[]>(size(chains) * entries_);
  }

  /// The row of a chain; empty where it is not there.
  std::span<const T> of_chain(Index chain) const {
    if (!values_ || states_[size(chain)].load(std::memory_order_acquire) != State::there) return {};
    return {values_.get() + size(chain) * entries_, entries_};
  }

  /// Keeps the row of a chain, unless another thread does so at this moment.
  void keep(Index chain, std::span<const T> row) const {
    if (!values_) return;
    std::atomic<State>& state = states_[size(chain)];
    State none = State::none;
    if (!state.compare_exchange_strong(none, State::begun, std::memory_order_relaxed)) return;
    std::copy(row.begin(), row.end(), values_.get() + size(chain) * entries_);
    state.store(State::there, std::memory_order_release);
  }

 private:
  enum class State : char { none, begun, there };

  std::size_t entries_;
  std::unique_ptr<std::atomic<State>[]> states_;
  std::unique_ptr<T[]> values_;  ///< [chains, entries]; null: none is kept
};

}  // namespace gihflow
