#include "gihflow/chain/kernel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/make_fault.hpp"
#include "gihflow/base/digits.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/size.hpp"
#include "gihflow/chain/distributions.hpp"

namespace gihflow {

namespace {

// The first entry or row that violates a rule, and the number of them.
struct BadRow {
  Index count = 0;
  Index chain = 0, context = 0;
  double value = 0.0;

  void note(Index at_chain, Index at_context, double at_value) {
    if (count++ == 0) {
      chain = at_chain;
      context = at_context;
      value = at_value;
    }
  }
  void report(const char* name, const char* what, const Phrase& allowed, ErrorList& errors) const {
    if (count == 0) return;
    const std::string more = count > 1 ? fmt::format(" (and {} more)", count - 1) : "";
    errors.add(
        Fault{Field::none, fmt::format("{}", value), allowed,
              fmt::format("{}, chain {}, context {}{}: {}", name, chain, context, more, what)});
  }
};

}  // namespace

std::string to_string_lags(std::span<const Index> lags) {
  std::string text;
  for (const Index lag : lags) {
    if (!text.empty()) text += ',';
    text += std::to_string(lag);
  }
  return text;
}

bool are_parents(std::span<const Index> lags) {
  return std::ranges::adjacent_find(lags, std::greater_equal<>()) == lags.end() &&
         (lags.empty() || lags.front() >= 1);
}

Index context_of_window(Index window, Index length, Index vocabulary,
                        std::span<const Index> parents) {
  Index context = 0, place = 1;
  Index lag = length;  // lag of the last remaining digit of the window
  for (std::size_t i = parents.size(); i-- > 0;) {
    for (; lag > parents[i]; --lag) window /= vocabulary;
    context += window % vocabulary * place;
    place *= vocabulary;
  }
  return context;
}

Index Kernels::contexts() const {
  return power(vocabulary, static_cast<Index>(parents.size()), "contexts");
}

std::span<const double> Kernels::of_chain(Index chain) const {
  const Index entries = contexts() * vocabulary;
  return {values.data() + chain * entries, size(entries)};
}

std::span<double> Kernels::of_chain(Index chain) {
  const Index entries = contexts() * vocabulary;
  return {values.data() + chain * entries, size(entries)};
}

Kernels first_kernels(const Kernels& all, Index count) {
  Kernels first{all.vocabulary, all.parents, std::min(count, all.count), {}};
  const Index entries = first.count * first.contexts() * first.vocabulary;
  first.values.assign(all.values.begin(), all.values.begin() + entries);
  return first;
}

void validate(const Kernels& kernels, const char* name) {
  ErrorList errors;
  const Index d = kernels.vocabulary;
  if (d < 2 || d > max_vocabulary) {
    errors.add(
        fault(fmt::format("{}, vocabulary", name), d, "must be between 2 and {}", max_vocabulary));
  }
  if (kernels.count < 1) {
    errors.add(
        fault(fmt::format("{}, number of chains", name), kernels.count, "must be at least 1"));
  }
  if (!are_parents(kernels.parents)) {
    errors.add(
        fault(fmt::format("{}, parents", name), to_string_lags(kernels.parents), parents_allowed));
  }
  errors.throw_if_any();

  const Index contexts = kernels.contexts();
  // values.size() = count·contexts·d, without forming a product that may overflow.
  const Index given = static_cast<Index>(kernels.values.size());
  if (given % d != 0 || given / d % contexts != 0 || given / d / contexts != kernels.count) {
    throw InputError(fault(fmt::format("{},", name), fmt::format("{} values", given),
                           "must be {} chains x {} contexts x {} tokens", kernels.count, contexts,
                           d));
  }

  BadRow not_finite, negative, not_one;
  for (Index chain = 0; chain < kernels.count; ++chain) {
    for (Index context = 0; context < contexts; ++context) {
      const double* row = kernels.values.data() + (chain * contexts + context) * d;
      double sum = 0.0;
      bool usable = true;
      for (Index token = 0; token < d && usable; ++token) {
        sum += row[token];
        usable = std::isfinite(row[token]) && row[token] >= 0.0;
        if (!std::isfinite(row[token])) {
          not_finite.note(chain, context, row[token]);
        } else if (row[token] < 0.0) {
          negative.note(chain, context, row[token]);
        }
      }
      if (usable && !sums_to_one(sum, {row, size(d)})) not_one.note(chain, context, sum);
    }
  }
  not_finite.report(name, "value", Phrase("must be finite"), errors);
  negative.report(name, "value", Phrase("must not be negative"), errors);
  not_one.report(name, "the row sums to", phrase("must be 1 within {}", sum_tolerance), errors);
  errors.throw_if_any();
}

}  // namespace gihflow
