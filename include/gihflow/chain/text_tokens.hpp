#pragma once

#include <span>
#include <string>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/chain/kernel.hpp"
#include "gihflow/chain/sequence.hpp"

namespace GIHFLOW_API gihflow {

/// A text as tokens: its most frequent characters, and one class for all others.
struct TextTokens {
  Index vocabulary = 0;               ///< d
  std::vector<std::string> alphabet;  ///< [d − 1] characters of the tokens 0 … d − 2, the most
                                      ///< frequent first, the smaller code point on ties
  std::vector<Token> tokens;  ///< of the text; d − 1 for every other character
};

/// Tokens of a text in UTF-8. Throws InputError: not UTF-8; fewer different characters than
/// `vocabulary`, which is at least 2.
TextTokens tokens_of_text(const std::string& text, Index vocabulary);

/// Kernels of consecutive passages of so many characters, 0 for the whole text: (n_{z,e} + α)/(n_z
/// + dα), n the counts of (context, token) in the passage, which is what is expected of a
/// Dirichlet(α) kernel after it. What is left at the end of the text is not looked at. Throws
/// InputError: a passage that is longer than the text or has no context; parents that are none; α
/// not above 0.
Kernels kernels_of_text(const TextTokens& text, std::vector<Index> parents, double alpha,
                        Index passage);

/// Consecutive passages of length + 1 characters as sequences, from passage `first` on.
Sequences passages_of_text(const TextTokens& text, Index length, Index first, Index count);

}  // namespace gihflow
