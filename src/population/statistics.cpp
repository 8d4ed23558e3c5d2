#include "population/statistics.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <memory>
#include <utility>

#include "gihflow/base/parallel.hpp"

namespace gihflow {

bool WindowCode::by_digits(const Model& model) {
  return std::log2(model.window_count()) + std::log2(static_cast<double>(model.vocabulary)) <= 62.0;
}

WindowCode::WindowCode(const Model& model, WindowList occurring)
    : vocabulary_(static_cast<std::uint64_t>(model.vocabulary)),
      lags_(model.used_lags()),
      partial_(model.boundary == Boundary::partial),
      extended_(model.sees_own_token()),
      consecutive_(lags_.back() == width() && occurring == nullptr),
      base_(vocabulary_ + (partial_ ? 1 : 0)),
      leading_(1),
      occurring_(std::move(occurring)) {
  if (occurring_ == nullptr)
    for (Index i = 1; i < width(); ++i) leading_ *= base_;
}

Index WindowCode::digit_of(Index lag) const {
  const auto at = std::lower_bound(lags_.begin(), lags_.end(), lag);
  return at != lags_.end() && *at == lag ? at - lags_.begin() : -1;
}

std::uint64_t WindowCode::blank() const {
  std::uint64_t window = 0;
  for (Index i = 0; i < width(); ++i) window = window * base_ + (partial_ ? base_ - 1 : 0);
  return window;
}

std::uint64_t WindowCode::window_before(std::span<const Token> tokens, Index l) const {
  if (occurring_ != nullptr) return number_in_list(tokens, l);
  std::uint64_t window = 0;
  for (const Index lag : lags_)
    window = window * base_ + (l > lag    ? tokens[static_cast<std::size_t>(l - lag - 1)]
                               : partial_ ? base_ - 1
                                          : 0);
  return window;
}

void WindowCode::digits_before(std::span<const Token> tokens, Index l, std::uint16_t* out) const {
  for (const Index lag : lags_)
    *out++ = l > lag ? static_cast<std::uint16_t>(tokens[static_cast<std::size_t>(l - lag - 1)])
                     : static_cast<std::uint16_t>(partial_ ? vocabulary_ : 0);
}

std::uint64_t WindowCode::number_in_list(std::span<const Token> tokens, Index l) const {
  std::vector<std::uint16_t> digits(lags_.size());
  digits_before(tokens, l, digits.data());
  const std::size_t n = digits.size();
  std::size_t first = 0, count = occurring_->size() / n;
  while (count > 0) {  // the first that is not below
    const std::size_t half = count / 2;
    const std::uint16_t* row = occurring_->data() + (first + half) * n;
    const bool below = std::lexicographical_compare(row, row + n, digits.begin(), digits.end());
    first = below ? first + half + 1 : first;
    count = below ? count - half - 1 : half;
  }
  return first;
}

void WindowCode::digits(std::uint64_t window, std::uint16_t* out) const {
  if (occurring_ != nullptr) {
    std::copy_n(occurring_->data() + window * lags_.size(), lags_.size(), out);
    return;
  }
  for (Index j = width(); j-- > 0; window /= base_)
    out[j] = static_cast<std::uint16_t>(window % base_);
}

namespace {

/// Keys below this bound are counted in a table instead of being sorted.
constexpr std::uint64_t table_limit = 1u << 16;
constexpr Index chains_per_block = 64;

/// Counts (window, token) where there are so few that a sequence contains most of them. Each is a
/// code with a few bits for every token, the latest token lowest, so that a shift leads to the code
/// of the next position. Positions take turns between four tables: sequences often repeat a code,
/// and an increment would wait for the previous one of the same counter.
class FewWindows {
 public:
  /// Whether there are few enough in sequences of that length.
  static bool suit(const WindowCode& code, Index vocabulary, Index length) {
    const Index digits = code.width() + 1;
    return code.consecutive() && length > digits && bits_of(vocabulary) * digits <= most_bits &&
           std::pow(static_cast<double>(vocabulary), static_cast<double>(digits)) <=
               static_cast<double>(length);
  }

