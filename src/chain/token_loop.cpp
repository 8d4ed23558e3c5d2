#include "chain/token_loop.hpp"
#include "gihflow/base/size.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace gihflow {

namespace {

constexpr Index draws_at_once = 256;
// Rows up to this vocabulary are scanned, larger ones searched by bisection.
constexpr Index widest_scan = 32;
constexpr Fraction never = Fraction{1} << 53;  // above every fraction

// The smallest fraction k whose uniform (k + ½)·2⁻⁵² is at least p ≥ 0. Exact, except for p so
// small that every uniform is above it.
Fraction least_fraction(double p) {
  return static_cast<Fraction>(std::max(0.0, std::ceil(p * 0x1p52 - 0.5)));
}

// thresholds[context, k] = least_fraction(π_0 + … + π_k) for k < d−1. A uniform then gives the
// token #{k: fraction ≥ threshold_k}, the same as categorical(), by integer comparisons, which are
// faster. `never` from the last token of positive probability on, even if the sum was rounded below
// 1.
std::vector<Fraction> thresholds_of(std::span<const double> kernel, Index d) {
  const Index contexts = static_cast<Index>(kernel.size()) / d;
  std::vector<Fraction> thresholds(size(contexts * (d - 1)));
  for (Index context = 0; context < contexts; ++context) {
    const double* row = kernel.data() + context * d;
    Fraction* out = thresholds.data() + context * (d - 1);
    Index last_possible = d - 1;
    while (last_possible > 0 && row[last_possible] <= 0.0) --last_possible;
    double cumulative = 0.0;
    for (Index k = 0; k < d - 1; ++k) {
      if (row[k] > 0.0) cumulative += row[k];
      out[k] = k < last_possible ? least_fraction(cumulative) : never;
    }
  }
  return thresholds;
}

// Number of the d−1 thresholds that are ≤ u. Width 0: d is known only at run time.
template <Index Width>
Index reached(const Fraction* thresholds, Index width, Fraction u) {
  if constexpr (Width > 0) width = Width;
  if (Width == 0 && width > widest_scan) {
    return std::upper_bound(thresholds, thresholds + width, u) - thresholds;
  }
  Index token = 0;
  for (Index k = 0; k < width; ++k) token += u >= thresholds[k];
  return token;
}

// The row of thresholds is a sum over parents of digit × stride. The most recent token stays in a
// register, so one token depends on the previous one without a load from memory.
template <Index Width>
void draw_in_order(const std::vector<Fraction>& thresholds, Index width, Index stride_of_last,
                   std::span<const Index> older_lags, std::span<const Index> strides, Index first,
                   Stream& stream, std::span<Token> tokens) {
  std::array<Fraction, draws_at_once> fractions;
  const Index end = static_cast<Index>(tokens.size());
  Index last = first > 0 ? tokens[size(first - 1)] : 0;
  for (Index begin = first; begin < end; begin += draws_at_once) {
    const Index count = std::min(draws_at_once, end - begin);
    stream.fractions({fractions.data(), size(count)});
    for (Index i = 0; i < count; ++i) {
      const Index l = begin + i;
      Index row = 0;
      for (std::size_t parent = 0; parent < older_lags.size(); ++parent) {
        row += strides[parent] * tokens[size(l - older_lags[parent])];
      }
      row += stride_of_last * last;
      last = reached<Width>(thresholds.data() + row, width, fractions[size(i)]);
      tokens[size(l)] = static_cast<Token>(last);
    }
  }
}

// Windows of up to three tokens below four, two bits each, the latest lowest, and a row of
// thresholds for each, of which the last is not read.
constexpr Index most_digits = 3, digit_bits = 2, row_of_window = 4, window_table = 256;

// Of small kernels. tables [Together, window_table], tokens [Together, columns].
template <Index Width, Index Together>
void draw_small(const Fraction* tables, Index first, Stream* streams, Token* tokens,
                Index columns) {
  const auto mask = (std::uint32_t{row_of_window} << (digit_bits * first)) - 1;
  std::array<std::uint32_t, size(Together)> row{};  // of each chain's window
  const auto advance = [mask](std::uint32_t& at, std::uint32_t token) {
    at = (at + token) << digit_bits & mask;
  };
  for (Index l = 0; l < first; ++l)
    for (Index chain = 0; chain < Together; ++chain)
      advance(row[size(chain)], tokens[chain * columns + l]);
  std::array<Fraction, size(Together * draws_at_once)> fractions;
  for (Index begin = first; begin < columns; begin += draws_at_once) {
    const Index count = std::min(draws_at_once, columns - begin);
    for (Index chain = 0; chain < Together; ++chain)
      streams[chain].fractions({fractions.data() + chain * draws_at_once, size(count)});
    for (Index i = 0; i < count; ++i) {
      Token* out = tokens + begin + i;
#pragma GCC unroll 4
      for (Index chain = 0; chain < Together; ++chain, out += columns) {
        const Fraction u = fractions[size(chain * draws_at_once + i)];
        const Fraction* const thresholds = tables + chain * window_table + row[size(chain)];
        std::uint32_t token = 0;
        for (Index k = 0; k < Width; ++k) token += u >= thresholds[k];
        *out = static_cast<Token>(token);
        advance(row[size(chain)], token);
      }
    }
  }
}

template <Index Together>
void draw_small(Index width, const Fraction* tables, Index first, Stream* streams,
                std::span<Token> tokens) {
  const auto draw = width == 1   ? draw_small<1, Together>
                    : width == 2 ? draw_small<2, Together>
                                 : draw_small<3, Together>;
  draw(tables, first, streams, tokens.data(), static_cast<Index>(tokens.size()) / Together);
}

}  // namespace

