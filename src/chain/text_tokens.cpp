#include "gihflow/chain/text_tokens.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/make_fault.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/size.hpp"
#include "gihflow/base/text.hpp"
#include "gihflow/chain/stationary.hpp"

namespace gihflow {

TextTokens tokens_of_text(const std::string& text, Index vocabulary) {
  const auto characters = characters_of(text);
  if (!characters) throw InputError(fault("text", "", "must be UTF-8"));
  std::map<std::string_view, Index> counts;  // UTF-8 sorts as its code points do
  for (const std::string_view character : *characters) ++counts[character];
  if (counts.size() < 2) {
    throw InputError(fault("text", "", "must have at least two different characters"));
  }
  if (static_cast<Index>(counts.size()) < vocabulary) {
    throw InputError(fault(Field::vocabulary, vocabulary,
                           "must be at most the number of different characters of the text, {}",
                           counts.size()));
  }
  std::vector<std::pair<std::string_view, Index>> order(counts.begin(), counts.end());
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  TextTokens result;
  result.vocabulary = vocabulary;
  std::map<std::string_view, Token> token;
  for (Index t = 0; t + 1 < vocabulary; ++t) {
    result.alphabet.emplace_back(order[size(t)].first);
    token[order[size(t)].first] = static_cast<Token>(t);
  }
  result.tokens.reserve(characters->size());
  for (const std::string_view character : *characters) {
    const auto known = token.find(character);
    result.tokens.push_back(known == token.end() ? static_cast<Token>(vocabulary - 1)
                                                 : known->second);
  }
  return result;
}

Kernels kernels_of_text(const TextTokens& text, std::vector<Index> parents, double alpha,
                        Index passage) {
  const Index length = static_cast<Index>(text.tokens.size()), d = text.vocabulary;
  if (passage == 0) passage = length;
  ErrorList errors;
  if (!are_parents(parents)) {
    errors.add(fault(Field::parents, to_string_lags(parents), parents_allowed));
  }
  if (!std::isfinite(alpha) || alpha <= 0.0) {
    errors.add(fault(Field::alpha, alpha, "must be a finite number above 0"));
  }
  errors.throw_if_any();
  Kernels kernels;
  kernels.vocabulary = d;
  kernels.parents = std::move(parents);
  if (passage <= kernels.longest_lag() || passage > length) {
    throw InputError(fault(Field::passage, passage,
                           "must be above the longest parent lag, {}, and at most the text's {} "
                           "characters",
                           kernels.longest_lag(), length));
  }
  kernels.count = length / passage;
  const Index contexts = kernels.contexts();
  if (contexts > max_windows / d) {
    throw InputError(fault(Field::parents, to_string_lags(kernels.parents),
                           "make {} contexts of {} tokens: too many for a kernel", contexts, d));
  }
  kernels.values.assign(size(kernels.count * contexts * d), 0.0);
  for (Index chain = 0; chain < kernels.count; ++chain) {
    const std::span<double> kernel = kernels.of_chain(chain);
    const Token* const x = text.tokens.data() + chain * passage;
    for (Index l = kernels.longest_lag(); l < passage; ++l) {
      Index context = 0;
      for (const Index lag : kernels.parents) context = context * d + x[l - lag];
      kernel[size(context * d + x[l])] += 1.0;
    }
    for (Index context = 0; context < contexts; ++context) {
      const std::span<double> row = kernel.subspan(size(context * d), size(d));
      double total = 0.0;
      for (const double count : row) total += count;
      for (double& entry : row) entry = (entry + alpha) / (total + static_cast<double>(d) * alpha);
    }
  }
  return kernels;
}

Sequences passages_of_text(const TextTokens& text, Index length, Index first, Index count) {
  Sequences sequences;
  sequences.vocabulary = text.vocabulary;
  sequences.length = length;
  sequences.count = count;
  const auto begin = text.tokens.begin() + first * (length + 1);
  sequences.tokens.assign(begin, begin + count * (length + 1));
  return sequences;
}

}  // namespace gihflow
