#pragma once

#include <span>
#include <string>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/chain/kernel.hpp"
#include "gihflow/chain/sequence.hpp"

namespace GIHFLOW_API gihflow {

/// A text as tokens: one for each of its d − 1 most frequent characters, and one for all others.
struct TextTokens {
  Index vocabulary = 0;  ///< d
  /// Characters of the tokens 0 … d−2, most frequent first, ties by code point.
  std::vector<std::string> alphabet;
  std::vector<Token> tokens;  ///< one per character; d − 1 for those not in the alphabet
};

/// Tokens of a text in UTF-8. Throws InputError: not UTF-8; fewer different characters than
/// `vocabulary`, which is at least 2.
TextTokens tokens_of_text(const std::string& text, Index vocabulary);

/// Kernels of consecutive passages of `passage` characters, 0 for the whole text: (n_{z,e} +
/// α)/(n_z + dα) with n the counts of (context, token) in the passage, the posterior mean of a
/// Dirichlet(α) kernel. Characters after the last full passage are not used. Throws InputError: a
/// passage longer than the text or not longer than r_n; lags that are not are_parents(); α not
/// positive and finite; more than max_windows entries of a kernel.
Kernels kernels_of_text(const TextTokens& text, std::vector<Index> parents, double alpha,
                        Index passage);

/// `count` consecutive passages of length + 1 characters as sequences, from passage `first`
/// (0-based) on; the text must be long enough.
Sequences passages_of_text(const TextTokens& text, Index length, Index first, Index count);

}  // namespace gihflow
