#include "population/tiled_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "gihflow/base/parallel.hpp"
#include "population/features.hpp"
#include "population/tile_group.hpp"

namespace gihflow {

namespace {

/// Estimated cost of an entry of a tile of eight chains, and of the features of a window pair,
/// which every segment of a group computes again; an entry of a single chain costs 1.
constexpr double dense_entry_cost = 2.0;
constexpr double pair_cost = 15.0;
/// The cost of an entry by which a layout is chosen: with a table of windows, of which chains then
/// have more, tiles of eight chains pay earlier.
double dense_entry_cost_of(const Model& model) {
  return has_relative_features(model) ? dense_entry_cost : 1.5;
}
/// A group in which at least this share of all windows occurs has all of them as its pairs: packs
/// of pairs are then packs of the table.
constexpr double whole_share = 0.5;
/// A block costs at least this much, so that starting threads costs little in comparison.
constexpr double least_block_cost = 2000.0;

int count_bytes_of(const Statistics& s) {
  const std::uint32_t most =
      s.count.empty() ? 0 : *std::max_element(s.count.begin(), s.count.end());
  return most <= 0xff ? 1 : most <= 0xffff ? 2 : 4;
}

Arrangement arrange(const Model& model, const Statistics& s, int lanes) {
  Arrangement sparse(s);
  if (lanes == 1) return sparse;
  Arrangement dense = sparse;
  dense.gather(s, lanes != 0 ? lanes : 8);
  const bool pays = dense_entry_cost_of(model) * static_cast<double>(dense.entries) <=
                    static_cast<double>(s.key.size());
  // sparse is what lanes = 1 gives, so that the bits are the same, asked for or chosen by cost.
  return lanes != 0 || pays ? dense : sparse;
}

/// Upper bounds of the sizes of a layout.
struct Sizes {
  double chains, counted, windows, groups, pairs, length, d, width, table;

