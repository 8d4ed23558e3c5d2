#pragma once

// The objective on sufficient statistics, formulas (4.1)–(4.5), by the stages of stages.hpp and
// tile_stages.hpp, which run at a Place (staged_point.hpp) where the statistics stay. A gradient is
// one upload, a fixed sequence of launches and one download; after construction only the labels of
// a first minibatch are allocated, and every sum has a fixed order.

#include <algorithm>
#include <memory>
#include <mutex>
#include <numeric>

#include "gihflow/base/errors.hpp"
#include "population/engines.hpp"
#include "population/model_tables.hpp"
#include "population/staged_point.hpp"
#include "population/tile_stages.hpp"
#include "population/tiled_statistics.hpp"

namespace gihflow::GIHFLOW_ISA {

/// Dense tiles pay where at least this share of their counts is not zero, and where a full team has
/// memory for its sums (experiments/benchmarks/card.md).
constexpr double least_fill = 0.02;
constexpr Index teams_wanted = 2048;  // for dense tiles: several on each multiprocessor
constexpr Index chunk_entries = 512;  // upper bound of the entries of a Chunk

/// The chains of a part, see StagedParts.
template <class Place>
class StagedChains {
 public:
  StagedChains(const Model& model, const SequenceSource& source, Engine engine)
      : model_(model),
        tables_(model),
        counted_(count_windows(model, source)),
        point_(model, tables_),
        out_(2 * size_t(tables_.sums())) {
    require_card(model);
    lay_out(engine);
  }

  const Model& model() const { return model_; }
  std::string engine() const { return dense_ ? "dense" : "sparse"; }
  std::size_t memory() const { return bytes_; }

  /// Loss and gradient summed over all chains and divided by `count`; with a derivative where
  /// `along` is given.
  void gradient(const Point& at, const Point* along, double count, bool with_loss, Gradient& out,
                Gradient& derivative) const {
    if (along == nullptr)
      evaluate<double>(at, nullptr, nullptr, count, out, nullptr, with_loss);
    else
      evaluate<Dual<double>>(at, along, nullptr, count, out, &derivative, with_loss);
  }

  /// The gradient summed over some chains and divided by `count`.
  void batch_gradient(std::span<const Index> chains, const Point& at, double count,
                      Gradient& out) const {
    // The other chains have no label and add nothing.
    const std::size_t d = size_t(model_.vocabulary), lanes = size_t(lanes_);
    std::vector<double> targets(slots_ * d, 0.0);
    for (const Index chain : chains) {
      for (Index i = chain * counted_.prefixes; i < (chain + 1) * counted_.prefixes; ++i) {
        const std::size_t slot = size_t(chain_slot_[size_t(i)]);
        for (std::size_t e = 0; e < d; ++e)
          targets[(slot / lanes * d + e) * lanes + slot % lanes] +=
              counted_.targets[size_t(i) * d + e];
      }
    }
    evaluate<double>(at, nullptr, &targets, count, out, nullptr, false);
  }

  /// By the CPU engine, from counts that the host has kept: they are asked for once a run.
  std::vector<Moments> moments(const Parameters& at) const {
    return make_tiled_objective(model_, counted_, 0)->moments(at);
  }

 private:
  template <class T>
  using Vector = typename Place::template Vector<T>;

  template <class V>
  static auto* raw(V& v) {
    return Place::raw(v);
  }
  static std::size_t size_t(Index n) { return static_cast<std::size_t>(n); }

  template <class T>
  void keep(Vector<T>& to, const T* from, std::size_t count) {
    to = Vector<T>(from, from + count);
    bytes_ += count * sizeof(T);
  }
  template <class T>
  void keep(Vector<T>& to, const std::vector<T>& from) {
    keep(to, from.data(), from.size());
  }
  template <class T>
  void reserve(Vector<T>& to, std::size_t count) {
    to.resize(count);
    bytes_ += count * sizeof(T);
  }

