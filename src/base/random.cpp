#include "gihflow/base/random.hpp"

#include <Random123/philox.h>

namespace gihflow {

namespace {

constexpr std::uint32_t low(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
constexpr std::uint32_t high(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }
constexpr std::uint64_t join(std::uint32_t l, std::uint32_t h) {
  return static_cast<std::uint64_t>(h) << 32 | l;
}

}  // namespace

std::array<std::uint32_t, 4> philox4x32_10(const std::array<std::uint32_t, 4>& counter,
                                           const std::array<std::uint32_t, 2>& key) noexcept {
  const r123::Philox4x32_R<10>::ctr_type c = {{counter[0], counter[1], counter[2], counter[3]}};
  const r123::Philox4x32_R<10>::key_type k = {{key[0], key[1]}};
  const auto out = r123::Philox4x32_R<10>{}(c, k);
  return {out[0], out[1], out[2], out[3]};
}

Stream::Stream(std::uint64_t seed, Purpose purpose, Quantity quantity, Index chain) noexcept
    : key_{low(seed), high(seed)},
      counter_{0, static_cast<std::uint32_t>(purpose) + 256 * static_cast<std::uint32_t>(quantity),
               low(static_cast<std::uint64_t>(chain)), high(static_cast<std::uint64_t>(chain))} {}

void Stream::refill() noexcept {
  const auto words = philox4x32_10(counter_, key_);
  ++counter_[0];
  block_ = {join(words[0], words[1]), join(words[2], words[3])};
  used_ = 0;
}

std::uint64_t Stream::bits() noexcept {
  if (used_ == 2) refill();
  return block_[used_++];
}

void Stream::uniforms(std::span<double> values) noexcept {
  std::size_t i = 0;
  while (i < values.size() && used_ < 2) values[i++] = uniform();
  for (; i + 2 <= values.size(); i += 2) {
    refill();
    values[i] = to_uniform(block_[0]);
    values[i + 1] = to_uniform(block_[1]);
    used_ = 2;
  }
  if (i < values.size()) values[i] = uniform();
}

}  // namespace gihflow