  FewWindows(const WindowCode& code, Index vocabulary)
      : width_(code.width()), bits_(bits_of(vocabulary)), table_(tables << most_bits, 0) {
    const auto d = static_cast<std::uint64_t>(vocabulary);
    std::uint64_t combinations = 1;
    for (Index digit = 0; digit <= width_; ++digit) combinations *= d;
    for (std::uint64_t i = 0; i < combinations; ++i) {  // in increasing order of keys
      std::uint64_t left = i / d, key = i % d, place = d;
      auto packed = static_cast<std::uint32_t>(i % d);
      for (Index lag = width_; lag >= 1; --lag, left /= d, place *= code.base()) {
        key += left % d * place;
        packed |= static_cast<std::uint32_t>(left % d) << (bits_ * lag);
      }
      codes_.push_back({key, packed});
    }
  }

  /// Counts the positions that have W tokens before them; calls use(key, count) for counts above 0,
  /// in increasing order of keys.
  template <class Use>
  void count(std::span<const Token> tokens, Use use) {
    switch (bits_) {
      case 1:
        add<1>(tokens);
        break;
      case 2:
        add<2>(tokens);
        break;
      case 3:
        add<3>(tokens);
        break;
      default:
        add<4>(tokens);
    }
    for (const auto& [key, code] : codes_) {
      std::uint32_t sum = 0;
      for (std::size_t t = 0; t < tables; ++t)
        sum += std::exchange(table_[(t << most_bits) + code], 0u);
      if (sum > 0) use(key, sum);
    }
  }

 private:
  static constexpr std::size_t tables = 4;
  static constexpr Index most_bits = 10;  // of a code: four tables of 4 KiB stay in the cache
  struct Code {
    std::uint64_t key;
    std::uint32_t code;
  };

  static Index bits_of(Index vocabulary) {
    return static_cast<Index>(std::bit_width(static_cast<std::uint64_t>(vocabulary - 1)));
  }

  template <int Bits>
  void add(std::span<const Token> tokens) {
    const std::uint32_t mask = (1u << (Bits * (width_ + 1))) - 1;
    std::uint32_t code = 0;
    std::uint32_t* const table = table_.data();
    const auto step = [&](std::size_t l, std::size_t t) {
      code = (code << Bits | tokens[l]) & mask;
      ++table[(t << most_bits) + code];
    };
    std::size_t l = 0;
    for (; l < static_cast<std::size_t>(width_); ++l) code = code << Bits | tokens[l];
    for (; l + tables <= tokens.size(); l += tables)
      for (std::size_t t = 0; t < tables; ++t) step(l + t, t);
    for (; l < tokens.size(); ++l) step(l, 0);
  }

  Index width_, bits_;
  std::vector<std::uint32_t> table_;  ///< [tables, 2^most_bits], 0 between sequences
  std::vector<Code> codes_;
};

/// n(Z,e) of one sequence or of its prefixes, appended in increasing order of keys.
class Counter {
 public:
  /// For sequences of L tokens, of which `prefixes` prefixes are counted.
  Counter(const WindowCode& code, Index vocabulary, Index length, Index prefixes)
      : code_(code), vocabulary_(vocabulary) {
    if (prefixes == 1 && FewWindows::suit(code, vocabulary, length))
      few_ = std::make_unique<FewWindows>(code, vocabulary);
    const double keys =
        std::pow(static_cast<double>(code.base()), static_cast<double>(code.width())) *
        static_cast<double>(vocabulary);
    if (keys <= static_cast<double>(table_limit)) table_.assign(static_cast<std::size_t>(keys), 0);
  }

  /// Counts the contexts x₁ … x_l with l from `shortest` to L; calls counted(query) after each.
  template <class Counted>
  void count(std::span<const Token> tokens, Index shortest, std::vector<std::uint64_t>& key,
             std::vector<std::uint32_t>& count, Counted counted) {
    const auto d = static_cast<std::uint64_t>(vocabulary_);
    const Index length = static_cast<Index>(tokens.size()), first = code_.first_position();
    if (few_) {
      count_few(tokens, key, count);
      counted(code_.window_before(tokens, length + 1));
      return;
    }
    seen_.clear();
    code_.visit(tokens, [&](Index l, std::uint64_t window) {
      if (l > shortest) {
        append(key, count);
        counted(window);
      }
      if (l < first || l > length) return;
      const std::uint64_t k = window * d + tokens[static_cast<std::size_t>(l - 1)];
      if (table_.empty() || table_[k]++ == 0) seen_.push_back(k);
    });
    if (!table_.empty())
      for (const std::uint64_t k : seen_) table_[k] = 0;
  }

