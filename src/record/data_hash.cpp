#include "gihflow/record/data_hash.hpp"

#include <fmt/format.h>

#include <bit>

#include "gihflow/base/parallel.hpp"

namespace gihflow {

namespace {

constexpr Index chains_per_block = 64;
constexpr std::uint64_t fnv_prime = 0x100000001b3u;

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
  for (const Token token : tokens) {
    state = (state ^ (token & 0xffu)) * fnv_prime;
    state = (state ^ (token >> 8)) * fnv_prime;
  }
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
    std::vector<Token> tokens(static_cast<std::size_t>(source.length() + 1));
    std::vector<double> targets(static_cast<std::size_t>(source.vocabulary()));
    for (Index chain = begin; chain < end; ++chain) {
      source.draw(chain, tokens, targets);
      chains[static_cast<std::size_t>(chain)] = chain_hash(tokens, targets);
    }
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
  // Hashes only the law of the last label, so that the hash does not depend on the number of laws.
  chains_[static_cast<std::size_t>(chain)] =
      chain_hash(tokens, targets.last(static_cast<std::size_t>(vocabulary())));
}

std::string HashingSource::hash() const {
  return data_hash(source_->vocabulary(), source_->length(), chains_);
}

}  // namespace gihflow
