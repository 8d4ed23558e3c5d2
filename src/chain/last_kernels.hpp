#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "gihflow/base/size.hpp"
#include "gihflow/base/types.hpp"

namespace gihflow {

/// The kernels of consecutive chains that a thread has drawn last: who reads a chain often asks for
/// its law right after, and drawing a kernel is most of what that costs.
class LastKernels {
 public:
  static LastKernels& of_thread() {
    static thread_local LastKernels last;
    return last;
  }
  /// A number that no other source has.
  static std::uint64_t new_source() {
    static std::atomic<std::uint64_t> sources{0};
    return ++sources;
  }

  /// Room [count, entries] for kernels of a source; none are there until they are drawn().
  std::span<double> room(Index count, Index entries) {
    count_ = 0;
    values_.resize(size(count * entries));
    return values_;
  }
  /// They are now those of the chains from `first` on.
  void drawn(std::uint64_t source, Index first, Index count) {
    source_ = source;
    first_ = first;
    count_ = count;
  }
  /// Frees those that take much memory.
  void drop_large() {
    if (values_.size() <= most_kept) return;
    values_ = {};
    count_ = 0;
  }
  /// The kernel of a chain; empty where it is not there.
  std::span<const double> of_chain(std::uint64_t source, Index chain) const {
    if (source != source_ || chain < first_ || chain - first_ >= count_) return {};
    const std::size_t entries = values_.size() / size(count_);
    return std::span(values_).subspan(size(chain - first_) * entries, entries);
  }

 private:
  static constexpr std::size_t most_kept = 1 << 16;  // entries

  std::uint64_t source_ = 0;
  Index first_ = 0, count_ = 0;
  std::vector<double> values_;
};

}  // namespace gihflow
