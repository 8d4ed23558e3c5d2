#include "gihflow/base/random.hpp"

#include <Random123/philox.h>

#include <algorithm>

#include "base/instruction_sets.hpp"
#include "base/philox.hpp"

namespace gihflow {

GIHFLOW_HOT(hot::PhiloxFunction, philox)

namespace {

constexpr std::uint32_t low(std::uint64_t x) {
  return static_cast<std::uint32_t>(x);
}
constexpr std::uint32_t high(std::uint64_t x) {
  return static_cast<std::uint32_t>(x >> 32);
}
constexpr std::uint64_t join(std::uint32_t l, std::uint32_t h) {
  return static_cast<std::uint64_t>(h) << 32 | l;
}

constexpr std::size_t draws_at_once = 2 * std::size_t{hot::philox_counters};

constexpr std::size_t fewest_pairs = 4;  // of draws that are worth taking so many at once

}  // namespace

std::array<std::uint32_t, 4> philox4x32_10(const std::array<std::uint32_t, 4>& counter,
                                           const std::array<std::uint32_t, 2>& key) noexcept {
  const r123::Philox4x32_R<10>::ctr_type c = {{counter[0], counter[1], counter[2], counter[3]}};
  const r123::Philox4x32_R<10>::key_type k = {{key[0], key[1]}};
  const auto out = r123::Philox4x32_R<10>{}(c, k);
  return {out[0], out[1], out[2], out[3]};
}

Stream::Stream(std::uint64_t seed, Purpose purpose, Variate variate, Index chain) noexcept
    : key_{low(seed), high(seed)},
      counter_{0, static_cast<std::uint32_t>(purpose) + 256 * static_cast<std::uint32_t>(variate),
               low(static_cast<std::uint64_t>(chain)), high(static_cast<std::uint64_t>(chain))} {}

void Stream::refill() noexcept {
  const auto words = philox4x32_10(counter_, key_);
  ++counter_[0];
  block_ = {join(words[0], words[1]), join(words[2], words[3])};
  used_ = 0;
}

void Stream::skip(std::uint64_t draws) noexcept {
  for (; draws > 0 && used_ < 2; --draws) ++used_;
  counter_[0] += static_cast<std::uint32_t>(draws / 2);
  if (draws % 2 != 0) bits();
}

void Stream::fractions(std::span<std::uint64_t> values) noexcept {
  static const hot::PhiloxFunction fill = GIHFLOW_HOT_OF(instruction_set(), philox);
  std::size_t i = 0;
  while (i < values.size() && used_ < 2) values[i++] = bits() >> 12;
  for (; i + draws_at_once <= values.size(); i += draws_at_once) {
    fill(counter_.data(), key_.data(), values.data() + i);
    counter_[0] += hot::philox_counters;
  }
  if (const std::size_t pairs = (values.size() - i) / 2; pairs >= fewest_pairs) {
    std::array<std::uint64_t, draws_at_once> more;
    fill(counter_.data(), key_.data(), more.data());
    i = static_cast<std::size_t>(
        std::copy_n(more.begin(), 2 * pairs, values.begin() + static_cast<std::ptrdiff_t>(i)) -
        values.begin());
    counter_[0] += static_cast<std::uint32_t>(pairs);
  }
  for (; i < values.size(); ++i) values[i] = bits() >> 12;
}

}  // namespace gihflow
