#include "population/statistics.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <compare>
#include <cstring>
#include <limits>
#include <numeric>
#include <string>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/parallel.hpp"

namespace gihflow {

WindowCode::WindowCode(const Model& model)
    : vocabulary(model.vocabulary),
      widest(model.widest()),
      partial(model.boundary == Boundary::partial),
      base(static_cast<std::uint64_t>(model.vocabulary) + (partial ? 1 : 0)),
      leading(1) {
  double bits = static_cast<double>(widest) * std::log2(static_cast<double>(base)) +
                std::log2(static_cast<double>(vocabulary));
  if (bits > 62.0)
    throw InputError("window " + std::to_string(model.window) + ": the widest lag " +
                     std::to_string(widest) + " over a vocabulary of " +
                     std::to_string(vocabulary) +
                     " gives more than 2^62 pairs of window and token; use a smaller window");
  for (Index i = 1; i < widest; ++i) leading *= base;
}

std::uint64_t WindowCode::blank() const {
  std::uint64_t window = 0;
  for (Index i = 0; i < widest; ++i) window = window * base + (partial ? base - 1 : 0);
  return window;
}

void WindowCode::digits(std::uint64_t window, std::uint16_t* out) const {
  for (Index j = widest; j-- > 0; window /= base)
    out[j] = static_cast<std::uint16_t>(window % base);
}

namespace {

/// Counts keys below this bound in a table instead of sorting them.
constexpr std::uint64_t table_limit = 1u << 16;
constexpr Index chains_per_block = 64;

/// n(Z,e) of one sequence, appended in increasing order of keys.
class Counter {
 public:
  Counter(const WindowCode& code, Index length) : code_(code), length_(length) {
    double keys = std::pow(static_cast<double>(code.base), static_cast<double>(code.widest)) *
                  static_cast<double>(code.vocabulary);
    if (keys <= static_cast<double>(table_limit)) table_.assign(static_cast<std::size_t>(keys), 0);
  }

  std::uint64_t count(std::span<const Token> tokens, std::vector<std::uint64_t>& key,
                      std::vector<std::uint32_t>& count) {
    std::uint64_t window = code_.blank();
    std::uint64_t d = static_cast<std::uint64_t>(code_.vocabulary);
    Index first = code_.partial ? 0 : code_.widest;  // masked: positions l > W only
    seen_.clear();
    for (Index l = 0; l < length_; ++l) {
      Token x = tokens[static_cast<std::size_t>(l)];
      if (l >= first) {
        std::uint64_t k = window * d + x;
        if (table_.empty() || table_[k]++ == 0) seen_.push_back(k);
      }
      window = code_.next(window, x);
    }
    std::sort(seen_.begin(), seen_.end());
    if (!table_.empty()) {
      for (std::uint64_t k : seen_) {
        key.push_back(k);
        count.push_back(table_[k]);
        table_[k] = 0;
      }
    } else {
      for (std::size_t i = 0; i < seen_.size();) {
        std::size_t j = i;
        while (j < seen_.size() && seen_[j] == seen_[i]) ++j;
        key.push_back(seen_[i]);
        count.push_back(static_cast<std::uint32_t>(j - i));
        i = j;
      }
    }
    return window;
  }

