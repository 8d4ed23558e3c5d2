#include "gihflow/information/chi_square.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "base/make_fault.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/mean_error.hpp"
#include "gihflow/base/memory.hpp"
#include "gihflow/base/parallel.hpp"
#include "gihflow/base/size.hpp"
#include "gihflow/base/subsets.hpp"
#include "gihflow/chain/stationary.hpp"

namespace gihflow {

namespace {

/// Both informations from the joint law μ(e, Z_S) [d, windows], windows in any order, and μ(e) [d].
ChiSquare information_of(std::span<const double> joint, std::span<const double> token) {
  const std::size_t d = token.size(), windows = joint.size() / d;
  ChiSquare result;
  for (std::size_t z = 0; z < windows; ++z) {
    double mass = 0.0;
    for (std::size_t e = 0; e < d; ++e) mass += joint[e * windows + z];
    if (!(mass > 0.0)) continue;
    double share = 0.0;
    for (std::size_t e = 0; e < d; ++e) {
      if (!(token[e] > 0.0)) continue;
      const double both = joint[e * windows + z];
      share += (both / mass - token[e]) * (both / token[e] - mass);
    }
    result.standard += share;
    result.modified += mass * share;
  }
  return result;
}

/// Visits all sets of lags recursively from the oldest lag on: each lag is either kept, which takes
/// no work since it is the least significant remaining digit, or summed out.
class Marginals {
 public:
  Marginals(Index window, Index degree, std::span<const double> token,
            std::vector<ChiSquare>& results)
      : d_(token.size()), window_(window), degree_(degree), token_(token), results_(results) {}

  /// joint: μ(e, x_{l−1} … x_{l−lags}, kept tokens) [d, d^lags, kept].
  void visit(const std::vector<double>& joint, Index lags, std::size_t kept, std::uint32_t mask,
             Index elements) {
    if (lags == 0) {
      // I(∅) = 0.
      if (mask != 0) results_[size(subset_index(mask, window_))] = information_of(joint, token_);
      return;
    }
    if (elements < degree_)
      visit(joint, lags - 1, kept * d_, mask | 1u << (lags - 1), elements + 1);
    std::vector<double> shorter(joint.size() / d_);
    for (std::size_t i = 0; i < shorter.size() / kept; ++i)
      for (std::size_t digit = 0; digit < d_; ++digit) {
        const double* from = joint.data() + (i * d_ + digit) * kept;
        for (std::size_t k = 0; k < kept; ++k) shorter[i * kept + k] += from[k];
      }
    visit(shorter, lags - 1, kept, mask, elements);
  }

