#include "gihflow/population/window_sample.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/make_fault.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/parallel.hpp"
#include "gihflow/base/size.hpp"
#include "gihflow/base/subsets.hpp"
#include "gihflow/base/version.hpp"
#include "population/engines.hpp"
#include "population/features.hpp"
#include "population/statistics.hpp"

namespace gihflow {

namespace {

constexpr Index chains_per_block = 16;

}  // namespace

WindowSample::WindowSample(const Model& model, const SequenceSource& source)
    : model_(model), length_(source.length()) {
  ErrorList errors;
  if (source.vocabulary() != model.vocabulary)
    errors.add(fault(Field::vocabulary, fmt::format("{} of the sequences", source.vocabulary()),
                     "must be the model's, {}", model.vocabulary));
  if (model.boundary == Boundary::masked && source.length() <= model.widest())
    errors.add(fault(Field::length, source.length(),
                     "must be above the widest lag, {}, with {} masked", model.widest(),
                     Field::boundary));
  errors.throw_if_any();

  const Statistics s = count_windows(model, source);
  const WindowCode code(model, s.occurring);
  const Index d = model.vocabulary;
  occurring_ = s.occurring;
  query_ = s.query;
  targets_ = s.targets;
  window_begin_.reserve(size(s.chains + 1));
  window_begin_.push_back(0);
  window_.reserve(s.key.size());  // as many as entries at most
  for (Index chain = 0; chain < s.chains; ++chain) {
    const Index begin = s.entry_begin[size(chain)], end = s.entry_begin[size(chain) + 1];
    for (Index k = begin; k < end; ++k) {
      const std::uint64_t window = code.pair_key(s.key[size(k)]);
      if (k == begin || window != window_.back()) window_.push_back(window);
    }
    window_begin_.push_back(static_cast<Index>(window_.size()));
  }
  count_.resize(window_.size() * size(d), 0.0);
  for (Index chain = 0; chain < s.chains; ++chain) {
    Index window = window_begin_[size(chain)];
    for (Index k = s.entry_begin[size(chain)]; k < s.entry_begin[size(chain) + 1]; ++k) {
      const std::uint64_t key = s.key[size(k)];
      if (code.pair_key(key) != window_[size(window)]) ++window;
      count_[size(window * d) + key % static_cast<std::uint64_t>(d)] =
          static_cast<double>(s.count[size(k)]);
    }
  }
}

std::vector<double> WindowSample::scores(const Point& at) const {
  require_arrays(model_, at);
  const std::vector<std::uint32_t> sets = subsets(model_.heads, model_.degree);
  const auto distinct = [](std::vector<std::uint64_t> keys) {
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    return keys;
  };
  const std::vector<std::uint64_t> windows = distinct(window_), queries = distinct(query_);
  const FeatureTable table(model_, WindowCode(model_, occurring_), windows, queries,
                           instruction_set());
  const Features u = table.forward(at, nullptr);
  const Index H = model_.heads, d = model_.vocabulary;
  const auto row_of = [](const std::vector<std::uint64_t>& keys, std::uint64_t key) {
    return std::lower_bound(keys.begin(), keys.end(), key) - keys.begin();
  };
  std::vector<double> k(window_.size());
  parallel_ranges(chains(), chains_per_block, [&](Index begin, Index end) {
    std::vector<double> t(size(H));
    for (Index chain = begin; chain < end; ++chain) {
      const Index query = table.row_of_query(row_of(queries, query_[size(chain)]));
      for (Index j = window_begin_[size(chain)]; j < window_begin_[size(chain) + 1]; ++j) {
        const Index window = row_of(windows, window_[size(j)]);
        for (Index h = 0; h < H; ++h) {
          double z = 0.0;
          for (Index e = h * d; e < (h + 1) * d; ++e) z += u.at(e, window) * u.at(e, query);
          t[size(h)] = rectified(model_, z);
        }
        double sum = 0.0;
        for (std::size_t i = 0; i < sets.size(); ++i) {
          if (at.p[i] == 0.0) continue;
          double product = at.p[i];
          for (std::uint32_t rest = sets[i]; rest != 0; rest &= rest - 1)
            product *= t[static_cast<std::size_t>(std::countr_zero(rest))];
          sum += product;
        }
        k[size(j)] = sum;
      }
    }
  });
  return k;
}

std::vector<double> WindowSample::predict(std::span<const double> scores, double a) const {
  const Index d = model_.vocabulary;
  std::vector<double> y(size(chains() * d), 0.0);
  parallel_ranges(chains(), chains_per_block, [&](Index begin, Index end) {
    for (Index chain = begin; chain < end; ++chain) {
      const Index first = window_begin_[size(chain)], last = window_begin_[size(chain) + 1];
      double top = -std::numeric_limits<double>::infinity(), total = 0.0;
      for (Index j = first; j < last; ++j) top = std::max(top, a * scores[size(j)]);
      double* out = y.data() + chain * d;
      for (Index j = first; j < last; ++j) {
        const double weight = std::exp(a * scores[size(j)] - top);
        for (Index e = 0; e < d; ++e) out[e] += weight * count_[size(j * d + e)];
      }
      for (Index e = 0; e < d; ++e) total += out[e];
      for (Index e = 0; e < d; ++e) out[e] /= total;
    }
  });
  return y;
}

std::vector<double> WindowSample::gih(std::span<const Index> lags) const {
  const Index d = model_.vocabulary;
  const WindowCode code(model_, occurring_);
  std::vector<std::size_t> at;  // digits at the lags
  for (const Index lag : lags) {
    const Index digit = code.digit_of(lag);
    if (digit < 0 && model_.head_lags.empty())
      throw InputError(fault("parent set, lag", lag, "must be between 1 and the widest lag, {}",
                             model_.widest()));
    if (digit < 0)
      throw InputError(fault("parent set, lag", lag,
                             "must be one of the lags that the model sees, {}",
                             fmt::join(model_.used_lags(), ", ")));
    at.push_back(size(digit));
  }
  std::vector<double> y(size(chains() * d), 0.0);
  parallel_ranges(chains(), chains_per_block, [&](Index begin, Index end) {
    std::vector<std::uint16_t> query(size(code.width())), digits(size(code.width()));
    for (Index chain = begin; chain < end; ++chain) {
      code.digits(query_[size(chain)], query.data());
      const Index first = window_begin_[size(chain)], last = window_begin_[size(chain) + 1];
      double* out = y.data() + chain * d;
      auto add_up = [&](auto&& admitted) {
        double total = 0.0;
        for (Index j = first; j < last; ++j) {
          if (!admitted(window_[size(j)])) continue;
          for (Index e = 0; e < d; ++e) {
            out[e] += count_[size(j * d + e)];
            total += count_[size(j * d + e)];
          }
        }
        return total;
      };
      // A blank matches nothing, and nothing matches a query that has one.
      double total = add_up([&](std::uint64_t window) {
        code.digits(code.window_of(window), digits.data());
        return std::all_of(at.begin(), at.end(),
                           [&](std::size_t i) { return digits[i] == query[i] && query[i] < d; });
      });
      if (total == 0.0) total = add_up([](std::uint64_t) { return true; });
      for (Index e = 0; e < d; ++e) out[e] /= total;
    }
  });
  return y;
}

double most_windows(const Model& model, Index length) {
  const double own = model.sees_own_token() ? static_cast<double>(model.vocabulary) : 1.0;
  return std::min(static_cast<double>(length), model.window_count() * own);
}

double window_sample_memory(const Model& model, Index chains, Index length) {
  const double n = static_cast<double>(chains) * static_cast<double>(model.asked(length)),
               L = static_cast<double>(length);
  const double d = static_cast<double>(model.vocabulary), H = static_cast<double>(model.heads);
  const double windows = n * most_windows(model, length);
  const double entries = static_cast<double>(chains) * most_entries(model, length);
  const double width = static_cast<double>(model.used_lags().size());
  // Counted pairs and those of a block of chains; room for a window of every entry, and counts;
  // keys sorted for the features; features; scores, targets and predictions.
  const double list = window_list_memory(model, chains, length).peak;
  return list + 24.0 * entries + 8.0 * entries + 8.0 * windows * d + 2.0 * 8.0 * (windows + n) +
         (8.0 * H * d + 2.0 * width + 2.0) * (windows + n) + 8.0 * windows + 3.0 * 8.0 * n * d +
         threads() * ((8.0 + 2.0 * static_cast<double>(drawn_together(length, 0))) * (L + 1.0) +
                      4.0 * 0x1p16);
}

}  // namespace gihflow
