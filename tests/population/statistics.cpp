// What counting and layout must keep of the chains, recomputed from their tokens.

#include "population/tiled_statistics.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>
#include <set>

#include "population/cases.hpp"
#include "population/engines.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

/// n(Z,e) of the first L tokens of a chain by window digits (lag 1 first, a blank is d) and token,
/// and its query.
struct Counts {
  std::map<std::pair<std::vector<int>, int>, std::uint32_t> n;
  std::vector<int> query;
};

Counts counts_of(const Model& model, const SequenceSource& source, Index chain, Index L) {
  const Index W = model.widest(), d = model.vocabulary;
  std::vector<Token> tokens(static_cast<std::size_t>(source.length() + 1));
  std::vector<double> target(static_cast<std::size_t>(d));
  source.draw(chain, tokens, target);
  const auto window = [&](Index l) {  // Z of position l, from 0
    std::vector<int> digits;
    for (const Index lag : model.used_lags()) {
      digits.push_back(l - lag >= 0 ? static_cast<int>(tokens[static_cast<std::size_t>(l - lag)])
                                    : static_cast<int>(d));
    }
    return digits;
  };
  Counts counts;
  for (Index l = model.boundary == Boundary::masked ? W : 0; l < L; ++l) {
    ++counts.n[{window(l), static_cast<int>(tokens[static_cast<std::size_t>(l)])}];
  }
  counts.query = window(L);
  return counts;
}

/// The same of one lane of a tile, read from the layout.
Counts counts_of(const Model& model, const TiledStatistics& tiled, Index slot) {
  const WindowCode& code = tiled.code();
  const Index d = model.vocabulary, W = code.width();
  const hot::StatisticsView view = tiled.view();
  const Index tile = slot / tiled.lanes(), lane = slot % tiled.lanes();
  const Index group = tiled.group_of_tile(tile);
  Counts counts;
  const bool table = view.segment_pairs != nullptr;
  const auto digits_of = [&](std::uint64_t window) {
    std::vector<std::uint16_t> digits(static_cast<std::size_t>(W));
    code.digits(window, digits.data());
    return std::vector<int>(digits.begin(), digits.end());
  };
  if (table)
    counts.query = digits_of(tiled.queries()[static_cast<std::size_t>(group)]);
  else
    for (Index lag = 0; lag < W; ++lag) counts.query.push_back(view.query_digits[group * W + lag]);
  for (Index e = 0; e < d; ++e) {
    for (auto k = view.tile_entries[tile * d + e]; k < view.tile_entries[tile * d + e + 1]; ++k) {
      std::uint32_t n = 0;
      std::memcpy(&n,
                  static_cast<const std::uint8_t*>(view.entry_count) +
                      (k * tiled.lanes() + lane) * tiled.count_bytes(),
                  static_cast<std::size_t>(tiled.count_bytes()));
      if (n == 0) continue;
      const Index pair = view.group_pairs[group] + view.entry_pair[k];
      std::vector<int> digits;
      if (table) {
        const std::uint64_t key = tiled.table_keys()[view.pair_window[pair]];
        digits = digits_of(code.window_of(key));
        CHECK(code.own_token_of(key) == (model.sees_own_token() ? e : d));
      }
      for (Index lag = 0; !table && lag < W; ++lag) {
        digits.push_back(
            view.pair_digits[(pair / hot::pack * W + lag) * hot::pack + pair % hot::pack]);
      }
      counts.n[{digits, static_cast<int>(e)}] += n;
    }
  }
  return counts;
}

}  // namespace

TEST_CASE("counts of a sequence written out by hand") {
  // d = 2, W = 2, tokens 0 1 0 1 1 | 0: windows (x_{l−1}, x_{l−2}) before positions 3, 4, 5, and
  // q = (1, 1).
  const Model model{.vocabulary = 2, .window = 2, .heads = 2, .degree = 1};
  auto sequences = std::make_shared<Sequences>();
  sequences->vocabulary = 2, sequences->length = 5, sequences->count = 1;
  sequences->tokens = {0, 1, 0, 1, 1, 0};
  const Statistics s = count_windows(model, *stored_sequences(sequences));
  // (1,0)→0, (0,1)→1, (1,0)→1 as window·2 + token, a window's lag 1 the most significant digit.
  CHECK(s.key == std::vector<std::uint64_t>{3, 4, 5});
  CHECK(s.count == std::vector<std::uint32_t>{1, 1, 1});
  CHECK(s.query == std::vector<std::uint64_t>{3});
  CHECK(s.entry_begin == std::vector<Index>{0, 3});
  CHECK(s.targets == std::vector<double>{1.0, 0.0});
}