 private:
  std::size_t d_;
  Index window_, degree_;
  std::span<const double> token_;
  std::vector<ChiSquare>& results_;
};

void check_window(Index window, Index degree) {
  ErrorList errors;
  if (window < 1) errors.add(fault(Field::window, window, "must be at least 1"));
  if (degree < 0) errors.add(fault(Field::degree, degree, "must not be negative"));
  errors.throw_if_any();
}

}  // namespace

namespace {

/// Whether the law of each set by itself takes fewer multiplications than the law of all lags.
bool set_by_set(Index vocabulary, Index longest_lag, Index window, Index degree) {
  const double d = static_cast<double>(vocabulary);
  double steps = 0.0;  // numbers of the laws that a token is appended to, a step and once read
  double sets = 1.0;
  for (Index kept = 1; kept <= std::min(degree, window); ++kept) {
    sets *= static_cast<double>(window - kept + 1) / static_cast<double>(kept);
    steps += 2.0 * sets * std::pow(d, static_cast<double>(kept));
  }
  return steps * std::pow(d, static_cast<double>(longest_lag)) <
         std::pow(d, static_cast<double>(window));
}

/// Tokens of the longest law that is kept: of a set's and a state, or of window + 1.
Index law_tokens(Index vocabulary, Index longest_lag, Index window, Index degree) {
  return set_by_set(vocabulary, longest_lag, window, degree)
             ? longest_lag + std::min(degree, window) + 1
             : std::max(window + 1, longest_lag);
}

}  // namespace

double ranking_memory(Index vocabulary, Index longest_lag, Index chains, Index window,
                      Index degree) {
  const double d = static_cast<double>(vocabulary);
  // Per thread: the longest law, its copy while it grows by a token, its marginals; the matrices of
  // the stationary law.
  const double law =
      8.0 * std::pow(d, static_cast<double>(law_tokens(vocabulary, longest_lag, window, degree)));
  const double states = std::pow(d, static_cast<double>(longest_lag));
  const double sets = static_cast<double>(subset_count(window, degree));
  return threads() * (4.0 * law + stationary_memory(states)) +
         (16.0 * sets + 8.0) * static_cast<double>(chains);
}

namespace {

void check_memory(const Kernels& kernels, Index window, Index degree, Index sets) {
  const double needed =
      ranking_memory(kernels.vocabulary, kernels.longest_lag(), kernels.count, window, degree);
  const double limit = static_cast<double>(memory_limit());
  if (needed > limit)
    throw InputError(fault(
        Field::window, fmt::format("{} with vocabulary {}", window, kernels.vocabulary),
        "laws of {} tokens and {} sets of lags over {} chains need {:.4g} GiB of memory: must not "
        "exceed {:.1f} GiB",
        law_tokens(kernels.vocabulary, kernels.longest_lag(), window, degree), sets, kernels.count,
        needed / 0x1p30, limit / 0x1p30));
}

}  // namespace

namespace {

std::vector<Index> lags_up_to(Index window) {
  std::vector<Index> lags(size(std::max(window, Index{0})));
  std::iota(lags.begin(), lags.end(), Index{1});
  return lags;
}

std::vector<ChiSquare> information_at(std::span<const double> kernel, Index vocabulary,
                                      std::span<const Index> parents, std::span<const Index> lags,
                                      Index degree) {
  const Index window = static_cast<Index>(lags.size());
  std::vector<ChiSquare> results(size(subset_count(window, degree)));
  const Index longest_lag = parents.empty() ? 0 : parents.back();
  if (set_by_set(vocabulary, longest_lag, window, degree)) {
    const std::vector<double> one = stationary_window_law(kernel, vocabulary, parents, 1);
    visit_lag_laws(kernel, vocabulary, parents, lags, degree,
                   [&](std::uint32_t set, std::span<const double> law) {
                     results[size(subset_index(set, window))] = information_of(law, one);
                   });
    return results;
  }
  const std::vector<double> joint = stationary_lag_law(kernel, vocabulary, parents, lags);
  std::vector<double> token(size(vocabulary));
  const std::size_t windows = joint.size() / token.size();
  for (std::size_t e = 0; e < token.size(); ++e)
    token[e] = std::accumulate(joint.begin() + static_cast<std::ptrdiff_t>(e * windows),
                               joint.begin() + static_cast<std::ptrdiff_t>((e + 1) * windows), 0.0);
  Marginals(window, degree, token, results).visit(joint, window, 1, 0, 0);
  return results;
}

}  // namespace

std::vector<ChiSquare> chi_square_information(std::span<const double> kernel, Index vocabulary,
                                              std::span<const Index> parents, Index window,
                                              Index degree) {
  check_window(window, degree);
  return information_at(kernel, vocabulary, parents, lags_up_to(window), degree);
}

Ranking rank_lag_sets(const Kernels& kernels, Index window, Index degree) {
  validate(kernels, "kernels");
  check_window(window, degree);
  static_cast<void>(subset_count(window, degree));
  return rank_lag_sets(kernels, lags_up_to(window), degree);
}

Ranking rank_lag_sets(const Kernels& kernels, std::span<const Index> lags, Index degree) {
  const Index window = static_cast<Index>(lags.size());
  validate(kernels, "kernels");
  check_window(window, degree);
  const std::vector<std::uint32_t> masks = subsets(window, degree);
  const Index sets = static_cast<Index>(masks.size()), chains = kernels.count;
  check_memory(kernels, window, degree, sets);
  std::vector<ChiSquare> rows(size(chains * sets));  // [N, sets]
  parallel_blocks(chains, [&](Index i) {
    const Index classes = closed_classes(kernels.of_chain(i), kernels.vocabulary, kernels.parents);
    if (classes != 1)
      throw InputError(fault(fmt::format("kernels, chain {}", i), "",
                             "has {} closed classes of states: must be one, since its stationary "
                             "law is not unique",
                             classes));
    const auto row =
        information_at(kernels.of_chain(i), kernels.vocabulary, kernels.parents, lags, degree);
    std::copy(row.begin(), row.end(), rows.begin() + i * sets);
  });

  std::vector<double> column(size(chains));
  const auto over_chains = [&](auto&& number) {  // of a chain's row [sets]
    for (Index i = 0; i < chains; ++i) column[size(i)] = number(rows.data() + i * sets);
    return mean_error(column);
  };
  Ranking ranking{kernels.vocabulary, chains, {}, {}, {}};
  for (Index s = 0; s < sets; ++s) {
    const MeanError standard = over_chains([&](const ChiSquare* row) { return row[s].standard; });
    const MeanError modified = over_chains([&](const ChiSquare* row) { return row[s].modified; });
    RankedSet set{masks[size(s)], {}, standard.mean, standard.error, modified.mean, modified.error};
    for (const Index position : elements_of(set.lags))
      set.members.push_back(lags[size(position - 1)]);
    ranking.sets.push_back(std::move(set));
  }
  const auto ranked = [&](double RankedSet::*information) {
    std::vector<std::size_t> order(size(sets));
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::ranges::greater(), [&, information](std::size_t i) {
      return ranking.sets[i].*information;
    });
    return order;
  };
  ranking.by_modified = ranked(&RankedSet::modified);
  ranking.by_chi_square = ranked(&RankedSet::chi_square);
  constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
  MeanError gap{undefined, undefined};
  if (sets > 1) {
    const std::size_t best = ranking.by_modified[0], second = ranking.by_modified[1];
    gap = over_chains(
        [&](const ChiSquare* row) { return row[best].modified - row[second].modified; });
  }
  ranking.gap = gap.mean;
  ranking.gap_error = gap.error;
  ranking.gap_z = gap.error > 0.0 ? gap.mean / gap.error : undefined;
  return ranking;
}

std::string set_of_lags(std::span<const Index> lags) {
  return fmt::format("{{{}}}", to_string_lags(lags));
}

std::vector<std::size_t> Ranking::places(double RankedSet::*measure) const {
  constexpr double agreement = 1e-9;  // relative, of equal values
  std::vector<std::size_t> result;
  for (const RankedSet& set : sets) {
    const double least = set.*measure * (1.0 + agreement);
    const auto more =
        std::ranges::count_if(sets, [&](const RankedSet& x) { return x.*measure > least; });
    result.push_back(1 + static_cast<std::size_t>(more));
  }
  return result;
}

double Ranking::uniformity(const RankedSet& set) const {
  if (!(set.chi_square > 0.0)) return std::numeric_limits<double>::quiet_NaN();
  const auto lags = static_cast<double>(set.members.size());
  return std::pow(static_cast<double>(vocabulary), lags) * set.modified / set.chi_square;
}

}  // namespace gihflow