  Sizes(const Model& model, Index chain_count, Index chain_length)
      : chains(static_cast<double>(chain_count) * static_cast<double>(model.asked(chain_length))),
        length(static_cast<double>(chain_length)),
        d(static_cast<double>(model.vocabulary)),
        width(static_cast<double>(model.used_lags().size())) {
    windows = model.window_count();
    counted = static_cast<double>(chain_count) * most_entries(model, chain_length);
    groups = std::min(chains, windows);
    const double seen = windows * (model.sees_own_token() ? d : 1.0);
    table = has_relative_features(model) ? 0.0 : 1.0;
    const double occurring = table > 0.0 ? counted / whole_share : counted;
    pairs = std::min(occurring, groups * seen) + hot::pack * groups;
  }
};

/// Upper bounds in bytes of a layout with at most `most` entries, and of its construction.
MemoryBound layout_memory(const Sizes& size, double most, int lanes) {
  const double count_bytes = size.length <= 255.0 ? 1.0 : size.length <= 65535.0 ? 2.0 : 4.0;
  const double tiles = std::min(size.chains, size.chains / lanes + size.groups);
  // The lanes of a tile share its entries, of which each window has at most one per token.
  const double entries = std::min(most, tiles * size.windows * size.d);
  const double tile_entries = 8.0 * tiles * size.d;
  const double of_groups =
      entries * (4.0 + lanes * count_bytes) + 8.0 * size.pairs + tile_entries + 200.0 * size.groups;
  MemoryBound bound;
  bound.kept = entries * (4.0 + lanes * count_bytes) + tile_entries +
               (2.0 * size.width + 4.0) * size.pairs +
               tiles * (8.0 * size.d * lanes + 8.0 + sizeof(hot::Segment) + 8.0) +
               size.table * (28.0 * size.pairs + 16.0 * entries / pair_cost +
                             (2.0 * size.width + 18.0) * std::min(size.counted, size.pairs)) +
               size.groups * (2.0 * size.width + 20.0) + size.chains * (8.0 * size.d + 8.0);
  if (lanes > 1 && size.table == 0.0)  // the chains of every lane, for standard errors
    bound.kept += 8.0 * lanes * tiles + 8.0 * (size.d + 2.0) * size.chains;
  // Arrays of a group grow by doubling; a tile's entries are sorted on each thread.
  const double tile = threads() * 16.0 * lanes * std::min(size.length, size.windows * size.d);
  bound.peak = std::max(12.0 * size.counted + 1.5 * of_groups + 8.0 * size.counted / lanes + tile,
                        of_groups + bound.kept) +
               40.0 * size.chains;
  return bound;
}

}  // namespace

TableSizes table_sizes(const Model& model, Index chains, Index length) {
  const Sizes size(model, chains, length);
  const double seen = size.windows * (model.sees_own_token() ? size.d : 1.0);
  TableSizes table;
  table.rows = std::min(seen, size.counted) + size.groups;
  // A segment costs at least twice its pairs, see cut_blocks.
  table.segment_pairs =
      size.pairs +
      (dense_entry_cost * size.counted + 4.0 * size.d * size.chains) / (2.0 * pair_cost);
  table.segments = size.groups + table.segment_pairs / hot::pack;
  return table;
}

MemoryBound statistics_memory(const Model& model, Index chains, Index length, int lanes) {
  const Sizes size(model, chains, length);
  const auto at_most = [](const MemoryBound& x, const MemoryBound& y) {
    return MemoryBound{std::max(x.peak, y.peak), std::max(x.kept, y.kept)};
  };
  MemoryBound bound;
  if (lanes <= 1) bound = layout_memory(size, size.counted, 1);
  if (lanes == 0)  // tiles of eight only where they pay
    bound = at_most(bound, layout_memory(size, size.counted / dense_entry_cost_of(model), 8));
  if (lanes > 1) bound = layout_memory(size, size.counted, lanes);
  const double table = 4.0 * 65536.0,
               drawn = 2.0 * static_cast<double>(drawn_together(length, 0)) * (size.length + 1.0),
               per_thread = drawn + 8.0 * (size.length + 1.0) + table;
  const double targets = 8.0 * size.chains * (size.d + 4.0);
  const double counting = 30.0 * size.counted + threads() * per_thread + targets;
  const double gathering = lanes == 1 ? 0.0 : (12.0 + 20.0) * size.counted + targets;
  const MemoryBound list = window_list_memory(model, chains, length);
  bound.peak =
      std::max(list.peak, list.kept + std::max({bound.peak + targets, counting, gathering}));
  bound.kept += list.kept;
  return bound;
}

TiledStatistics::TiledStatistics(const Model& model, Statistics&& s, int lanes, Index blocks)
    : code_(model, s.occurring), table_(!has_relative_features(model)) {
  lay_out(model, s, arrange(model, s, lanes), &s, blocks);
}

TiledStatistics::TiledStatistics(const Model& model, const Statistics& s, int lanes, Index blocks)
    : code_(model, s.occurring), table_(!has_relative_features(model)) {
  lay_out(model, s, arrange(model, s, lanes), nullptr, blocks);
}

TiledStatistics::TiledStatistics(const Model& model, const Statistics& s, Arrangement arrangement)
    : code_(model, s.occurring) {
  lay_out(model, s, std::move(arrangement), nullptr, blocks_of_all);
}

void TiledStatistics::lay_out(const Model& model, const Statistics& s, Arrangement&& arrangement,
                              Statistics* free, Index blocks) {
  const Index d = vocabulary_ = model.vocabulary;
  lanes_ = arrangement.lanes;
  count_bytes_ = count_bytes_of(s);
  distinct_ = static_cast<Index>(arrangement.chains.size());

  std::vector<std::unique_ptr<TileGroup>> groups(static_cast<std::size_t>(arrangement.groups()));
  parallel_blocks(arrangement.groups(), [&](Index g) {
    groups[static_cast<std::size_t>(g)] =
        std::make_unique<TileGroup>(code_, s, arrangement.group(g));
  });
  if (table_) share_windows(groups);
  parallel_blocks(arrangement.groups(), [&](Index g) {
    groups[static_cast<std::size_t>(g)]->lay_out(code_, s, arrangement.group(g), lanes_,
                                                 count_bytes_);
  });
  if (free != nullptr) {
    free->key = {};
    free->count = {};
  }

  std::size_t entries = 0, pairs = 0, tile_tokens = 1;
  for (const auto& group : groups) {
    entries += group->entry_pair.size();
    pairs += (group->windows.size() + hot::pack - 1) / hot::pack * hot::pack;
    tile_tokens += group->tile_entries.size();
  }
  entry_pair_.reserve(entries);
  entry_count_.reserve(entries * static_cast<std::size_t>(lanes_ * count_bytes_));
  if (table_) {
    pair_window_.reserve(pairs);
  } else {
    pair_digits_.reserve(pairs * static_cast<std::size_t>(code_.width()));
    pair_existing_.reserve(pairs);
  }
  tile_entries_.reserve(tile_tokens);
  tile_group_.reserve(tile_tokens / static_cast<std::size_t>(d));
  group_pairs_.assign(1, 0);
  group_tiles_.assign(1, 0);
  tile_entries_.assign(1, 0);
  chain_slot_.resize(static_cast<std::size_t>(s.chains));
  for (Index g = 0; g < arrangement.groups(); ++g) {
    const std::span<const Index> chains = arrangement.group(g);
    for (std::size_t k = 0; k < chains.size(); ++k)
      chain_slot_[static_cast<std::size_t>(chains[k])] =
          group_tiles_.back() * lanes_ + static_cast<Index>(k);
    append(s.query[static_cast<std::size_t>(chains[0])],
           std::move(*groups[static_cast<std::size_t>(g)]));
    groups[static_cast<std::size_t>(g)].reset();
  }

  targets_.assign(static_cast<std::size_t>(tiles() * d * lanes_), 0.0);
  if (free != nullptr)
    chain_targets_ = std::move(free->targets);
  else
    chain_targets_ = s.targets;
  for (Index chain = 0; chain < s.chains; ++chain) {
    const Index alike = arrangement.alike[static_cast<std::size_t>(chain)];
    const Index slot = chain_slot_[static_cast<std::size_t>(alike)];
    chain_slot_[static_cast<std::size_t>(chain)] = slot;
    add_targets(chain, targets_.data() + slot / lanes_ * d * lanes_);
  }
  cut_blocks(blocks);
  if (table_) index_windows();
}

void TiledStatistics::append(std::uint64_t query, TileGroup&& group) {
  const Index d = vocabulary_, width = code_.width();
  const auto existing = [&](const std::uint16_t* digits) {
    std::int32_t n = 0;
    while (n < width && digits[n] < d) ++n;
    return n;
  };
  const Index windows = static_cast<Index>(group.windows.size());
  const Index pairs = (windows + hot::pack - 1) / hot::pack * hot::pack;
  const auto window_of_pair = [&](Index j) {
    return group.windows[static_cast<std::size_t>(std::min(j, windows - 1))];
  };
  if (table_) {
    queries_.push_back(query);
    auto row = table_keys_.begin();
    for (Index j = 0; j < pairs; ++j) {
      row = std::lower_bound(row, table_keys_.end(), window_of_pair(j));
      pair_window_.push_back(static_cast<std::uint32_t>(row - table_keys_.begin()));
    }
  } else {
    std::vector<std::uint16_t> digits(static_cast<std::size_t>(width));
    code_.digits(query, digits.data());
    query_digits_.insert(query_digits_.end(), digits.begin(), digits.end());
    query_existing_.push_back(existing(digits.data()));
    const std::size_t base = pair_digits_.size();
    pair_digits_.resize(base + static_cast<std::size_t>(pairs * width));
    for (Index j = 0; j < pairs; ++j) {
      code_.digits(window_of_pair(j), digits.data());
      for (Index lag = 0; lag < width; ++lag)
        pair_digits_[base + static_cast<std::size_t>((j / hot::pack * width + lag) * hot::pack +
                                                     j % hot::pack)] =
            digits[static_cast<std::size_t>(lag)];
      pair_existing_.push_back(existing(digits.data()));
    }
  }
  most_pairs_ = std::max(most_pairs_, pairs);
  group_pairs_.push_back(group_pairs_.back() + pairs);
  for (const std::int64_t n : group.tile_entries) tile_entries_.push_back(tile_entries_.back() + n);
  entry_pair_.insert(entry_pair_.end(), group.entry_pair.begin(), group.entry_pair.end());
  entry_count_.insert(entry_count_.end(), group.entry_count.begin(), group.entry_count.end());
  const std::size_t tiles = group.tile_entries.size() / static_cast<std::size_t>(d);
  tile_group_.insert(tile_group_.end(), tiles, static_cast<Index>(group_tiles_.size()) - 1);
  group_tiles_.push_back(group_tiles_.back() + static_cast<Index>(tiles));
}

/// Makes the table of the windows of all groups; a group that has at least whole_share of them gets
/// all of them as its pairs.
void TiledStatistics::share_windows(std::vector<std::unique_ptr<TileGroup>>& groups) {
  for (const auto& group : groups)
    table_keys_.insert(table_keys_.end(), group->windows.begin(), group->windows.end());
  std::sort(table_keys_.begin(), table_keys_.end());
  table_keys_.erase(std::unique(table_keys_.begin(), table_keys_.end()), table_keys_.end());
  for (const auto& group : groups)
    if (static_cast<double>(group->windows.size()) >=
        whole_share * static_cast<double>(table_keys_.size()))
      group->windows = table_keys_;
}

/// Gives every query its row in the table. Finds the segments whose pairs are all windows of the
/// table, and for every window its pairs in the other segments, in the order of segments and pairs.
void TiledStatistics::index_windows() {
  const auto table = static_cast<std::int64_t>(table_keys_.size());
  const std::int64_t first_query = (table + hot::pack - 1) / hot::pack * hot::pack;
  for (std::size_t g = 0; g < queries_.size(); ++g)
    query_window_.push_back(static_cast<std::uint32_t>(first_query + static_cast<Index>(g)));

  const auto pairs_of = [&](std::size_t group) {
    return group_pairs_[group + 1] - group_pairs_[group];
  };
  segment_pairs_.assign(1, 0);
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const auto group = static_cast<std::size_t>(segments_[i].group);
    segment_pairs_.push_back(segment_pairs_.back() + pairs_of(group));
    // Windows increase along pairs, the last one repeated to fill a pack: as many pairs as padded
    // rows are the whole table if its last two windows stand in the last two rows.
    const std::uint32_t* window = pair_window_.data() + group_pairs_[group];
    if (pairs_of(group) != first_query || window[table - 1] + 1 != table ||
        (table > 1 && window[table - 2] + 2 != table))
      continue;
    whole_segments_.push_back(static_cast<std::int64_t>(i));
    whole_queries_.push_back(static_cast<std::uint32_t>(group));
  }
  // Visits every pair of the other segments except those that only fill a pack.
  const auto visit = [&](auto use) {
    auto whole = whole_segments_.begin();
    for (std::size_t i = 0; i < segments_.size(); ++i) {
      if (whole != whole_segments_.end() && *whole == static_cast<std::int64_t>(i)) {
        ++whole;
        continue;
      }
      const auto group = static_cast<std::size_t>(segments_[i].group);
      const std::int64_t first = group_pairs_[group];
      for (std::int64_t j = 0; j < pairs_of(group); ++j) {
        const std::size_t pair = static_cast<std::size_t>(first + j);
        if (j > 0 && pair_window_[pair] == pair_window_[pair - 1]) break;
        use(pair_window_[pair], segment_pairs_[i] + j, group);
      }
    }
  };
  window_uses_begin_.assign(table_keys_.size() + 1, 0);
  visit([&](std::uint32_t window, std::int64_t, std::size_t) { ++window_uses_begin_[window + 1]; });
  for (std::size_t i = 1; i < window_uses_begin_.size(); ++i)
    window_uses_begin_[i] += window_uses_begin_[i - 1];
  window_uses_.resize(static_cast<std::size_t>(window_uses_begin_.back()));
  std::vector<std::int64_t> next(window_uses_begin_.begin(), window_uses_begin_.end() - 1);
  visit([&](std::uint32_t window, std::int64_t slot, std::size_t group) {
    window_uses_[static_cast<std::size_t>(next[window]++)] = {static_cast<std::uint32_t>(group),
                                                              slot};
  });
}