TEST_CASE("counts of the prefixes of a sequence written out by hand") {
  // As before; the prefixes 0 1 0, 0 1 0 1 and 0 1 0 1 1, asked for 1, 1 and 0.
  Model model{.vocabulary = 2, .window = 2, .heads = 2, .degree = 1};
  model.positions = Positions::all;
  auto sequences = std::make_shared<Sequences>();
  sequences->vocabulary = 2, sequences->length = 5, sequences->count = 1;
  sequences->tokens = {0, 1, 0, 1, 1, 0};
  sequences->targets = {0.75, 0.25};
  const Statistics s = count_windows(model, *stored_sequences(sequences));
  CHECK(s.chains == 3);
  CHECK(s.prefixes == 3);
  CHECK(s.entry_begin == std::vector<Index>{0, 1, 3, 6});
  CHECK(s.key == std::vector<std::uint64_t>{4, 3, 4, 3, 4, 5});
  CHECK(s.count == std::vector<std::uint32_t>(6, 1));
  CHECK(s.query == std::vector<std::uint64_t>{1, 2, 3});
  // The label law that the file gives is that of the last one.
  CHECK(s.targets == std::vector<double>{0.0, 1.0, 0.0, 1.0, 0.75, 0.25});
}

TEST_CASE("counts of long sequences with few windows are those of every position") {
  for (const Index d : {2, 3, 5, 9})
    for (const Index window : {1, 2, 3})
      for (const Boundary boundary : {Boundary::masked, Boundary::partial})
        for (const Index length : {4, 130, 999}) {
          const Model model{
              .vocabulary = d, .window = window, .heads = 1, .degree = 1, .boundary = boundary};
          SamplingOptions options = sampling(7, length);
          options.prior.vocabulary = d;
          const auto source = sample_prior(options);
          const Statistics s = count_windows(model, *source);
          const WindowCode code(model);
          const auto digits_of = [&](std::uint64_t key) {
            std::vector<std::uint16_t> digits(static_cast<std::size_t>(window));
            code.digits(key, digits.data());
            return std::vector<int>(digits.begin(), digits.end());
          };
          CAPTURE(d);
          CAPTURE(window);
          CAPTURE(length);
          for (Index chain = 0; chain < 7; ++chain) {
            Counts found;
            const auto i = static_cast<std::size_t>(chain);
            const auto begin = s.entry_begin[i], end = s.entry_begin[i + 1];
            CHECK(std::is_sorted(s.key.begin() + begin, s.key.begin() + end));
            for (auto k = static_cast<std::size_t>(begin); k < static_cast<std::size_t>(end); ++k)
              found.n[{digits_of(s.key[k] / static_cast<std::uint64_t>(d)),
                       static_cast<int>(s.key[k] % static_cast<std::uint64_t>(d))}] += s.count[k];
            const Counts expected = counts_of(model, *source, chain, length);
            CHECK(found.n == expected.n);
            CHECK(digits_of(s.query[i]) == expected.query);
          }
        }
}

