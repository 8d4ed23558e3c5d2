#include "gihflow/record/data_hash.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>

#include "gihflow/base/parallel.hpp"
#include "gihflow/base/size.hpp"

namespace gihflow {

namespace {

constexpr Index chains_per_block = 64;
constexpr std::uint64_t fnv_prime = 0x100000001b3u;

constexpr std::uint64_t after_token(std::uint64_t state, std::uint64_t token) {
  state = (state ^ (token & 0xffu)) * fnv_prime;
  return (state ^ (token >> 8)) * fnv_prime;
}

// Tokens below four meet the two lowest bits of a state alone, and all that is above those is
// multiplied. So four tokens take a state s with the lowest bits b to s·prime⁸ + more(b, tokens):
// one multiplication to wait for instead of eight.
constexpr Index tokens_at_once = 4, few_tokens = 4;

struct FourTokens {
  std::uint64_t factor = 1;
  std::array<std::array<std::uint64_t, 256>, few_tokens> more{};  // [b, tokens of two bits each]
};

constexpr FourTokens four_tokens() {
  FourTokens table;
  for (Index byte = 0; byte < 2 * tokens_at_once; ++byte) table.factor *= fnv_prime;
  for (std::uint64_t b = 0; b < few_tokens; ++b)
    for (std::uint64_t tokens = 0; tokens < 256; ++tokens) {
      std::uint64_t state = b;
      for (Index i = 0; i < tokens_at_once; ++i) state = after_token(state, tokens >> (2 * i) & 3u);
      table.more[b][tokens] = state - b * table.factor;
    }
  return table;
}

constexpr FourTokens four = four_tokens();

}  // namespace

std::uint64_t fnv1a(std::span<const std::byte> bytes, std::uint64_t state) noexcept {
  for (const std::byte byte : bytes) {
    state = (state ^ std::to_integer<std::uint64_t>(byte)) * fnv_prime;
  }
  return state;
}

std::uint64_t fnv1a(std::uint64_t number, std::uint64_t state) noexcept {
  for (int byte = 0; byte < 8; ++byte) {
    state = (state ^ ((number >> (8 * byte)) & 0xffu)) * fnv_prime;
  }
  return state;
}

std::uint64_t chain_hash(std::span<const Token> tokens, std::span<const double> targets) {
  std::uint64_t state = fnv1a({});
  for (; tokens.size() >= tokens_at_once; tokens = tokens.subspan(tokens_at_once)) {
    const unsigned a = tokens[0], b = tokens[1], c = tokens[2], d = tokens[3];
    if ((a | b | c | d) >= few_tokens) break;
    state = state * four.factor + four.more[state % few_tokens][a | b << 2 | c << 4 | d << 6];
  }
  for (const Token token : tokens) state = after_token(state, token);
  for (const double target : targets) {
    state = fnv1a(std::bit_cast<std::uint64_t>(target), state);
  }
  return state;
}

std::string data_hash(Index vocabulary, Index length, std::span<const std::uint64_t> chains) {
  std::uint64_t state = fnv1a({});
  for (const Index size : {vocabulary, length, static_cast<Index>(chains.size())}) {
    state = fnv1a(static_cast<std::uint64_t>(size), state);
  }
  for (const std::uint64_t chain : chains) state = fnv1a(chain, state);
  return fmt::format("{:016x}", state);
}

std::string data_hash(const SequenceSource& source) {
  std::vector<std::uint64_t> chains(static_cast<std::size_t>(source.count()));
  parallel_ranges(source.count(), chains_per_block, [&](Index begin, Index end) {
    for_sequences(source, begin, end, 1, [&](Index chain, auto tokens, auto targets) {
      chains[static_cast<std::size_t>(chain)] = chain_hash(tokens, targets);
    });
  });
  return data_hash(source.vocabulary(), source.length(), chains);
}

std::string kernel_hash(const Kernels& kernels) {
  std::vector<std::uint64_t> chains;
  for (Index chain = 0; chain < kernels.count; ++chain)
    chains.push_back(chain_hash({}, kernels.of_chain(chain)));
  return data_hash(kernels.vocabulary, 0, chains);
}

HashingSource::HashingSource(std::shared_ptr<const SequenceSource> source)
    : source_(std::move(source)), chains_(static_cast<std::size_t>(source_->count())) {}

void HashingSource::draw(Index chain, std::span<Token> tokens, std::span<double> targets) const {
  source_->draw(chain, tokens, targets);
  hash(chain, tokens, targets);
}

void HashingSource::draw_chains(Index first, Index count, std::span<Token> tokens,
                                std::span<double> targets) const {
  source_->draw_chains(first, count, tokens, targets);
  const std::size_t columns = tokens.size() / size(count), numbers = targets.size() / size(count);
  for (std::size_t i = 0; i < size(count); ++i)
    hash(first + static_cast<Index>(i), tokens.subspan(i * columns, columns),
         targets.subspan(i * numbers, numbers));
}

void HashingSource::hash(Index chain, std::span<const Token> tokens,
                         std::span<const double> targets) const {
  // Hashes only the law of the last label, so that the hash does not depend on the number of laws.
  chains_[size(chain)] = chain_hash(tokens, targets.last(size(vocabulary())));
}

std::string HashingSource::hash() const {
  return data_hash(source_->vocabulary(), source_->length(), chains_);
}

}  // namespace gihflow
