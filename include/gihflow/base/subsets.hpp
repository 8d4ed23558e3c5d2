#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/base/types.hpp"

namespace GIHFLOW_API gihflow {

/// Elements of a set at most, so many bits of a mask: heads of a model.
inline constexpr Index most_elements = 30;

/// The subsets S ⊆ {1, …, elements} with |S| ≤ degree, the empty set included, ordered by size and
/// then lexicographically: the order of c, p and every table in files. Bit h−1 of a mask stands for
/// element h. A degree above `elements` counts as `elements`. Throws InputError as subset_count
/// does.
std::vector<std::uint32_t> subsets(Index elements, Index degree);

/// Number of such subsets, Σ_{k ≤ degree} binomial(elements, k). Throws InputError above 2^24, for
/// elements outside [0, most_elements] and for degree < 0.
Index subset_count(Index elements, Index degree);

/// Position of `mask` in subsets(elements, degree), the same for every degree ≥ |S|. The cost does
/// not depend on the number of subsets.
Index subset_index(std::uint32_t mask, Index elements);

/// Elements of a mask, increasing, 1-based.
std::vector<Index> elements_of(std::uint32_t mask);

/// "{1,2}", "{}" for the empty set.
std::string to_string_subset(std::uint32_t mask);

}  // namespace gihflow
