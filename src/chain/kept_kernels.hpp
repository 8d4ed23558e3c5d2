#pragma once

#include <memory>
#include <mutex>
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
    const double bytes = chains * (8.0 * entries + sizeof(std::once_flag));
    return bytes <= most_bytes ? bytes : 0.0;
  }

  KeptKernels(Index chains, Index entries) : entries_(size(entries)) {
    if (memory(static_cast<double>(chains), static_cast<double>(entries)) == 0.0) return;
    drawn_ = std::make_unique<std::once_flag[]>(size(chains));
    values_ = std::make_unique_for_overwrite<double[]>(size(chains) * entries_);
  }

  /// The kernel of a chain, which draw(values) writes where it is not there yet: into `scratch`
  /// where it is not to be kept.
  template <class Draw>
  std::span<const double> of_chain(Index chain, std::vector<double>& scratch,
                                   const Draw& draw) const {
    if (!values_) {
      scratch.resize(entries_);
      draw(std::span(scratch));
      return scratch;
    }
    const std::span<double> kept(values_.get() + size(chain) * entries_, entries_);
    std::call_once(drawn_[size(chain)], [&] { draw(kept); });
    return kept;
  }

 private:
  std::size_t entries_;
  std::unique_ptr<std::once_flag[]> drawn_;
  std::unique_ptr<double[]> values_;  ///< [chains, entries]; null: none is kept
};

}  // namespace gihflow