void TiledStatistics::cut_blocks(Index blocks) {
  double entry_cost = lanes_ > 1 ? dense_entry_cost : 1.0;
  double total =
      entry_cost * static_cast<double>(entries()) + pair_cost * static_cast<double>(pairs());
  const double target = std::max(least_block_cost, total / static_cast<double>(blocks));
  auto cost_of = [&](Index begin, Index end) {  // of the tiles, without the group's pairs
    const Index entries = tile_entries_[static_cast<std::size_t>(end * vocabulary_)] -
                          tile_entries_[static_cast<std::size_t>(begin * vocabulary_)];
    return entry_cost * static_cast<double>(entries) +
           4.0 * static_cast<double>(vocabulary_ * (end - begin));
  };
  double cost = 0.0;
  block_begin_.assign(1, 0);
  for (std::size_t g = 0; g + 1 < group_tiles_.size(); ++g) {
    group_segments_.push_back(static_cast<Index>(segments_.size()));
    const double pairs_cost =
        pair_cost * static_cast<double>(group_pairs_[g + 1] - group_pairs_[g]);
    const Index first = group_tiles_[g], last = group_tiles_[g + 1];
    const double tiles_cost = cost_of(first, last);
    // Every segment computes the group's pairs again: its tiles have to cost as much as a block,
    // and twice as much as the pairs.
    const double pieces =
        std::max(1.0, std::floor(tiles_cost / std::max(target, 2.0 * pairs_cost)));
    for (Index begin = first; begin < last;) {
      Index end = begin + 1;
      while (end < last && cost_of(begin, end) < tiles_cost / pieces) ++end;
      segments_.push_back({static_cast<Index>(g), begin, end});
      cost += pairs_cost + cost_of(begin, end);
      begin = end;
      if (cost >= target) {
        block_begin_.push_back(static_cast<Index>(segments_.size()));
        cost = 0.0;
      }
    }
  }
  group_segments_.push_back(static_cast<Index>(segments_.size()));
  if (block_begin_.back() != static_cast<Index>(segments_.size()))
    block_begin_.push_back(static_cast<Index>(segments_.size()));
}

