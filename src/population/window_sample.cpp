#include "gihflow/population/window_sample.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_map>

#include "base/make_fault.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/parallel.hpp"
#include "gihflow/base/size.hpp"
#include "gihflow/base/subsets.hpp"
#include "population/reference.hpp"
#include "population/statistics.hpp"

namespace gihflow {

namespace {

constexpr Index chains_per_block = 16;

/// u^{(h)}(Z) of every head, [H][d], at the position after the window's tokens; blanks, the oldest
/// in a partial window, are tokens that do not exist (4.4).
std::vector<std::vector<double>> features(const Model& model, const WindowCode& code,
                                          std::uint64_t window, std::span<const double> w) {
  std::vector<Token> tokens(size(model.widest()));
  code.digits(window, tokens.data());
  std::erase_if(tokens, [&](Token x) { return x >= model.vocabulary; });
  std::reverse(tokens.begin(), tokens.end());
  std::vector<std::vector<double>> u;
  for (Index h = 0; h < model.heads; ++h)
    u.push_back(
        reference::head_output<double>(model, tokens, static_cast<Index>(tokens.size()) + 1, h, w));
  return u;
}

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
  const Index d = model.vocabulary;
  query_ = s.query;
  window_begin_.push_back(0);
  for (Index chain = 0; chain < s.chains; ++chain) {
    const Index begin = s.entry_begin[size(chain)], end = s.entry_begin[size(chain) + 1];
    for (Index k = begin; k < end; ++k) {
      const std::uint64_t window = s.key[size(k)] / static_cast<std::uint64_t>(d);
      if (k == begin || window != window_.back()) {
        window_.push_back(window);
        count_.resize(count_.size() + size(d), 0.0);
      }
      const std::uint64_t token = s.key[size(k)] % static_cast<std::uint64_t>(d);
      count_[(window_.size() - 1) * size(d) + token] = static_cast<double>(s.count[size(k)]);
    }
    window_begin_.push_back(static_cast<Index>(window_.size()));
  }
}

std::vector<double> WindowSample::scores(std::span<const double> p,
                                         std::span<const double> w) const {
  const WindowCode code(model_);
  const std::vector<std::uint32_t> sets = subsets(model_.heads, model_.degree);
  std::vector<double> k(window_.size());
  parallel_ranges(chains(), chains_per_block, [&](Index begin, Index end) {
    std::unordered_map<std::uint64_t, std::vector<std::vector<double>>> known;
    const auto of = [&](std::uint64_t window) -> const std::vector<std::vector<double>>& {
      auto& u = known[window];
      if (u.empty()) u = features(model_, code, window, w);
      return u;
    };
    std::vector<double> t(size(model_.heads));
    for (Index chain = begin; chain < end; ++chain) {
      const auto& query = of(query_[size(chain)]);
      for (Index j = window_begin_[size(chain)]; j < window_begin_[size(chain) + 1]; ++j) {
        const auto& u = of(window_[size(j)]);
        for (std::size_t h = 0; h < t.size(); ++h)
          t[h] = std::inner_product(u[h].begin(), u[h].end(), query[h].begin(), 0.0);
        double sum = 0.0;
        for (std::size_t i = 0; i < sets.size(); ++i) {
          if (p[i] == 0.0) continue;
          double product = p[i];
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
  const Index d = model_.vocabulary, W = model_.widest();
  for (const Index lag : lags)
    if (lag < 1 || lag > W)
      throw InputError(
          fault("parent set, lag", lag, "must be between 1 and the widest lag, {}", W));
  const WindowCode code(model_);
  std::vector<double> y(size(chains() * d), 0.0);
  parallel_ranges(chains(), chains_per_block, [&](Index begin, Index end) {
    std::vector<std::uint16_t> query(size(W)), digits(size(W));
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
        code.digits(window, digits.data());
        return std::all_of(lags.begin(), lags.end(), [&](Index lag) {
          return digits[size(lag - 1)] == query[size(lag - 1)] && query[size(lag - 1)] < d;
        });
      });
      if (total == 0.0) total = add_up([](std::uint64_t) { return true; });
      for (Index e = 0; e < d; ++e) out[e] /= total;
    }
  });
  return y;
}

}  // namespace gihflow