  void lay_out(Engine engine) {
    const Index d = model_.vocabulary;
    Arrangement arrangement(counted_);
    if (engine != Engine::sparse) {
      Arrangement dense = arrangement;
      dense.gather(counted_, tile_lanes);
      const Index most_pairs = (dense.most_windows + hot::pack - 1) / hot::pack * hot::pack;
      threads_ = 0;
      for (Index threads : {4 * Place::warp, 2 * Place::warp, Place::warp})
        if (threads_ == 0 && DenseTiles<DualPack, std::uint8_t, true>::memory(
                                 most_pairs, threads) <= place_.most_memory())
          threads_ = threads;
      const double fill = static_cast<double>(counted_.key.size()) /
                          (static_cast<double>(dense.entries) * tile_lanes);
      const bool pays = fill >= least_fill && threads_ == 4 * Place::warp;
      dense_ = threads_ > 0 && (engine == Engine::dense || pays);
      if (engine == Engine::dense && !dense_)
        throw InputError(Fault{Field::engine, "dense",
                               Phrase(std::to_string(most_pairs) +
                                          " windows beside one query are more than the card can "
                                          "sum at a time; use ",
                                      Field::engine, " sparse or auto"),
                               ""});
      if (dense_) arrangement = std::move(dense);
    }
    const TiledStatistics s(model_, counted_, std::move(arrangement));
    const hot::StatisticsView host = s.view();
    const Index tiles = s.tiles(), pairs = s.pairs(), groups = s.groups();
    count_bytes_ = s.count_bytes();
    lanes_ = s.lanes();
    slots_ = size_t(tiles * lanes_);
    for (Index i = 0; i < counted_.chains; ++i) chain_slot_.push_back(s.slot(i));

    keep(group_pairs_, host.group_pairs, size_t(groups + 1));
    keep(query_digits_, host.query_digits, size_t(groups * model_.widest()));
    keep(query_existing_, host.query_existing, size_t(groups));
    keep(pair_digits_, host.pair_digits, size_t(pairs * model_.widest()));
    keep(pair_existing_, host.pair_existing, size_t(pairs));
    keep(tile_entries_, host.tile_entries, size_t(tiles * d + 1));
    keep(entry_pair_, host.entry_pair, size_t(s.entries()));
    keep(entry_count_, static_cast<const std::uint8_t*>(host.entry_count),
         size_t(s.entries() * lanes_ * count_bytes_));
    keep(targets_, host.targets, size_t(tiles * lanes_ * d));
    const hot::ModelView m = tables_.view();
    keep(masks_, m.masks, size_t(m.subsets));
    keep(first_lag_, m.first_lag, size_t(m.H));

    std::vector<std::uint32_t> pair_group(size_t(pairs));
    for (Index g = 0; g < groups; ++g)
      std::fill(pair_group.begin() + host.group_pairs[g],
                pair_group.begin() + host.group_pairs[g + 1], static_cast<std::uint32_t>(g));
    keep(pair_group_, pair_group);
    if (dense_)
      cut_segments(host, groups, tiles);
    else
      gather_by_pair(s, host, pairs);

    pair_teams_ = PairTeams::of(place_, model_, pairs, tables_.sums());
    pairs_ = pairs;
    reserve(t_, 2 * size_t(pairs * model_.heads));
    reserve(x_, 2 * size_t(pairs));
    reserve(e_, 2 * size_t(pairs));
    reserve(partial_, 2 * size_t(partials_));
    reserve(loss_, 2 * size_t(loss_blocks_));
    reserve(sums_, 2 * size_t(pair_teams_.blocks * tables_.sums()));
    reserve(on_place_, point_.doubles());
    reserve(result_, 2 * size_t(tables_.sums()));
    if (d > small_vocabulary)
      reserve(readouts_,
              2 * size_t(dense_ ? loss_blocks_ * threads_ * 2 * d * pack_lanes : tiles * d));
    place_.settle();
  }

