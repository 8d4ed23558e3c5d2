#include "gihflow/information/subsets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "gihflow/base/errors.hpp"

namespace gihflow {

namespace {

constexpr Index most_elements = 30;
constexpr Index most_subsets = Index{1} << 24;

}  // namespace

Index subset_count(Index elements, Index degree) {
  if (elements < 0 || elements > most_elements) {
    throw InputError(
        fmt::format("subsets of {} elements: must be 0 to {} elements", elements, most_elements));
  }
  if (degree < 0) throw InputError(fmt::format("degree {}: must be at least 0", degree));
  Index count = 0;
  Index of_size = 1;  // binomial(elements, size)
  for (Index size = 0; size <= std::min(degree, elements); ++size) {
    count += of_size;
    of_size = of_size * (elements - size) / (size + 1);
  }
  if (count > most_subsets) {
    throw InputError(fmt::format("degree {} of {} elements: makes {} subsets: must not exceed {}",
                                 degree, elements, count, most_subsets));
  }
  return count;
}

std::vector<std::uint32_t> subsets(Index elements, Index degree) {
  std::vector<std::uint32_t> all;
  all.reserve(static_cast<std::size_t>(subset_count(elements, degree)));
  std::vector<Index> chosen;  // increasing, 1-based
  for (Index size = 0; size <= std::min(degree, elements); ++size) {
    chosen.resize(static_cast<std::size_t>(size));
    for (Index i = 0; i < size; ++i) chosen[static_cast<std::size_t>(i)] = i + 1;
    for (;;) {
      std::uint32_t mask = 0;
      for (const Index element : chosen) mask |= std::uint32_t{1} << (element - 1);
      all.push_back(mask);
      // The rightmost element that can still grow does; those after it follow it closely.
      Index i = size - 1;
      while (i >= 0 && chosen[static_cast<std::size_t>(i)] == elements - size + i + 1) --i;
      if (i < 0) break;
      const Index grown = ++chosen[static_cast<std::size_t>(i)];
      for (Index j = i + 1; j < size; ++j) chosen[static_cast<std::size_t>(j)] = grown + j - i;
    }
  }
  return all;
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
