#include "base/followers.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "gihflow/base/size.hpp"

namespace gihflow {

namespace {

// Positions that are compared at once: many, and few for the rest and short sequences. No more than
// a register's lanes can count.
constexpr Index many = 256, few = 32;
// Vocabularies up to this are counted token by token, in vector instructions.
constexpr std::size_t widest_count = 16;

template <Index Block>
using Lanes = std::array<std::uint16_t, size(Block)>;  // all bits set: the position counts

// Positions begin … begin + Block − 1.
template <Index Block>
void keep_equal(const Token* tokens, Token wanted, Lanes<Block>& match) {
#pragma omp simd
  for (Index i = 0; i < Block; ++i)
    match[size(i)] &= static_cast<std::uint16_t>(-(tokens[i] == wanted));
}

// How many of them are this token.
template <Index Block>
Index matches_of(const Token* tokens, Token token, const Lanes<Block>& match) {
  std::uint16_t count = 0;
#pragma omp simd reduction(+ : count)
  for (Index i = 0; i < Block; ++i)
    count = static_cast<std::uint16_t>(count + (match[size(i)] & (tokens[i] == token ? 1u : 0u)));
  return count;
}

// Counts whole blocks from `begin` on; returns where they end.
template <Index Block>
Index count_blocks(std::span<const Token> tokens, Index begin, Index end, Index at,
                   std::span<const Index> lags, std::span<Index> counts) {
  for (; begin + Block <= end; begin += Block) {
    Lanes<Block> match;
    match.fill(0xffff);
    const Token* const from = tokens.data() + begin;
    for (const Index lag : lags) keep_equal<Block>(from - lag, tokens[size(at - lag)], match);
    for (std::size_t e = 0; e < counts.size(); ++e)
      counts[e] += matches_of<Block>(from, static_cast<Token>(e), match);
  }
  return begin;
}

}  // namespace

void count_followers(std::span<const Token> tokens, Index begin, Index end, Index at,
                     std::span<const Index> lags, std::span<Index> counts) {
  if (counts.size() <= widest_count) {
    begin = count_blocks<many>(tokens, begin, end, at, lags, counts);
    begin = count_blocks<few>(tokens, begin, end, at, lags, counts);
  }
  for (; begin < end; ++begin) {
    const bool same_context = std::ranges::all_of(
        lags, [&](Index lag) { return tokens[size(begin - lag)] == tokens[size(at - lag)]; });
    if (same_context) ++counts[tokens[size(begin)]];
  }
}

}  // namespace gihflow
