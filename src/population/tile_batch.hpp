#pragma once

// The entries of several tiles as one list. A token of a tile has some ten entries, here more,
// there fewer, and a loop over them ends where no processor expects it. The loops here run over the
// entries of all tiles: each entry knows where its sum stands and whether it continues one. Counts
// are converted once for both ways.

#include "population/scalar.hpp"
#include "population/views.hpp"

namespace gihflow::GIHFLOW_ISA {

using hot::StatisticsView;

/// Asks for the cache line at `address`, wherever it is, there or not.
inline void prefetch(const void* address) {
  __builtin_prefetch(address);
}

/// z + x·y exactly, for an x of 0 or 1.
inline Pack continued(const Pack& z, double x, const Pack& y) {
#if defined(__AVX512F__)
  Pack sum;
  sum.part[0] = _mm512_fmadd_pd(y.part[0], _mm512_set1_pd(x), z.part[0]);
  return sum;
#else
  return z + y * x;
#endif
}

/// Its functions stay functions: inside a block its pointers would not fit the registers.
struct TileBatch {
  /// So many converted counts leave room for the rest in the first cache.
  static constexpr std::int64_t most_entries = 192;
  /// Written of a list at once, into the places of the next ones too.
  static constexpr std::int64_t stride = 32;
  /// Entries and targets are asked for so long before they are needed, a batch or more: of many
  /// chains they come from memory, and the processor does not foresee the next batch by itself.
  static constexpr std::int64_t entries_ahead = 256, tiles_ahead = 8;

  Pack counts[most_entries];
  double continues[most_entries + stride];    ///< 1 where the entry before the last is of its list
  std::uint16_t list[most_entries + stride];  ///< tile·d + token, from the batch's first tile
  std::int64_t start, entries;                ///< of its tiles

  /// Takes in tiles [first, end), or fewer where there is no room for all, and leaves the sums
  /// Σ n·E of their lists in two halves. False where not even one has room, which is then the only
  /// one.
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

  /// b(Z) += n·g of each entry's list.
  [[gnu::noinline]] void backward(const std::uint32_t* pair, const Pack* g, Pack* b) const {
    pair += start;
    for (std::int64_t i = 0; i < entries; ++i) {
      Pack& to = b[pair[i]];
      to = to + counts[i] * g[list[i]];
    }
  }

 private:
  /// Returns the first tile that has no room. Sums are zero until add_up() writes them.
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

  /// Σ n·E over every other entry of each list, two sums [lists] as Chains::sum() has them.
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
      x = continued(n * e[pair[i]], continues[i], x);
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