  /// Cuts dense tiles into segments, one for each team, and places the partial sums of pairs.
  void cut_segments(const hot::StatisticsView& host, Index groups, Index tiles) {
    const Index warps = threads_ / Place::warp;
    const Index each = std::max(warps, (tiles + teams_wanted - 1) / teams_wanted / warps * warps);
    std::vector<hot::Segment> segments;
    std::vector<std::int64_t> slots, pair_slot(size_t(host.group_pairs[groups]));
    std::vector<std::int32_t> count(pair_slot.size()), stride(pair_slot.size());
    for (Index g = 0; g < groups; ++g) {
      const Index pairs = host.group_pairs[g + 1] - host.group_pairs[g], first = partials_;
      std::int32_t pieces = 0;
      for (Index tile = host.group_tiles[g]; tile < host.group_tiles[g + 1];
           tile += each, ++pieces) {
        segments.push_back({g, tile, std::min(tile + each, host.group_tiles[g + 1])});
        slots.push_back(partials_);
        partials_ += pairs;
      }
      for (Index j = 0; j < pairs; ++j) {
        const std::size_t pair = size_t(host.group_pairs[g] + j);
        pair_slot[pair] = first + j;
        count[pair] = pieces;
        stride[pair] = static_cast<std::int32_t>(pairs);
      }
      most_pairs_ = std::max(most_pairs_, pairs);
    }
    loss_blocks_ = static_cast<Index>(segments.size());
    keep(segments_, segments);
    keep(segment_slot_, slots);
    keep(pair_slot_, pair_slot);
    keep(slot_count_, count);
    keep(slot_stride_, stride);
  }

  /// Copies the entries of sparse tiles pair after pair, in chunks for SparseGather.
  void gather_by_pair(const TiledStatistics& s, const hot::StatisticsView& host, Index pairs) {
    const Index d = model_.vocabulary, tiles = s.tiles();
    std::vector<std::uint32_t> tile_group(size_t(tiles));
    std::vector<std::int64_t> begin(size_t(pairs + 1), 0);
    for (Index tile = 0; tile < tiles; ++tile) {
      const Index group = s.group_of_tile(tile);
      tile_group[size_t(tile)] = static_cast<std::uint32_t>(group);
      for (Index i = host.tile_entries[tile * d]; i < host.tile_entries[(tile + 1) * d]; ++i)
        ++begin[size_t(host.group_pairs[group] + host.entry_pair[i] + 1)];
    }
    std::partial_sum(begin.begin(), begin.end(), begin.begin());
    std::vector<std::int64_t> next(begin.begin(), begin.end() - 1);
    std::vector<std::uint32_t> entry(size_t(s.entries()));
    const std::size_t bytes = size_t(count_bytes_);
    std::vector<std::uint8_t> count(entry.size() * bytes);
    const auto* counts = static_cast<const std::uint8_t*>(host.entry_count);
    for (Index tile = 0; tile < tiles; ++tile) {
      const Index first = host.group_pairs[s.group_of_tile(tile)];
      for (Index e = 0; e < d; ++e)
        for (Index i = host.tile_entries[tile * d + e]; i < host.tile_entries[tile * d + e + 1];
             ++i) {
          const std::size_t to = size_t(next[size_t(first + host.entry_pair[i])]++);
          entry[to] = static_cast<std::uint32_t>(tile * d + e);
          std::copy_n(counts + size_t(i) * bytes, bytes, count.data() + to * bytes);
        }
    }
    // Short chunks first: a thread sums each of them, a warp each of the others.
    std::vector<Chunk> chunks;
    std::vector<std::int64_t> slot(size_t(pairs), 0);
    std::vector<std::int32_t> pieces(size_t(pairs), 0), stride(size_t(pairs), 1);
    const auto is_short = [&](Index j) { return begin[size_t(j) + 1] - begin[size_t(j)] <= 32; };
    for (Index j = 0; j < pairs; ++j) {
      if (!is_short(j)) continue;
      slot[size_t(j)] = static_cast<std::int64_t>(chunks.size());
      if (begin[size_t(j) + 1] == begin[size_t(j)]) continue;
      pieces[size_t(j)] = 1;
      chunks.push_back({j, begin[size_t(j)], begin[size_t(j) + 1]});
    }
    short_chunks_ = static_cast<Index>(chunks.size());
    for (Index j = 0; j < pairs; ++j) {
      if (is_short(j)) continue;
      slot[size_t(j)] = static_cast<std::int64_t>(chunks.size());
      for (Index i = begin[size_t(j)]; i < begin[size_t(j) + 1];
           i += chunk_entries, ++pieces[size_t(j)])
        chunks.push_back({j, i, std::min(i + chunk_entries, begin[size_t(j) + 1])});
    }
    partials_ = static_cast<Index>(chunks.size());
    loss_blocks_ = (tiles + Index{threads_of_team} - 1) / Index{threads_of_team};
    tiles_ = tiles;
    keep(tile_group_, tile_group);
    keep(chunks_, chunks);
    keep(gather_entry_, entry);
    keep(gather_count_, count);
    keep(pair_slot_, slot);
    keep(slot_count_, pieces);
    keep(slot_stride_, stride);
    reserve(slope_, 2 * size_t(tiles * d));
    reserve(top_, size_t(tiles));
  }

