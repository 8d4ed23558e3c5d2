#pragma once

// Sufficient statistics (n, q, T) of sequences, theory §4.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "gihflow/chain/sequence.hpp"
#include "gihflow/model/model.hpp"
#include "gihflow/population/objective.hpp"

namespace gihflow {

/// The digits of windows, [windows, width] in increasing order.
using WindowList = std::shared_ptr<const std::vector<std::uint16_t>>;

/// How windows Z_l, the tokens at the lags that a model uses (2.5), are numbered. Their tokens are
/// digits of base d, the smallest lag the most significant one; where windows may be partial (4.4)
/// the base is d + 1 and the digit d a blank. Windows whose numbers would not fit in 62 bits are
/// numbered in the same order among those that occur.
class WindowCode {
 public:
  /// With a list, windows are numbered by their place in it.
  explicit WindowCode(const Model& model, WindowList occurring = nullptr);
  /// Whether (base^width)·d fits in 62 bits.
  static bool by_digits(const Model& model);

  Index width() const { return static_cast<Index>(lags_.size()); }  ///< digits of a window
  std::uint64_t base() const { return base_; }
  /// The position of a lag among the digits; −1 where the model does not use it.
  Index digit_of(Index lag) const;
  bool partial() const { return partial_; }  ///< whether windows may reach before x₁
  /// Whether the number of the next window follows from that of a window by a shift and one token:
  /// lags 1 … W, numbered by their digits.
  bool consecutive() const { return consecutive_; }
  /// The window of position l ≤ L + 1.
  std::uint64_t window_before(std::span<const Token> tokens, Index l) const;
  /// The windows of all positions 1 … L + 1 from x₁ … x_L, calling use(l, window) for each.
  template <class Use>
  void visit(std::span<const Token> tokens, Use use) const {
    const Index length = static_cast<Index>(tokens.size());
    std::uint64_t window = blank();
    for (Index l = 1; l <= length + 1; ++l) {
      use(l, consecutive_ ? window : window_before(tokens, l));
      if (l <= length) window = tokens[static_cast<std::size_t>(l - 1)] * leading_ + window / base_;
    }
  }
  std::size_t memory() const {
    return occurring_ == nullptr ? 0 : occurring_->size() * sizeof(std::uint16_t);
  }
  /// The first position that takes part (2.3).
  Index first_position() const { return partial_ ? 1 : lags_.back() + 1; }
  void digits(std::uint64_t window, std::uint16_t* out) const;  ///< [width], smallest lag first
  /// The digits of Z_l, the window before x_l.
  void digits_before(std::span<const Token> tokens, Index l, std::uint16_t* out) const;

  // Keys of counts are window·d + token. The key of a pair is what features depend on: the window,
  // or where the model sees the own token (4.6) both.
  std::uint64_t pair_key(std::uint64_t key) const { return extended_ ? key : key / vocabulary_; }
  std::uint64_t window_of(std::uint64_t pair_key) const {
    return extended_ ? pair_key / vocabulary_ : pair_key;
  }
  /// The own token of a pair's window; d where the model does not see it.
  Index own_token_of(std::uint64_t pair_key) const {
    return static_cast<Index>(extended_ ? pair_key % vocabulary_ : vocabulary_);
  }

 private:
  std::uint64_t blank() const;  ///< the window before x₁
  std::uint64_t number_in_list(std::span<const Token> tokens, Index l) const;

  std::uint64_t vocabulary_;
  std::vector<Index> lags_;  ///< increasing
  bool partial_, extended_, consecutive_;
  std::uint64_t base_, leading_;  ///< leading = base^(width−1)
  WindowList occurring_;
};

/// n(Z,e), q and T of every chain, in order of chains. With the loss of all positions (1.6) each
/// prefix is a chain here, those of one chain one after the other.
struct Statistics {
  Index chains = 0, vocabulary = 0;
  Index prefixes = 1;                ///< of each chain
  std::vector<Index> entry_begin;    ///< [N + 1]
  std::vector<std::uint64_t> key;    ///< [entries] window·d + token, increasing within a chain
  std::vector<std::uint32_t> count;  ///< [entries] n(Z,e) ≥ 1
  std::vector<std::uint64_t> query;  ///< [N] q = Z_{L+1}
  std::vector<double> targets;       ///< [N, d]
  WindowList occurring;              ///< null where windows are numbered by their digits
};

/// The statistics of `count` chains from `first` on; both numbers count prefixes where all
/// positions are predicted.
Statistics statistics_of(const Statistics& all, Index first, Index count);

/// Draws every sequence, in parallel, and counts it. Windows are numbered by their digits if these
/// fit, see WindowCode; else every sequence is drawn twice, first for the list of windows.
Statistics count_windows(const Model& model, const SequenceSource& source);
/// The same; by_digits tells how windows are numbered.
Statistics count_windows(const Model& model, const SequenceSource& source, bool by_digits);

/// Upper bound in bytes of the list of windows of so many chains; 0 where there is no list.
MemoryBound window_list_memory(const Model& model, Index chains, Index length);

/// Upper bound of the number of n(Z,e) > 0 of a chain of L tokens: of its sequence, or of all
/// prefixes together.
double most_entries(const Model& model, Index length);

}  // namespace gihflow
