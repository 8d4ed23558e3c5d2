#include "base/ranks.hpp"

#include <utility>

namespace gihflow {

namespace {

thread_local Ranks* current = nullptr;

}  // namespace

RanksScope::RanksScope(Ranks& ranks)
    : before_(std::exchange(current, ranks.count() > 1 ? &ranks : nullptr)) {}

RanksScope::~RanksScope() {
  current = before_;
}

Ranks* ranks() noexcept {
  return current;
}

}  // namespace gihflow