 private:
  const WindowCode& code_;
  Index length_;
  std::vector<std::uint32_t> table_;
  std::vector<std::uint64_t> seen_;
};

}  // namespace

Statistics count_windows(const Model& model, const SequenceSource& source) {
  const WindowCode code(model);
  const Index chains = source.count(), length = source.length(), d = source.vocabulary();
  Statistics all;
  all.chains = chains;
  all.query.resize(static_cast<std::size_t>(chains));
  all.targets.resize(static_cast<std::size_t>(chains * d));
  std::vector<Index> entries(static_cast<std::size_t>(chains));

  struct Part {
    std::vector<std::uint64_t> key;
    std::vector<std::uint32_t> count;
  };
  Index parts_count = (chains + chains_per_block - 1) / chains_per_block;
  std::vector<Part> parts(static_cast<std::size_t>(parts_count));
  parallel_ranges(chains, chains_per_block, [&](Index begin, Index end) {
    Part& part = parts[static_cast<std::size_t>(begin / chains_per_block)];
    Counter counter(code, length);
    std::vector<Token> tokens(static_cast<std::size_t>(length + 1));
    for (Index i = begin; i < end; ++i) {
      std::span<double> targets(all.targets.data() + i * d, static_cast<std::size_t>(d));
      source.draw(i, tokens, targets);
      std::size_t before = part.key.size();
      all.query[static_cast<std::size_t>(i)] = counter.count(tokens, part.key, part.count);
      entries[static_cast<std::size_t>(i)] = static_cast<Index>(part.key.size() - before);
    }
  });

  all.entry_begin.assign(1, 0);
  all.entry_begin.reserve(static_cast<std::size_t>(chains + 1));
  for (Index n : entries) all.entry_begin.push_back(all.entry_begin.back() + n);
  all.key.reserve(static_cast<std::size_t>(all.entry_begin.back()));
  all.count.reserve(static_cast<std::size_t>(all.entry_begin.back()));
  for (Part& part : parts) {
    all.key.insert(all.key.end(), part.key.begin(), part.key.end());
    all.count.insert(all.count.end(), part.count.begin(), part.count.end());
    part = Part();
  }
  return all;
}

namespace {

/// Estimated cost of one entry of a tile relative to one of a single chain (benchmarks README), and
/// of the features of a window pair, which every segment of a group computes again.
constexpr double dense_entry_cost = 2.0;
constexpr double pair_cost = 15.0;
/// A block is at least this much work, so that the cost of starting threads is small.
constexpr double least_block_cost = 2000.0;
constexpr double most_blocks = 256.0;

/// Among how many of the next chains each lane of a tile finds its own.
constexpr Index look_ahead = 64;

/// Reorders the chains of a group so that the chains of every tile share many entries: after the
/// first one, each is that among the next which adds the fewest entries for those that it shares.
void gather_alike(const Statistics& s, std::span<Index> chains, int lanes) {
  auto keys_of = [&](Index i) {
    return std::span(s.key.begin() + s.entry_begin[static_cast<std::size_t>(i)],
                     s.key.begin() + s.entry_begin[static_cast<std::size_t>(i) + 1]);
  };
  std::vector<std::uint64_t> keys;  // of the whole group
  for (Index i : chains) keys.insert(keys.end(), keys_of(i).begin(), keys_of(i).end());
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  std::vector<Index> begin{0};  // each chain's own keys, as numbers in `keys`
  std::vector<std::uint32_t> number;
  for (Index i : chains) {
    auto at = keys.begin();
    for (std::uint64_t key : keys_of(i)) {
      at = std::lower_bound(at, keys.end(), key);
      number.push_back(static_cast<std::uint32_t>(at - keys.begin()));
    }
    begin.push_back(static_cast<Index>(number.size()));
  }
  auto numbers_of = [&](std::size_t k) {
    return std::span(number.begin() + begin[k], number.begin() + begin[k + 1]);
  };

  std::vector<char> in_tile(keys.size());
  std::vector<std::size_t> place(chains.size());  // the chains in their new order
  std::iota(place.begin(), place.end(), std::size_t{0});
  for (auto next = place.begin(); next != place.end(); ++next) {
    const bool opens_tile = (next - place.begin()) % lanes == 0;
    if (opens_tile) std::fill(in_tile.begin(), in_tile.end(), 0);
    auto best = next;
    Index least = std::numeric_limits<Index>::max();
    const Index count = opens_tile ? 1 : std::min(look_ahead, place.end() - next);
    for (auto at = next; at != next + count; ++at) {
      Index cost = 0;
      for (std::uint32_t n : numbers_of(*at)) cost += in_tile[n] ? -1 : 1;
      if (cost < least) least = cost, best = at;
    }
    for (std::uint32_t n : numbers_of(*best)) in_tile[n] = 1;
    std::rotate(next, best, best + 1);  // those passed over keep their order
  }
  const std::vector<Index> before(chains.begin(), chains.end());
  for (std::size_t k = 0; k < place.size(); ++k) chains[k] = before[place[k]];
}

struct GroupLayout {
  std::vector<std::uint64_t> windows;      // distinct Z, increasing
  std::vector<std::int64_t> tile_entries;  // [tiles, d] number of entries
  std::vector<std::uint32_t> entry_pair;
  std::vector<std::uint32_t> entry_count;  // [entries, lanes]
};

GroupLayout lay_out_group(const Statistics& s, std::span<const Index> chains, Index d, int lanes) {
  GroupLayout g;
  for (Index i : chains)
    for (Index k = s.entry_begin[static_cast<std::size_t>(i)];
         k < s.entry_begin[static_cast<std::size_t>(i) + 1]; ++k)
      g.windows.push_back(s.key[static_cast<std::size_t>(k)] / static_cast<std::uint64_t>(d));
  std::sort(g.windows.begin(), g.windows.end());
  g.windows.erase(std::unique(g.windows.begin(), g.windows.end()), g.windows.end());

  struct Entry {
    std::uint32_t token, pair, lane, count;
  };
  std::vector<Entry> entries;
  Index count = static_cast<Index>(chains.size());
  for (Index first = 0; first < count; first += lanes) {
    entries.clear();
    for (int lane = 0; lane < lanes; ++lane) {
      // Padding repeats the first chain, so that every lane divides by a positive denominator.
      Index i = chains[static_cast<std::size_t>(first + lane < count ? first + lane : first)];
      for (Index k = s.entry_begin[static_cast<std::size_t>(i)];
           k < s.entry_begin[static_cast<std::size_t>(i) + 1]; ++k) {
        std::uint64_t key = s.key[static_cast<std::size_t>(k)];
        std::uint64_t window = key / static_cast<std::uint64_t>(d);
        auto at = std::lower_bound(g.windows.begin(), g.windows.end(), window);
        entries.push_back({static_cast<std::uint32_t>(key % static_cast<std::uint64_t>(d)),
                           static_cast<std::uint32_t>(at - g.windows.begin()),
                           static_cast<std::uint32_t>(lane), s.count[static_cast<std::size_t>(k)]});
      }
    }
    std::sort(entries.begin(), entries.end(), [](const Entry& x, const Entry& y) {
      return std::tie(x.token, x.pair, x.lane) < std::tie(y.token, y.pair, y.lane);
    });
    std::size_t tile = g.tile_entries.size();
    g.tile_entries.resize(tile + static_cast<std::size_t>(d), 0);
    for (std::size_t k = 0; k < entries.size(); ++k) {
      const Entry& e = entries[k];
      if (k == 0 || e.token != entries[k - 1].token || e.pair != entries[k - 1].pair) {
        ++g.tile_entries[tile + e.token];
        g.entry_pair.push_back(e.pair);
        g.entry_count.resize(g.entry_count.size() + static_cast<std::size_t>(lanes), 0);
      }
      g.entry_count[g.entry_count.size() - static_cast<std::size_t>(lanes) + e.lane] = e.count;
    }
  }
  return g;
}

}  // namespace

TiledStatistics::TiledStatistics(const Model& model, Statistics s, int lanes)
    : vocabulary_(model.vocabulary) {
  const WindowCode code(model);
  const Index d = vocabulary_, width = model.widest();

  // Chains by query; within a group those that visit the same entries stand together, so that a
  // tile's lanes share theirs, and among them those with the same counts, so that they share a
  // lane.
  std::vector<Index> order(static_cast<std::size_t>(s.chains));
  std::iota(order.begin(), order.end(), Index{0});
  auto of_chain = [&](const auto& entries, Index i) {
    std::size_t begin = static_cast<std::size_t>(s.entry_begin[static_cast<std::size_t>(i)]);
    std::size_t end = static_cast<std::size_t>(s.entry_begin[static_cast<std::size_t>(i) + 1]);
    return std::span(entries).subspan(begin, end - begin);
  };
  std::sort(order.begin(), order.end(), [&](Index i, Index j) {
    std::uint64_t qi = s.query[static_cast<std::size_t>(i)],
                  qj = s.query[static_cast<std::size_t>(j)];
    if (qi != qj) return qi < qj;
    auto keys = std::lexicographical_compare_three_way(
        of_chain(s.key, i).begin(), of_chain(s.key, i).end(), of_chain(s.key, j).begin(),
        of_chain(s.key, j).end());
    if (std::is_neq(keys)) return std::is_lt(keys);
    auto counts = std::lexicographical_compare_three_way(
        of_chain(s.count, i).begin(), of_chain(s.count, i).end(), of_chain(s.count, j).begin(),
        of_chain(s.count, j).end());
    return std::is_neq(counts) ? std::is_lt(counts) : i < j;
  });
  std::vector<Index> first_alike;  // of every chain that differs from the one before, in this order
  std::vector<Index> first_of(order.size());  // of every chain, the one it is alike
  for (std::size_t i = 0; i < order.size(); ++i) {
    bool alike = false;
    if (i > 0) {
      const Index x = first_alike.back(), y = order[i];
      alike = s.query[static_cast<std::size_t>(x)] == s.query[static_cast<std::size_t>(y)] &&
              std::ranges::equal(of_chain(s.key, x), of_chain(s.key, y)) &&
              std::ranges::equal(of_chain(s.count, x), of_chain(s.count, y));
    }
    if (!alike) first_alike.push_back(order[i]);
    first_of[static_cast<std::size_t>(order[i])] = first_alike.back();
  }
  distinct_ = static_cast<Index>(first_alike.size());
  std::vector<std::span<Index>> groups;
  for (std::size_t i = 0; i < first_alike.size();) {
    std::size_t j = i;
    while (j < first_alike.size() && s.query[static_cast<std::size_t>(first_alike[j])] ==
                                         s.query[static_cast<std::size_t>(first_alike[i])])
      ++j;
    groups.push_back(std::span(first_alike).subspan(i, j - i));
    i = j;
  }

  auto lay_out = [&](int with_lanes) {
    std::vector<GroupLayout> layouts(groups.size());
    parallel_blocks(static_cast<Index>(groups.size()), [&](Index g) {
      layouts[static_cast<std::size_t>(g)] =
          lay_out_group(s, groups[static_cast<std::size_t>(g)], d, with_lanes);
    });
    return layouts;
  };
  std::vector<GroupLayout> layouts;
  if (lanes != 1) {
    const int wide = lanes != 0 ? lanes : 8;
    const std::vector<Index> sorted = first_alike;
    parallel_blocks(static_cast<Index>(groups.size()),
                    [&](Index g) { gather_alike(s, groups[static_cast<std::size_t>(g)], wide); });
    layouts = lay_out(wide);
    double dense = 0.0, sparse = static_cast<double>(s.key.size());
    for (const GroupLayout& g : layouts)
      dense += dense_entry_cost * static_cast<double>(g.entry_pair.size());
    lanes_ = lanes != 0 || dense <= sparse ? wide : 1;
    // As if one lane had been asked for: a choice by cost changes no bit.
    if (lanes_ == 1) std::copy(sorted.begin(), sorted.end(), first_alike.begin());
  } else {
    lanes_ = 1;
  }
  if (lanes_ == 1) layouts = lay_out(1);

  std::uint32_t most = s.count.empty() ? 0 : *std::max_element(s.count.begin(), s.count.end());
  count_bytes_ = most <= 0xff ? 1 : most <= 0xffff ? 2 : 4;

  group_pairs_.assign(1, 0);
  group_tiles_.assign(1, 0);
  tile_entries_.assign(1, 0);
  auto existing = [&](const std::uint16_t* digits) {
    std::int32_t n = 0;
    while (n < width && digits[n] < d) ++n;
    return n;
  };
  for (std::size_t g = 0; g < groups.size(); ++g) {
    GroupLayout& layout = layouts[g];
    std::vector<std::uint16_t> digits(static_cast<std::size_t>(width));
    code.digits(s.query[static_cast<std::size_t>(groups[g][0])], digits.data());
    query_digits_.insert(query_digits_.end(), digits.begin(), digits.end());
    query_existing_.push_back(existing(digits.data()));
    const Index windows = static_cast<Index>(layout.windows.size());
    const Index pairs = (windows + hot::pack - 1) / hot::pack * hot::pack;
    const std::size_t base = pair_digits_.size();
    pair_digits_.resize(base + static_cast<std::size_t>(pairs * width));
    for (Index j = 0; j < pairs; ++j) {
      code.digits(layout.windows[static_cast<std::size_t>(std::min(j, windows - 1))],
                  digits.data());
      for (Index lag = 0; lag < width; ++lag)
        pair_digits_[base + static_cast<std::size_t>((j / hot::pack * width + lag) * hot::pack +
                                                     j % hot::pack)] =
            digits[static_cast<std::size_t>(lag)];
      pair_existing_.push_back(existing(digits.data()));
    }
    most_pairs_ = std::max(most_pairs_, pairs);
    group_pairs_.push_back(group_pairs_.back() + pairs);
    for (std::int64_t n : layout.tile_entries) tile_entries_.push_back(tile_entries_.back() + n);
    entry_pair_.insert(entry_pair_.end(), layout.entry_pair.begin(), layout.entry_pair.end());
    for (std::uint32_t n : layout.entry_count) {
      std::uint8_t bytes[4];
      static_assert(std::endian::native == std::endian::little, "the low bytes must come first");
      std::memcpy(bytes, &n, 4);
      entry_count_.insert(entry_count_.end(), bytes, bytes + count_bytes_);
    }
    Index tiles = (static_cast<Index>(groups[g].size()) + lanes_ - 1) / lanes_;
    tile_group_.insert(tile_group_.end(), static_cast<std::size_t>(tiles), static_cast<Index>(g));
    group_tiles_.push_back(group_tiles_.back() + tiles);
    layout = GroupLayout();
  }

  chain_slot_.resize(static_cast<std::size_t>(s.chains));
  for (std::size_t g = 0; g < groups.size(); ++g)
    for (std::size_t k = 0; k < groups[g].size(); ++k)
      chain_slot_[static_cast<std::size_t>(groups[g][k])] =
          group_tiles_[g] * lanes_ + static_cast<Index>(k);
  targets_.assign(static_cast<std::size_t>(tiles() * d * lanes_), 0.0);
  chain_targets_ = std::move(s.targets);
  for (Index chain = 0; chain < s.chains; ++chain) {
    const Index slot =
        chain_slot_[static_cast<std::size_t>(first_of[static_cast<std::size_t>(chain)])];
    chain_slot_[static_cast<std::size_t>(chain)] = slot;
    for (Index e = 0; e < d; ++e)
      targets_[static_cast<std::size_t>((slot / lanes_ * d + e) * lanes_ + slot % lanes_)] +=
          targets_of(chain)[e];
  }
  cut_blocks();
}

void TiledStatistics::cut_blocks() {
  double entry_cost = lanes_ > 1 ? dense_entry_cost : 1.0;
  double total =
      entry_cost * static_cast<double>(entries()) + pair_cost * static_cast<double>(pairs());
  const double target = std::max(least_block_cost, total / most_blocks);
  auto cost_of = [&](Index begin, Index end) {  // of the tiles, without the group's pairs
    const Index entries = tile_entries_[static_cast<std::size_t>(end * vocabulary_)] -
                          tile_entries_[static_cast<std::size_t>(begin * vocabulary_)];
    return entry_cost * static_cast<double>(entries) +
           4.0 * static_cast<double>(vocabulary_ * (end - begin));
  };
  double cost = 0.0;
  block_begin_.assign(1, 0);
  for (std::size_t g = 0; g + 1 < group_tiles_.size(); ++g) {
    const double pairs_cost =
        pair_cost * static_cast<double>(group_pairs_[g + 1] - group_pairs_[g]);
    const Index first = group_tiles_[g], last = group_tiles_[g + 1];
    const double tiles_cost = cost_of(first, last);
    // Every part computes the group's pairs again: it must be worth a block, and more than its
    // pairs.
    const double parts = std::max(1.0, std::floor(tiles_cost / std::max(target, 2.0 * pairs_cost)));
    for (Index begin = first; begin < last;) {
      Index end = begin + 1;
      while (end < last && cost_of(begin, end) < tiles_cost / parts) ++end;
      segments_.push_back({static_cast<Index>(g), begin, end});
      cost += pairs_cost + cost_of(begin, end);
      begin = end;
      if (cost >= target) {
        block_begin_.push_back(static_cast<Index>(segments_.size()));
        cost = 0.0;
      }
    }
  }
  if (block_begin_.back() != static_cast<Index>(segments_.size()))
    block_begin_.push_back(static_cast<Index>(segments_.size()));
}

std::size_t TiledStatistics::memory() const {
  auto bytes = [](const auto& v) { return v.size() * sizeof(v[0]); };
  return bytes(group_pairs_) + bytes(group_tiles_) + bytes(query_digits_) + bytes(pair_digits_) +
         bytes(query_existing_) + bytes(pair_existing_) + bytes(tile_entries_) +
         bytes(entry_pair_) + bytes(entry_count_) + bytes(targets_) + bytes(tile_group_) +
         bytes(chain_targets_) + bytes(chain_slot_) + bytes(segments_) + bytes(block_begin_);
}

hot::StatisticsView TiledStatistics::view() const {
  return {group_pairs_.data(), group_tiles_.data(),   query_digits_.data(), query_existing_.data(),
          pair_digits_.data(), pair_existing_.data(), tile_entries_.data(), entry_pair_.data(),
          entry_count_.data(), targets_.data()};
}

}  // namespace gihflow