 private:
  void count_few(std::span<const Token> tokens, std::vector<std::uint64_t>& key,
                 std::vector<std::uint32_t>& count) {
    const std::size_t before = key.size();
    few_->count(tokens, [&](std::uint64_t k, std::uint32_t n) {
      key.push_back(k);
      count.push_back(n);
    });
    // The first windows contain blanks, each a different number of them: they occur once.
    for (Index l = code_.first_position(); l <= code_.width(); ++l) {
      const std::uint64_t k =
          code_.window_before(tokens, l) * static_cast<std::uint64_t>(vocabulary_) +
          tokens[static_cast<std::size_t>(l - 1)];
      const auto at = std::lower_bound(key.begin() + static_cast<Index>(before), key.end(), k);
      count.insert(count.begin() + (at - key.begin()), 1);
      key.insert(at, k);
    }
  }

  void append(std::vector<std::uint64_t>& key, std::vector<std::uint32_t>& count) {
    std::sort(seen_.begin(), seen_.end());
    if (!table_.empty()) {
      for (const std::uint64_t k : seen_) {
        key.push_back(k);
        count.push_back(table_[k]);
      }
    } else {
      for (std::size_t i = 0; i < seen_.size();) {
        std::size_t j = i;
        while (j < seen_.size() && seen_[j] == seen_[i]) ++j;
        key.push_back(seen_[i]);
        count.push_back(static_cast<std::uint32_t>(j - i));
        i = j;
      }
    }
  }

