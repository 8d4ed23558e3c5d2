#pragma once

#include <span>

#include "gihflow/base/types.hpp"

namespace gihflow {

/// What followed the context of a position: adds to counts [d] the tokens[l] = e of begin ≤ l < end
/// with tokens[l − lag] = tokens[at − lag] for every lag. No lag may reach before the first token.
void count_followers(std::span<const Token> tokens, Index begin, Index end, Index at,
                     std::span<const Index> lags, std::span<Index> counts);

}  // namespace gihflow
