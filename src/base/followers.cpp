#include "base/followers.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "gihflow/base/size.hpp"

namespace gihflow {

namespace {

// Positions that are compared at once, so many as a register's lanes can count.
constexpr Index block = 256;
// Vocabularies up to this are counted token by token, in vector instructions.
constexpr std::size_t widest_count = 16;

using Lanes = std::array<std::uint16_t, size(block)>;  // all bits set: the position counts

// Positions begin … begin + block − 1; some may be beyond the end.
void keep_equal(const Token* tokens, Token wanted, Lanes& match) {
#pragma omp simd
  for (Index i = 0; i < block; ++i)
    match[size(i)] &= static_cast<std::uint16_t>(-(tokens[i] == wanted));
}

// How many of them are this token.
Index matches_of(const Token* tokens, Token token, const Lanes& match) {
  std::uint16_t count = 0;
#pragma omp simd reduction(+ : count)
  for (Index i = 0; i < block; ++i)
    count = static_cast<std::uint16_t>(count + (match[size(i)] & (tokens[i] == token ? 1u : 0u)));
  return count;
}

}  // namespace

void count_followers(std::span<const Token> tokens, Index begin, Index end, Index at,
                     std::span<const Index> lags, std::span<Index> counts) {
  for (; counts.size() <= widest_count && begin + block <= end; begin += block) {
    Lanes match;
    match.fill(0xffff);
    const Token* const from = tokens.data() + begin;
    for (const Index lag : lags) keep_equal(from - lag, tokens[size(at - lag)], match);
    for (std::size_t e = 0; e < counts.size(); ++e)
      counts[e] += matches_of(from, static_cast<Token>(e), match);
  }
  for (; begin < end; ++begin) {
    const bool same_context = std::ranges::all_of(
        lags, [&](Index lag) { return tokens[size(begin - lag)] == tokens[size(at - lag)]; });
    if (same_context) ++counts[tokens[size(begin)]];
  }
}

}  // namespace gihflow