  const WindowCode& code_;
  Index vocabulary_;
  std::unique_ptr<FewWindows> few_;  ///< null where it does not apply
  std::vector<std::uint32_t> table_;
  std::vector<std::uint64_t> seen_;
};

/// The distinct rows, in increasing order.
std::vector<std::uint16_t> distinct_rows(const std::vector<std::uint16_t>& rows,
                                         std::size_t width) {
  std::vector<const std::uint16_t*> order;
  order.reserve(rows.size() / width);
  for (std::size_t i = 0; i < rows.size(); i += width) order.push_back(rows.data() + i);
  std::sort(order.begin(), order.end(), [width](const auto* x, const auto* y) {
    return std::lexicographical_compare(x, x + width, y, y + width);
  });
  const auto end = std::unique(order.begin(), order.end(), [width](const auto* x, const auto* y) {
    return std::equal(x, x + width, y);
  });
  std::vector<std::uint16_t> distinct;
  distinct.reserve(static_cast<std::size_t>(end - order.begin()) * width);
  for (auto row = order.begin(); row != end; ++row)
    distinct.insert(distinct.end(), *row, *row + width);
  return distinct;
}

/// The windows that occur in the sequences, with those of the queries.
WindowList occurring_windows(const Model& model, const SequenceSource& source) {
  const WindowCode code(model);
  const Index chains = source.count(), length = source.length(), first = code.first_position();
  const auto width = static_cast<std::size_t>(code.width());
  std::vector<std::vector<std::uint16_t>> parts(
      static_cast<std::size_t>((chains + chains_per_block - 1) / chains_per_block));
  parallel_ranges(chains, chains_per_block, [&](Index begin, Index end) {
    std::vector<Token> tokens(static_cast<std::size_t>(length + 1));
    std::vector<double> targets(
        static_cast<std::size_t>(model.asked(length) * source.vocabulary()));
    std::vector<std::uint16_t> rows(static_cast<std::size_t>((end - begin) * (length + 2 - first)) *
                                    width);
    std::uint16_t* row = rows.data();
    for (Index i = begin; i < end; ++i) {
      source.draw(i, tokens, targets);
      for (Index l = first; l <= length + 1; ++l, row += width)
        code.digits_before(std::span<const Token>(tokens).first(static_cast<std::size_t>(length)),
                           l, row);
    }
    parts[static_cast<std::size_t>(begin / chains_per_block)] = distinct_rows(rows, width);
  });
  std::vector<std::uint16_t> all;
  std::size_t total = 0;
  for (const auto& part : parts) total += part.size();
  all.reserve(total);
  for (auto& part : parts) {
    all.insert(all.end(), part.begin(), part.end());
    part = {};
  }
  return std::make_shared<const std::vector<std::uint16_t>>(distinct_rows(all, width));
}

}  // namespace

Statistics statistics_of(const Statistics& all, Index first, Index count) {
  const auto begin = all.entry_begin.begin() + first;
  const Index d = all.vocabulary, from = begin[0], to = begin[count];
  Statistics some;
  some.chains = count;
  some.prefixes = all.prefixes;
  some.vocabulary = d;
  some.occurring = all.occurring;
  for (Index i = 0; i <= count; ++i) some.entry_begin.push_back(begin[i] - from);
  some.key.assign(all.key.begin() + from, all.key.begin() + to);
  some.count.assign(all.count.begin() + from, all.count.begin() + to);
  some.query.assign(all.query.begin() + first, all.query.begin() + first + count);
  some.targets.assign(all.targets.begin() + first * d, all.targets.begin() + (first + count) * d);
  return some;
}

Statistics count_windows(const Model& model, const SequenceSource& source) {
  return count_windows(model, source, WindowCode::by_digits(model));
}

Statistics count_windows(const Model& model, const SequenceSource& source, bool by_digits) {
  const Index chains = source.count(), length = source.length(), d = source.vocabulary();
  Statistics all;
  if (!by_digits) all.occurring = occurring_windows(model, source);
  const WindowCode code(model, all.occurring);
  all.prefixes = model.asked(length);
  all.chains = chains * all.prefixes;
  all.vocabulary = d;
  all.query.resize(static_cast<std::size_t>(all.chains));
  all.targets.resize(static_cast<std::size_t>(all.chains * d));
  std::vector<Index> entries(static_cast<std::size_t>(all.chains));

  struct Part {
    std::vector<std::uint64_t> key;
    std::vector<std::uint32_t> count;
  };
  Index parts_count = (chains + chains_per_block - 1) / chains_per_block;
  std::vector<Part> parts(static_cast<std::size_t>(parts_count));
  parallel_ranges(chains, chains_per_block, [&](Index begin, Index end) {
    Part& part = parts[static_cast<std::size_t>(begin / chains_per_block)];
    Counter counter(code, d, length, all.prefixes);
    const Index at_once = drawn_together(length, 0), numbers = all.prefixes * d;
    std::vector<Token> tokens(static_cast<std::size_t>(at_once * (length + 1)));
    for (Index first = begin; first < end; first += at_once) {
      const Index now = std::min(at_once, end - first);
      source.draw_chains(
          first, now, std::span(tokens).first(static_cast<std::size_t>(now * (length + 1))),
          {all.targets.data() + first * numbers, static_cast<std::size_t>(now * numbers)});
      auto prefix = static_cast<std::size_t>(first * all.prefixes);
      for (Index i = 0; i < now; ++i) {
        const std::span<const Token> own(tokens.data() + i * (length + 1),
                                         static_cast<std::size_t>(length));
        std::size_t before = part.key.size();
        counter.count(own, length - all.prefixes + 1, part.key, part.count,
                      [&](std::uint64_t query) {
                        all.query[prefix] = query;
                        entries[prefix++] = static_cast<Index>(part.key.size() - before);
                        before = part.key.size();
                      });
      }
    }
  });

  all.entry_begin.assign(1, 0);
  all.entry_begin.reserve(static_cast<std::size_t>(all.chains + 1));
  for (Index n : entries) all.entry_begin.push_back(all.entry_begin.back() + n);
  all.key.reserve(static_cast<std::size_t>(all.entry_begin.back()));
  all.count.reserve(static_cast<std::size_t>(all.entry_begin.back()));
  for (Part& part : parts) {
    all.key.insert(all.key.end(), part.key.begin(), part.key.end());
    all.count.insert(all.count.end(), part.count.begin(), part.count.end());
    part = Part();
  }
  return all;
}

double most_entries(const Model& model, Index length) {
  const double keys = model.window_count() * static_cast<double>(model.vocabulary);
  // Each prefix has one position more than the one before, and all positions may differ while there
  // are no more of them than keys.
  const double last = static_cast<double>(length - model.shortest_context() + 1);
  if (model.positions == Positions::last) return std::min(static_cast<double>(length), keys);
  const double growing = std::min(last, std::floor(keys));
  return growing * (growing + 1.0) / 2.0 + (last - growing) * keys;
}

MemoryBound window_list_memory(const Model& model, Index chains, Index length) {
  if (WindowCode::by_digits(model)) return {};
  const double positions = static_cast<double>(length + 1),
               windows = static_cast<double>(chains) * positions,
               row = 2.0 * static_cast<double>(model.used_lags().size());
  // The windows of all blocks of chains, their order and the distinct ones; the same of one block
  // on each thread.
  const double block = 2.0 * row + 8.0;
  return {.peak = (2.0 * row + 8.0) * windows +
                  threads() * static_cast<double>(chains_per_block) * positions * block,
          .kept = row * windows};
}

}  // namespace gihflow