  hot::ModelView model_on_place() const {
    hot::ModelView m = tables_.view();
    m.masks = raw(masks_);
    m.first_lag = raw(first_lag_);
    m.parent = m.last = nullptr;  // not used by the stages
    return m;
  }

  template <class S>
  PairsOnCard<S> pairs_on_place() const {
    return {raw(pair_group_),
            raw(pair_slot_),
            raw(slot_count_),
            raw(slot_stride_),
            pairs_,
            reinterpret_cast<S*>(raw(t_)),
            reinterpret_cast<S*>(raw(x_)),
            reinterpret_cast<S*>(raw(e_)),
            reinterpret_cast<S*>(raw(partial_))};
  }

  /// The stages over chains: from a·k to the loss and the partial sums of pairs.
  template <class N, class Count, bool Shifted>
  void chains_pass(const hot::ModelView& m, const hot::StatisticsView& v, bool with_loss) const {
    using S = typename N::S;
    const Tiles<N, Count, Shifted> tiles{m,
                                         v,
                                         pairs_on_place<S>(),
                                         reinterpret_cast<typename N::L*>(raw(readouts_)),
                                         reinterpret_cast<S*>(raw(loss_)),
                                         with_loss};
    if constexpr (N::lanes > 1) {
      using Stage = DenseTiles<N, Count, Shifted>;
      place_.teams(loss_blocks_, threads_, Stage::memory(most_pairs_, threads_),
                   Stage{tiles, raw(segments_), raw(segment_slot_)});
    } else {
      S* slope = reinterpret_cast<S*>(raw(slope_));
      place_.teams(loss_blocks_, threads_of_team, 0,
                   SparseTiles<N, Count, Shifted>{tiles, raw(tile_group_), tiles_, threads_of_team,
                                                  slope, raw(top_)});
      SparseGather<N, Count, Shifted> gather{model_.vocabulary,
                                             tiles.pairs,
                                             raw(chunks_),
                                             0,
                                             short_chunks_,
                                             threads_of_team,
                                             true,
                                             raw(gather_entry_),
                                             reinterpret_cast<const Count*>(raw(gather_count_)),
                                             slope,
                                             raw(top_)};
      const auto pass = [&] {
        const Index count = gather.chunk_end - gather.chunk_begin;
        if (count > 0)
          place_.teams((count + gather.per_block - 1) / gather.per_block, threads_of_team, 0,
                       gather);
      };
      pass();
      gather.chunk_begin = short_chunks_;
      gather.chunk_end = partials_;
      gather.per_block = threads_of_team / 32;
      gather.alone = false;
      pass();
    }
  }
  template <class N, bool Shifted>
  void chains_pass(const hot::ModelView& m, const hot::StatisticsView& v, bool with_loss) const {
    if (count_bytes_ == 1) chains_pass<N, std::uint8_t, Shifted>(m, v, with_loss);
    if (count_bytes_ == 2) chains_pass<N, std::uint16_t, Shifted>(m, v, with_loss);
    if (count_bytes_ == 4) chains_pass<N, std::uint32_t, Shifted>(m, v, with_loss);
  }
  template <class N>
  void chains_pass(const hot::ModelView& m, const hot::StatisticsView& v, bool shifted,
                   bool with_loss) const {
    if (shifted)
      chains_pass<N, true>(m, v, with_loss);
    else
      chains_pass<N, false>(m, v, with_loss);
  }

