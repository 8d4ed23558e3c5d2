#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/chain/sequence.hpp"

namespace GIHFLOW_API gihflow {

/// 64-bit FNV-1a of `bytes`, continuing from `state` (Fowler, Noll, Vo).
std::uint64_t fnv1a(std::span<const std::byte> bytes,
                    std::uint64_t state = 0xcbf29ce484222325u) noexcept;

/// The same for a number as 64 bits, little-endian.
std::uint64_t fnv1a(std::uint64_t number, std::uint64_t state) noexcept;

/// FNV-1a of one chain: tokens [L + 1] as 16-bit, then targets [d] as IEEE binary64, both
/// little-endian.
std::uint64_t chain_hash(std::span<const Token> tokens, std::span<const double> targets);

/// Hash of data as 16 hexadecimal digits: FNV-1a of d, L and N and then every chain's hash in
/// order, all as 64-bit little-endian numbers. The hash does not depend on whether data are drawn
/// or read.
std::string data_hash(Index vocabulary, Index length, std::span<const std::uint64_t> chains);
/// Hash of all data of a source; draws every chain once, in parallel.
std::string data_hash(const SequenceSource& source);

/// Hash of kernels, the data of infinite context: data_hash with L = 0, where a chain's hash is the
/// FNV-1a of its kernel's entries as IEEE binary64, little-endian.
std::string kernel_hash(const Kernels& kernels);

/// A source that hashes the chains of another one as they are drawn, so that a pass over all chains
/// also gives the hash of the data.
class HashingSource final : public SequenceSource {
 public:
  /// Wraps `source`.
  explicit HashingSource(std::shared_ptr<const SequenceSource> source);
  Index vocabulary() const override { return source_->vocabulary(); }
  Index length() const override { return source_->length(); }
  Index count() const override { return source_->count(); }
  void draw(Index chain, std::span<Token> tokens, std::span<double> targets) const override;
  void draw_chains(Index first, Index count, std::span<Token> tokens,
                   std::span<double> targets) const override;
  std::vector<Index> parents() const override { return source_->parents(); }
  bool conditional_law(Index chain, std::span<const Token> tokens,
                       std::span<double> law) const override {
    return source_->conditional_law(chain, tokens, law);
  }
  Posterior posterior_law(std::span<const Token> tokens, std::span<double> law) const override {
    return source_->posterior_law(tokens, law);
  }

  /// Hash of the data; every chain must have been drawn.
  std::string hash() const;
  /// The hashes of the chains, [N].
  const std::vector<std::uint64_t>& hashes() const { return chains_; }

 private:
  void hash(Index chain, std::span<const Token> tokens, std::span<const double> targets) const;

  std::shared_ptr<const SequenceSource> source_;
  mutable std::vector<std::uint64_t> chains_;  // [N], each written by the draw of its own chain
};

}  // namespace gihflow
