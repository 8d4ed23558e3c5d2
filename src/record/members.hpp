#pragma once

// Tables of members of records.

#include <algorithm>
#include <array>
#include <cstddef>

namespace gihflow {

/// The nested member that a chain of pointers to members gives.
template <auto... path>
auto& member(auto& record) {
  return (record.*....*path);
}

/// Concatenation of tables.
template <class T, std::size_t... sizes>
constexpr auto joined(const std::array<T, sizes>&... parts) {
  std::array<T, (sizes + ...)> all{};
  auto next = all.begin();
  ((next = std::copy(parts.begin(), parts.end(), next)), ...);
  return all;
}

}  // namespace gihflow
