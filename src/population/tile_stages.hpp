#pragma once

// The stages over chains: readout, loss and g(e) of every chain, formulas (4.1) and (4.2), and the
// sums Σ n·g of every pair. A dense tile holds many chains of one query, a sparse one a single
// chain; a second stage then sums the entries of sparse tiles pair by pair. Teams are described in
// stages.hpp.

#include "population/stages.hpp"

namespace gihflow::GIHFLOW_ISA {

/// Chains of a dense tile: four for each thread of a warp.
inline constexpr int tile_lanes = 32 * pack_lanes;

/// Up to this vocabulary size readouts are local variables of a thread.
inline constexpr int small_vocabulary = 8;

/// Members that the stages over dense and over sparse tiles share.
template <class N, class Count, bool Shifted>
struct Tiles {
  ModelView model;
  StatisticsView v;
  PairsOnCard<typename N::S> pairs;
  /// Where d > small_vocabulary: y and g of each thread of dense tiles [threads, 2·d], or y of each
  /// sparse tile [tiles, d].
  typename N::L* readouts;
  typename N::S* losses;  ///< [blocks]
  bool with_loss;

  /// The N::lanes chains from number `lane` on of a tile of `lanes` chains.
  GIHFLOW_HD Chains<N, Count, Shifted> chains_of(std::int64_t tile, std::int64_t group,
                                                 std::int64_t lanes, std::int64_t lane) const {
    return {model, v, tile, (Shifted ? pairs.x : pairs.e) + v.group_pairs[group], lanes, lane};
  }
};

/// Block: a segment of tiles of `tile_lanes` chains with one query. Writes the loss and, for every
/// pair of the group, Σ n·g, or Σ n·E·g if Shifted, summed over the segment.
template <class N, class Count, bool Shifted>
struct DenseTiles : Tiles<N, Count, Shifted> {
  const Segment* segments;
  const std::int64_t* segment_slot;  ///< where the sums of a segment begin in pairs.partial

  GIHFLOW_HD static std::int64_t memory(std::int64_t pairs, std::int64_t threads) {
    return pairs * threads * static_cast<std::int64_t>(sizeof(typename N::S));
  }

  template <class Team>
  GIHFLOW_HD void operator()(Team& team, std::int64_t block) const {
    using S = typename N::S;
    using L = typename N::L;
    const ModelView& m = this->model;
    const Segment segment = segments[block];
    const std::int64_t first = this->v.group_pairs[segment.group];
    const std::int64_t count = this->v.group_pairs[segment.group + 1] - first;
    const std::int64_t size = team.size(), index = team.index();
    L own[2 * small_vocabulary];
    L* y = m.d <= small_vocabulary ? own : this->readouts + (block * size + index) * 2 * m.d;
    L* g = y + m.d;
    S* b = static_cast<S*>(team.memory()) + index;  // one column a thread
    for (std::int64_t j = 0; j < count; ++j) set(b[j * size], 0.0);
    S loss;
    set(loss, 0.0);
    const std::int64_t items = (segment.tile_end - segment.tile_begin) * 32;
    for (std::int64_t item = index; item < items; item += size) {
      const std::int64_t tile = segment.tile_begin + item / 32, lane = item % 32 * N::lanes;
      const auto chains = this->chains_of(tile, segment.group, tile_lanes, lane);
      loss = loss + chains.readout(m, y, g, this->with_loss);
      chains.back(m, g,
                  [&](std::uint32_t z, const L& x) { b[z * size] = b[z * size] + sum_lanes(x); });
    }
    team.sync();
    const S* rows = static_cast<const S*>(team.memory());
    for (std::int64_t j = team.warp(); j < count; j += team.warps()) {
      S sum;
      set(sum, 0.0);
      for (std::int64_t i = team.lane(); i < size; i += team.lanes())
        sum = sum + rows[j * size + i];
      sum = team.warp_sum(sum);
      if (team.lane() == 0) this->pairs.partial[segment_slot[block] + j] = sum;
    }
    team.sync();
    loss = team.sum(loss);
    if (index == 0) this->losses[block] = loss;
  }
};

/// Block: `per_block` tiles of one chain. Writes the loss of the block, g(e) of every chain and, if
/// Shifted, its largest a·k.
template <class N, class Count, bool Shifted>
struct SparseTiles : Tiles<N, Count, Shifted> {
  const std::uint32_t* tile_group;  ///< [tiles]
  std::int64_t tiles, per_block;
  typename N::S* slope;  ///< g [tiles, d]
  double* top;           ///< [tiles]

  template <class Team>
  GIHFLOW_HD void operator()(Team& team, std::int64_t block) const {
    const ModelView& m = this->model;
    typename N::L own[small_vocabulary];
    typename N::S loss;
    set(loss, 0.0);
    const std::int64_t end = block * per_block + per_block;
    for (std::int64_t tile = block * per_block + team.index(); tile < end && tile < tiles;
         tile += team.size()) {
      const auto chains = this->chains_of(tile, tile_group[tile], 1, 0);
      if constexpr (Shifted) top[tile] = chains.top;
      typename N::L* y = m.d <= small_vocabulary ? own : this->readouts + tile * m.d;
      loss = loss + chains.readout(m, y, slope + tile * m.d, this->with_loss);
    }
    loss = team.sum(loss);
    if (team.index() == 0) this->losses[block] = loss;
  }
};

/// Entries [begin, end), all of one pair.
struct Chunk {
  std::int64_t pair, begin, end;
};

/// Block: `per_block` chunks, each summed by a warp, or where chunks are short by one thread: Σ n·g
/// over the entries of the chunk, or Σ n·E·g if Shifted.
template <class N, class Count, bool Shifted>
struct SparseGather {
  std::int64_t d;
  PairsOnCard<typename N::S> pairs;
  const Chunk* chunks;
  std::int64_t chunk_begin, chunk_end, per_block;
  bool alone;                  ///< one thread sums a chunk
  const std::uint32_t* entry;  ///< tile·d + token of each entry, pair after pair
  const Count* count;          ///< of each entry, pair after pair
  const typename N::S* slope;  ///< g and largest a·k from SparseTiles
  const double* top;

  template <class Team>
  GIHFLOW_HD void operator()(Team& team, std::int64_t block) const {
    using S = typename N::S;
    const std::int64_t first = chunk_begin + block * per_block;
    const std::int64_t workers = alone ? team.size() : team.warps(),
                       worker = alone ? team.index() : team.warp();
    for (std::int64_t c = first + worker; c < first + per_block && c < chunk_end; c += workers) {
      const Chunk chunk = chunks[c];
      const std::int64_t step = alone ? 1 : team.lanes();
      S sum;
      set(sum, 0.0);
      for (std::int64_t i = chunk.begin + (alone ? 0 : team.lane()); i < chunk.end; i += step) {
        double n;
        load_counts(n, count + i);
        S term = n * slope[entry[i]];
        if constexpr (Shifted) term = term * exponential(pairs.x[chunk.pair] - top[entry[i] / d]);
        sum = sum + term;
      }
      if (!alone) sum = team.warp_sum(sum);
      if (alone || team.lane() == 0) pairs.partial[c] = sum;
    }
  }
};

}  // namespace gihflow::GIHFLOW_ISA
