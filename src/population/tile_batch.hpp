#pragma once

// The entries of several tiles as one list. A token of a tile has some ten entries, a number that
// varies, so that a loop over them ends in a branch that is mispredicted. Here one loop runs over
// the entries of all tiles, and for each entry is written down where its sum stands and whether it
// continues that sum or begins it. Counts are converted to doubles once, for forward and backward.

#include "population/scalar.hpp"
#include "population/views.hpp"

namespace gihflow::GIHFLOW_ISA {

using hot::StatisticsView;

/// Fetches the cache line at `address` before it is needed; the address need not be valid.
inline void prefetch(const void* address) {
  __builtin_prefetch(address);
}

/// z + x·y for a product that is exact: fused with the sum or not, it has the same bits.
inline Pack plus_exact(const Pack& z, double x, const Pack& y) {
#if defined(__AVX512F__)
  Pack sum;
  sum.part[0] = _mm512_fmadd_pd(y.part[0], _mm512_set1_pd(x), z.part[0]);
  return sum;
#else
  return z + y * x;
#endif
}

/// The entries of some tiles. Its functions are not inlined: within the function of a block there
/// are not enough registers for its pointers.
struct TileBatch {
  /// So many converted counts leave room for other arrays in the first-level cache.
  static constexpr std::int64_t most_entries = 192;
  /// fill_list() writes so many entries at a time, also beyond the end of a list: the next list
  /// overwrites them.
  static constexpr std::int64_t stride = 32;
  /// How far ahead entries and targets are prefetched, a batch or more: those of many chains come
  /// from memory, and the processor does not prefetch across batches by itself.
  static constexpr std::int64_t entries_ahead = 256, tiles_ahead = 8;

  Pack counts[most_entries];
  double continues[most_entries + stride];    ///< 1 if entry i − 2 is of the same list, else 0
  std::uint16_t list[most_entries + stride];  ///< tile·d + token, tiles from `first` on
  std::int64_t start, entries;                ///< the first entry of the tiles, and how many

  /// Takes tiles [first, end), or as many of them as have room, and sets `end` to the first that
  /// has none. The sum Σ n·E of each list is even + odd [tiles, d]. Returns false, with only tile
  /// `first` in the range and no sums, if this tile has too many entries by itself.
  template <class Count>
  bool forward(std::int64_t d, const StatisticsView& v, std::int64_t first, std::int64_t& end,
               const double* e, Pack* even, Pack* odd) {
    const std::int64_t full = fill(d, v, first, end, even, odd);
    end = full > first ? full : first + 1;
    if (full == first) return false;
    start = v.tile_entries[first * d];
    entries = v.tile_entries[end * d] - start;
    add_up(static_cast<const Count*>(v.entry_count) + start * pack_lanes, v.entry_pair + start, e,
           even, odd);
    return true;
  }

  /// b(Z) += n·g of each entry, g [tiles, d] that of its list.
  [[gnu::noinline]] void backward(const std::uint32_t* pair, const Pack* g, Pack* b) const {
    pair += start;
    for (std::int64_t i = 0; i < entries; ++i) {
      Pack& to = b[pair[i]];
      to = to + counts[i] * g[list[i]];
    }
  }

 private:
  /// Fills `continues` and `list`; returns the first tile that has no room. Sets sums to 0, since
  /// add_up() writes only one of those of a list with one entry, and none of an empty list.
  [[gnu::noinline]] std::int64_t fill(std::int64_t d, const StatisticsView& v, std::int64_t first,
                                      std::int64_t last, Pack* even, Pack* odd) {
    const std::int64_t* entry = v.tile_entries + first * d;
    const std::int64_t begin = *entry;
    const double* targets = v.targets + (first + tiles_ahead) * d * pack_lanes;
    std::int64_t number = 0;
    for (double& x : continues) x = 1.0;
    for (std::int64_t tile = first; tile < last; ++tile) {
      if (entry[d] - begin > most_entries) return tile;
      for (std::int64_t e = 0; e < d; ++e, ++entry, ++number) {
        prefetch(targets + number * pack_lanes);
        set(even[number], 0.0);
        set(odd[number], 0.0);
        fill_list(entry[0] - begin, entry[1] - begin, static_cast<std::uint16_t>(number));
      }
    }
    return last;
  }

  /// Σ n·E over the entries of each list with even and with odd numbers, [lists] each: the two sums
  /// of Chains::sum(). What is written last for a list is the whole sum.
  template <class Count>
  [[gnu::noinline]] void add_up(const Count* count, const std::uint32_t* pair, const double* e,
                                Pack* even, Pack* odd) {
    Pack sum, other;
    set(sum, 0.0);
    set(other, 0.0);
    const auto add = [&](std::int64_t i, Pack& x, Pack* to) {
      Pack n;
      load_counts(n, count + i * pack_lanes);
      counts[i] = n;
      x = plus_exact(n * e[pair[i]], continues[i], x);
      to[list[i]] = x;
    };
    std::int64_t i = 0;
    for (; i + 1 < entries; i += 2) {
      prefetch(count + (i + entries_ahead) * pack_lanes);
      prefetch(pair + i + entries_ahead);
      add(i, sum, even);
      add(i + 1, other, odd);
    }
    if (i < entries) add(i, sum, even);
  }

  void fill_list(std::int64_t begin, std::int64_t end, std::uint16_t number) {
    continues[begin] = continues[begin + 1] = 0.0;
    for (; begin < end; begin += stride)
      for (std::int64_t i = 0; i < stride; ++i) list[begin + i] = number;
  }
};

}  // namespace gihflow::GIHFLOW_ISA
