#include "population/tile_group.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace gihflow {

TileGroup::TileGroup(const WindowCode& code, const Statistics& s, std::span<const Index> chains) {
  std::vector<std::uint64_t> all;
  std::size_t count = 0;
  for (const Index i : chains)
    count += static_cast<std::size_t>(s.entry_begin[static_cast<std::size_t>(i) + 1] -
                                      s.entry_begin[static_cast<std::size_t>(i)]);
  all.reserve(count);
  for (const Index i : chains)
    for (Index k = s.entry_begin[static_cast<std::size_t>(i)];
         k < s.entry_begin[static_cast<std::size_t>(i) + 1]; ++k) {
      const std::uint64_t window = code.pair_key(s.key[static_cast<std::size_t>(k)]);
      if (all.empty() || all.back() != window) all.push_back(window);
    }
  std::sort(all.begin(), all.end());
  windows.assign(all.begin(), std::unique(all.begin(), all.end()));
}

void TileGroup::lay_out(const WindowCode& code, const Statistics& s, std::span<const Index> chains,
                        int lanes, int bytes) {
  const auto d = static_cast<std::uint64_t>(s.vocabulary);
  const std::size_t stride = static_cast<std::size_t>(lanes * bytes);
  // An entry's token, pair and lane as one number: 16, 32 and 16 bits, so that entries in order of
  // these numbers are in order of tokens, then pairs, then lanes.
  struct Entry {
    std::uint64_t place;
    std::uint32_t count;
    std::uint64_t token_and_pair() const { return place >> 16; }
    std::uint64_t token() const { return place >> 48; }
    std::uint32_t pair() const { return static_cast<std::uint32_t>(place >> 16); }
    std::size_t lane() const { return place & 0xffff; }
  };
  std::vector<Entry> entries;
  const Index count = static_cast<Index>(chains.size());
  for (Index first = 0; first < count; first += lanes) {
    entries.clear();
    for (int lane = 0; lane < lanes; ++lane) {
      // Unused lanes repeat the tile's first chain, so that none divides by 0.
      const Index i = chains[static_cast<std::size_t>(first + lane < count ? first + lane : first)];
      auto at = windows.begin();
      for (Index k = s.entry_begin[static_cast<std::size_t>(i)];
           k < s.entry_begin[static_cast<std::size_t>(i) + 1]; ++k) {
        const std::uint64_t key = s.key[static_cast<std::size_t>(k)], window = code.pair_key(key);
        if (*at != window) at = std::lower_bound(windows.begin(), windows.end(), window);
        const auto pair = static_cast<std::uint64_t>(at - windows.begin());
        entries.push_back({key % d << 48 | pair << 16 | static_cast<std::uint64_t>(lane),
                           s.count[static_cast<std::size_t>(k)]});
      }
    }
    std::sort(entries.begin(), entries.end(),
              [](const Entry& x, const Entry& y) { return x.place < y.place; });
    const std::size_t tile = tile_entries.size();
    tile_entries.resize(tile + static_cast<std::size_t>(d), 0);
    for (std::size_t k = 0; k < entries.size(); ++k) {
      const Entry& e = entries[k];
      if (k == 0 || e.token_and_pair() != entries[k - 1].token_and_pair()) {
        ++tile_entries[tile + e.token()];
        entry_pair.push_back(e.pair());
        entry_count.resize(entry_count.size() + stride, 0);
      }
      static_assert(std::endian::native == std::endian::little, "the low bytes must come first");
      std::memcpy(entry_count.data() + entry_count.size() - stride +
                      e.lane() * static_cast<std::size_t>(bytes),
                  &e.count, static_cast<std::size_t>(bytes));
    }
  }
}

}  // namespace gihflow