TokenLoop::TokenLoop(std::span<const double> kernel, Index vocabulary,
                     std::span<const Index> parents)
    : width_(vocabulary - 1),
      first_(parents.empty() ? 0 : parents.back()),
      older_lags_(parents.begin(), parents.end()),
      strides_(parents.size()),
      thresholds_(thresholds_of(kernel, vocabulary)) {
  Index stride = width_;
  for (std::size_t parent = parents.size(); parent-- > 0; stride *= vocabulary) {
    strides_[parent] = stride;
  }
  if (!parents.empty() && parents.front() == 1) {
    stride_of_last_ = strides_.front();
    older_lags_.erase(older_lags_.begin());
    strides_.erase(strides_.begin());
  }
}

bool TokenLoop::can_take_turns(Index vocabulary, std::span<const Index> parents) {
  return vocabulary <= row_of_window && (parents.empty() || parents.back() <= most_digits);
}

void TokenLoop::thresholds_by_window(Fraction* table) const {
  for (Index window = 0; window < Index{1} << (digit_bits * first_); ++window) {
    const auto digit = [&](Index lag) { return window >> (digit_bits * (lag - 1)) & 3; };
    Index row = stride_of_last_ * digit(1);
    bool exists = true;
    for (Index lag = 1; lag <= first_; ++lag) exists = exists && digit(lag) <= width_;
    for (std::size_t parent = 0; parent < older_lags_.size(); ++parent)
      row += strides_[parent] * digit(older_lags_[parent]);
    if (exists) std::copy_n(thresholds_.data() + row, width_, table + window * row_of_window);
  }
}

void TokenLoop::draw_in_turns(std::span<const TokenLoop> loops, std::span<Stream> streams,
                              std::span<Token> tokens) {
  std::array<Fraction, size(chains_in_turns * window_table)> tables;
  Fraction* table = tables.data();
  for (const TokenLoop& loop : loops) {
    loop.thresholds_by_window(table);
    table += window_table;
  }
  draw_small<chains_in_turns>(loops.front().width_, tables.data(), loops.front().first_,
                              streams.data(), tokens);
}

void TokenLoop::draw(Stream& stream, std::span<Token> tokens) const {
  if (width_ < row_of_window && first_ <= most_digits) {
    std::array<Fraction, window_table> table;
    thresholds_by_window(table.data());
    return draw_small<1>(width_, table.data(), first_, &stream, tokens);
  }
  const auto in_order = [&]<Index Width>() {
    draw_in_order<Width>(thresholds_, width_, stride_of_last_, older_lags_, strides_, first_,
                         stream, tokens);
  };
  switch (width_) {
    case 1:
      return in_order.template operator()<1>();
    case 2:
      return in_order.template operator()<2>();
    case 3:
      return in_order.template operator()<3>();
    default:
      return in_order.template operator()<0>();
  }
}

}  // namespace gihflow