  /// All stages, from the point in on_place_ to the sums in result_.
  template <class S>
  void stages(const double* targets, bool shifted, bool with_loss) const {
    constexpr bool dual = sizeof(S) > sizeof(double);
    const hot::ModelView m = model_on_place();
    hot::StatisticsView v{};
    v.group_pairs = raw(group_pairs_);
    v.query_digits = raw(query_digits_);
    v.query_existing = raw(query_existing_);
    v.pair_digits = raw(pair_digits_);
    v.pair_existing = raw(pair_existing_);
    v.tile_entries = raw(tile_entries_);
    v.entry_pair = raw(entry_pair_);
    v.entry_count = raw(entry_count_);
    v.targets = targets;
    const PointOnCard<S> point{reinterpret_cast<const S*>(raw(on_place_))};
    const PairsOnCard<S> pairs = pairs_on_place<S>();
    const Index half = tables_.sums(), size = dual ? 2 * half : half;
    place_.items(pairs_, PairForward<S>{m, v, point, pairs});
    if (dense_)
      chains_pass<std::conditional_t<dual, DualPack, PlainPack>>(m, v, shifted, with_loss);
    else
      chains_pass<std::conditional_t<dual, Dual1, Plain1>>(m, v, shifted, with_loss);
    place_.teams(pair_teams_.blocks, pair_teams_.threads,
                 PairBackward<S>::memory(size, pair_teams_.threads),
                 PairBackward<S>{m, v, point, pairs, pair_teams_.per_block, size, half, raw(sums_),
                                 shifted});
    place_.teams(size, threads_of_team, 0,
                 SumBlocks<S>{size, half, pair_teams_.blocks, loss_blocks_, raw(sums_),
                              reinterpret_cast<const S*>(raw(loss_)), raw(result_)});
  }

  template <class S>
  void evaluate(const Point& at, const Point* along, const std::vector<double>* targets,
                double count, Gradient& out, Gradient* derivative, bool with_loss) const {
    constexpr Index numbers = static_cast<Index>(sizeof(S) / sizeof(double));
    require_arrays(model_, at);
    if (along) require_arrays(model_, *along);
    const std::lock_guard guard(mutex_);
    const Attention attention = tables_.attention(at, along);
    const void* from = point_.template write<S>(at, attention, along);
    const bool shifted = needs_shifts(largest_height(at));
    const Index size = numbers * tables_.sums();
    const auto work = [&] {
      place_.upload(raw(on_place_), from, point_.template bytes<S>());
      stages<S>(targets == nullptr ? raw(targets_) : raw(batch_targets_), shifted, with_loss);
      place_.download(out_.data(), raw(result_), sizeof(double) * size_t(size));
    };
    if (targets == nullptr) {
      place_.replay(recordings_[numbers - 1][shifted][with_loss], work);
    } else {
      if (batch_targets_.empty()) batch_targets_.resize(targets_.size());
      place_.settle();
      place_.upload(raw(batch_targets_), targets->data(), targets->size() * sizeof(double));
      work();
    }
    place_.wait();
    tables_.gradient(out_.data(), count * static_cast<double>(counted_.prefixes), at, attention,
                     along, out, derivative, with_loss);
  }

  Model model_;
  ModelTables tables_;
  Statistics counted_;
  Place place_;
  bool dense_ = false;
  int count_bytes_ = 1, lanes_ = 1;
  std::size_t bytes_ = 0, slots_ = 0;
  Index threads_ = 0, pairs_ = 0, most_pairs_ = 0, tiles_ = 0, partials_ = 0, loss_blocks_ = 0;
  Index short_chunks_ = 0;
  PairTeams pair_teams_;
  std::vector<Index> chain_slot_;
  // mutable: written by a gradient while it holds the mutex, or passed on as pointers only.
  mutable std::mutex mutex_;
  mutable StagedPoint<Place> point_;
  mutable typename Place::HostMemory out_;
  mutable typename Place::Recording recordings_[2][2][2];  // dual, shifted, with loss
  mutable Vector<std::int64_t> group_pairs_, tile_entries_, segment_slot_, pair_slot_, first_lag_;
  mutable Vector<std::uint16_t> query_digits_, pair_digits_;
  mutable Vector<std::int32_t> query_existing_, pair_existing_, slot_count_, slot_stride_;
  mutable Vector<std::uint32_t> entry_pair_, masks_, pair_group_, tile_group_, gather_entry_;
  mutable Vector<std::uint8_t> entry_count_, gather_count_;
  mutable Vector<double> targets_, batch_targets_, t_, x_, e_, partial_, loss_, sums_, on_place_,
      result_, readouts_, slope_, top_;
  mutable Vector<hot::Segment> segments_;
  mutable Vector<Chunk> chunks_;
};

}  // namespace gihflow::GIHFLOW_ISA
