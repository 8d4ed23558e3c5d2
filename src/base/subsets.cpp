#include "gihflow/base/subsets.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "base/make_fault.hpp"
#include "gihflow/base/errors.hpp"

namespace gihflow {

namespace {

constexpr Index most_subsets = Index{1} << 24;

/// Binomial coefficient, n ≤ most_elements.
Index choose(Index n, Index k) {
  static constexpr auto pascal = [] {
    std::array<std::array<Index, most_elements + 1>, most_elements + 1> table{};
    for (std::size_t row = 0; row < table.size(); ++row) {
      table[row][0] = 1;
      for (std::size_t j = 1; j <= row; ++j)
        table[row][j] = table[row - 1][j - 1] + table[row - 1][j];
    }
    return table;
  }();
  return pascal[static_cast<std::size_t>(n)][static_cast<std::size_t>(k)];
}

}  // namespace

Index subset_count(Index elements, Index degree) {
  if (elements < 0 || elements > most_elements) {
    throw InputError(fault("subsets of", fmt::format("{} elements", elements),
                           "must be 0 to {} elements", most_elements));
  }
  if (degree < 0) throw InputError(fault(Field::degree, degree, "must be at least 0"));
  Index count = 0;
  for (Index size = 0; size <= std::min(degree, elements); ++size) count += choose(elements, size);
  if (count > most_subsets) {
    throw InputError(fault(Field::degree, fmt::format("{} of {} elements", degree, elements),
                           "makes {} subsets: must not exceed {}", count, most_subsets));
  }
  return count;
}

std::vector<std::uint32_t> subsets(Index elements, Index degree) {
  std::vector<std::uint32_t> all;
  all.reserve(static_cast<std::size_t>(subset_count(elements, degree)));
  for (Index size = 0; size <= std::min(degree, elements); ++size) {
    // All choices of one size in lexicographic order.
    std::vector<char> chosen(static_cast<std::size_t>(elements), 0);
    std::fill_n(chosen.begin(), size, 1);
    do {
      std::uint32_t mask = 0;
      for (std::size_t i = 0; i < chosen.size(); ++i)
        mask |= static_cast<std::uint32_t>(chosen[i]) << i;
      all.push_back(mask);
    } while (std::ranges::prev_permutation(chosen).found);
  }
  return all;
}

Index subset_index(std::uint32_t mask, Index elements) {
  const Index size = std::popcount(mask);
  Index index = choose(elements, size) - 1;
  for (Index smaller = 0; smaller < size; ++smaller) index += choose(elements, smaller);
  // Subtracts the sets of this size that come later: they share the first i elements and then have
  // a larger one.
  Index i = 0;
  for (const Index element : elements_of(mask)) index -= choose(elements - element, size - i++);
  return index;
}

std::vector<Index> elements_of(std::uint32_t mask) {
  std::vector<Index> elements;
  for (; mask != 0; mask &= mask - 1) elements.push_back(std::countr_zero(mask) + 1);
  return elements;
}

std::string to_string_subset(std::uint32_t mask) {
  std::string text = "{";
  for (const Index element : elements_of(mask)) {
    if (text.size() > 1) text += ',';
    text += std::to_string(element);
  }
  return text + '}';
}

}  // namespace gihflow
