#include "population/arrangement.hpp"

#include <algorithm>
#include <compare>
#include <limits>
#include <numeric>

#include "gihflow/base/parallel.hpp"

namespace gihflow {

namespace {

template <class T>
std::span<const T> of_chain(const Statistics& s, const std::vector<T>& entries, Index chain) {
  const auto begin = static_cast<std::size_t>(s.entry_begin[static_cast<std::size_t>(chain)]);
  const auto end = static_cast<std::size_t>(s.entry_begin[static_cast<std::size_t>(chain) + 1]);
  return std::span(entries).subspan(begin, end - begin);
}

std::uint64_t query_of(const Statistics& s, Index chain) {
  return s.query[static_cast<std::size_t>(chain)];
}

/// By query; within a group by entries, so that lanes of a tile have many in common; and chains of
/// the same entries by counts, so that those that share a lane stand together.
bool comes_before(const Statistics& s, Index i, Index j) {
  if (query_of(s, i) != query_of(s, j)) return query_of(s, i) < query_of(s, j);
  const auto compare = [](const auto& x, const auto& y) {
    return std::lexicographical_compare_three_way(x.begin(), x.end(), y.begin(), y.end());
  };
  const auto keys = compare(of_chain(s, s.key, i), of_chain(s, s.key, j));
  if (std::is_neq(keys)) return std::is_lt(keys);
  const auto counts = compare(of_chain(s, s.count, i), of_chain(s, s.count, j));
  return std::is_neq(counts) ? std::is_lt(counts) : i < j;
}

bool are_alike(const Statistics& s, Index i, Index j) {
  return query_of(s, i) == query_of(s, j) &&
         std::ranges::equal(of_chain(s, s.key, i), of_chain(s, s.key, j)) &&
         std::ranges::equal(of_chain(s, s.count, i), of_chain(s, s.count, j));
}

/// The next chain of a tile is chosen among this many.
constexpr Index look_ahead = 64;

struct Gathered {
  Index entries, windows;
};

/// Reorders the chains of a group so that the chains of every tile share many entries: after the
/// first one, the next chosen is that with the fewest new entries minus shared ones.
Gathered gather_alike(const Statistics& s, std::span<Index> chains, int lanes) {
  std::vector<std::uint64_t> keys;  // of the whole group
  std::size_t all = 0;
  for (const Index i : chains) all += of_chain(s, s.key, i).size();
  keys.reserve(all);
  std::vector<std::uint32_t> number;  // each chain's own keys, as numbers in `keys`
  number.reserve(all);
  for (const Index i : chains) {
    const auto own = of_chain(s, s.key, i);
    keys.insert(keys.end(), own.begin(), own.end());
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  std::vector<Index> begin{0};
  for (const Index i : chains) {
    auto at = keys.begin();
    for (const std::uint64_t key : of_chain(s, s.key, i)) {
      at = std::lower_bound(at, keys.end(), key);
      number.push_back(static_cast<std::uint32_t>(at - keys.begin()));
    }
    begin.push_back(static_cast<Index>(number.size()));
  }
  const auto numbers_of = [&](std::size_t k) {
    return std::span(number.begin() + begin[k], number.begin() + begin[k + 1]);
  };

  Gathered result{0, 0};
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
      for (const std::uint32_t n : numbers_of(*at)) cost += in_tile[n] ? -1 : 1;
      if (cost < least) least = cost, best = at;
    }
    for (const std::uint32_t n : numbers_of(*best)) {
      result.entries += in_tile[n] ? 0 : 1;
      in_tile[n] = 1;
    }
    std::rotate(next, best, best + 1);  // those passed over keep their order
  }
  const std::vector<Index> before(chains.begin(), chains.end());
  for (std::size_t k = 0; k < place.size(); ++k) chains[k] = before[place[k]];
  const auto d = static_cast<std::uint64_t>(s.vocabulary);
  for (std::size_t k = 0; k < keys.size(); ++k)
    result.windows += k == 0 || keys[k] / d != keys[k - 1] / d ? 1 : 0;
  return result;
}

}  // namespace

Arrangement::Arrangement(const Statistics& s) : alike(static_cast<std::size_t>(s.chains)) {
  std::vector<Index> order(alike.size());
  std::iota(order.begin(), order.end(), Index{0});
  std::sort(order.begin(), order.end(), [&](Index i, Index j) { return comes_before(s, i, j); });
  group_begin.clear();
  for (const Index i : order) {
    if (chains.empty() || !are_alike(s, chains.back(), i)) {
      if (chains.empty() || query_of(s, chains.back()) != query_of(s, i))
        group_begin.push_back(chains.size());
      chains.push_back(i);
      entries += static_cast<Index>(of_chain(s, s.key, i).size());
    }
    alike[static_cast<std::size_t>(i)] = chains.back();
  }
  group_begin.push_back(chains.size());
}

void Arrangement::gather(const Statistics& s, int with_lanes) {
  lanes = with_lanes;
  std::vector<Gathered> gathered(static_cast<std::size_t>(groups()));
  parallel_blocks(groups(), [&](Index g) {
    gathered[static_cast<std::size_t>(g)] = gather_alike(s, group(g), lanes);
  });
  entries = 0;
  for (const Gathered& g : gathered) {
    entries += g.entries;
    most_windows = std::max(most_windows, g.windows);
  }
}

}  // namespace gihflow