TEST_CASE("the layout in tiles keeps every count, query and target of every chain") {
  for (const Case& c : cases()) {
    const auto source = sample_prior(c.sampling);
    const Index d = c.model.vocabulary;
    const Statistics counted = count_windows(c.model, *source);
    for (const int lanes : {0, 1, 8, 32}) {
      CAPTURE(c.name);
      CAPTURE(lanes);
      const TiledStatistics tiled(c.model, counted, lanes);
      CHECK((lanes == 0 ? tiled.lanes() == 1 || tiled.lanes() == 8 : tiled.lanes() == lanes));
      std::map<Index, std::vector<double>> targets;  // of each slot, the sum over its chains
      std::set<
          std::pair<std::vector<int>, std::map<std::pair<std::vector<int>, int>, std::uint32_t>>>
          different;
      const Index asked = c.model.asked(source->length());
      REQUIRE(counted.chains == source->count() * asked);
      CHECK(static_cast<double>(counted.key.size()) <=
            static_cast<double>(source->count()) * most_entries(c.model, source->length()));
      for (Index chain = 0; chain < counted.chains; ++chain) {
        const Counts expected = counts_of(c.model, *source, chain / asked,
                                          source->length() - asked + 1 + chain % asked);
        const Counts found = counts_of(c.model, tiled, tiled.slot(chain));
        CHECK(found.n == expected.n);
        CHECK(found.query == expected.query);
        different.insert({expected.query, expected.n});
        auto& sum = targets[tiled.slot(chain)];
        sum.resize(static_cast<std::size_t>(d));
        for (Index e = 0; e < d; ++e) {
          sum[static_cast<std::size_t>(e)] += tiled.targets_of(chain)[e];
        }
      }
      CHECK(tiled.distinct() == static_cast<Index>(different.size()));
      CHECK(targets.size() == different.size());
      // T of a lane is the sum over its chains, 0 in a lane without one.
      const hot::StatisticsView view = tiled.view();
      for (Index slot = 0; slot < tiled.tiles() * tiled.lanes(); ++slot) {
        for (Index e = 0; e < d; ++e) {
          const double found =
              view.targets[(slot / tiled.lanes() * d + e) * tiled.lanes() + slot % tiled.lanes()];
          const auto sum = targets.find(slot);
          CHECK(found == (sum == targets.end() ? 0.0 : sum->second[static_cast<std::size_t>(e)]));
        }
      }
    }
  }
}

TEST_CASE("windows numbered among those that occur give the same bits") {
  for (const Case& c : cases()) {
    if (!WindowCode::by_digits(c.model)) continue;
    CAPTURE(c.name);
    const auto source = sample_prior(c.sampling);
    const Statistics by_digits = count_windows(c.model, *source),
                     listed = count_windows(c.model, *source, false);
    CHECK(by_digits.occurring == nullptr);
    REQUIRE(listed.occurring != nullptr);
    CHECK(listed.count == by_digits.count);
    const WindowCode code(c.model), of_list(c.model, listed.occurring);
    std::vector<std::uint16_t> expected(static_cast<std::size_t>(code.width())), found = expected;
    REQUIRE(listed.key.size() == by_digits.key.size());
    const auto d = static_cast<std::uint64_t>(c.model.vocabulary);
    for (std::size_t i = 0; i < listed.key.size(); ++i) {
      code.digits(by_digits.key[i] / d, expected.data());
      of_list.digits(listed.key[i] / d, found.data());
      CHECK(found == expected);
      CHECK(listed.key[i] % d == by_digits.key[i] % d);
    }
    Gradient g, h;
    const Point at = point_of(generic_point(c.model, c.a));
    make_tiled_objective(c.model, by_digits, 0)->gradient(at, g);
    make_tiled_objective(c.model, listed, 0)->gradient(at, h);
    CHECK(flat(g) == flat(h));
  }
}

TEST_CASE("blocks take every tile of every group once, and pairs come in whole packs") {
  for (const Case& c : cases()) {
    const auto source = sample_prior(c.sampling);
    const TiledStatistics tiled(c.model, count_windows(c.model, *source), 0);
    CAPTURE(c.name);
    const hot::StatisticsView view = tiled.view();
    Index most = 0;
    for (Index g = 0; g < tiled.groups(); ++g) {
      const Index pairs = view.group_pairs[g + 1] - view.group_pairs[g];
      CHECK(pairs % hot::pack == 0);
      most = std::max(most, pairs);
    }
    CHECK(tiled.most_pairs() == most);
    std::vector<int> taken(static_cast<std::size_t>(tiled.tiles()));
    for (Index block = 0; block < tiled.blocks(); ++block) {
      CHECK(tiled.segment_count(block) > 0);
      for (Index k = 0; k < tiled.segment_count(block); ++k) {
        const hot::Segment segment = tiled.segments_of(block)[k];
        for (Index tile = segment.tile_begin; tile < segment.tile_end; ++tile) {
          CHECK(tiled.group_of_tile(tile) == segment.group);
          ++taken[static_cast<std::size_t>(tile)];
        }
      }
    }
    CHECK(std::accumulate(taken.begin(), taken.end(), Index{0}) == tiled.tiles());
    CHECK(*std::max_element(taken.begin(), taken.end()) == 1);
  }
}