std::size_t TiledStatistics::memory() const {
  auto bytes = [](const auto& v) { return v.size() * sizeof(v[0]); };
  return bytes(group_pairs_) + bytes(group_tiles_) + bytes(query_digits_) + bytes(pair_digits_) +
         bytes(queries_) + bytes(table_keys_) + bytes(pair_window_) + bytes(query_window_) +
         bytes(segment_pairs_) + bytes(window_uses_begin_) + bytes(window_uses_) +
         bytes(whole_segments_) + bytes(whole_queries_) + bytes(query_existing_) +
         bytes(pair_existing_) + bytes(tile_entries_) + bytes(entry_pair_) + bytes(entry_count_) +
         bytes(targets_) + bytes(tile_group_) + bytes(chain_targets_) + bytes(chain_slot_) +
         bytes(segments_) + bytes(group_segments_) + bytes(block_begin_) + code_.memory();
}

hot::StatisticsView TiledStatistics::view() const {
  return {group_pairs_.data(),
          group_tiles_.data(),
          query_digits_.data(),
          query_existing_.data(),
          pair_digits_.data(),
          pair_existing_.data(),
          tile_entries_.data(),
          entry_pair_.data(),
          entry_count_.data(),
          targets_.data(),
          tiles() * vocabulary_ > hot::remembered_lists,
          most_pairs_,
          pair_window_.data(),
          query_window_.data(),
          table_ ? segment_pairs_.data() : nullptr};
}

hot::PullTask TiledStatistics::pull_task() const {
  hot::PullTask task{};
  task.windows = static_cast<std::int64_t>(table_keys_.size());
  task.segment_pairs = segment_pairs_.data();
  task.whole_segments = static_cast<std::int64_t>(whole_segments_.size());
  task.whole_segment = whole_segments_.data();
  task.whole_query = whole_queries_.data();
  task.uses_begin = window_uses_begin_.data();
  task.uses = window_uses_.data();
  return task;
}

}  // namespace gihflow
