#include "gihflow/base/random.hpp"

#include <Random123/philox.h>

namespace gihflow {

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

// Philox4x32-10 at `lanes` successive counters at once, in the form that compilers turn into vector
// instructions: 1.6 times as fast. A test holds it against Random123's.
constexpr unsigned lanes = 16;
constexpr std::size_t draws = 2 * std::size_t{lanes};
using Lanes = std::array<std::uint64_t, draws>;  // as successive draws

Lanes philox_lanes(const std::array<std::uint32_t, 4>& counter,
                   const std::array<std::uint32_t, 2>& key) noexcept {
  std::uint32_t x0[lanes], x1[lanes], x2[lanes], x3[lanes];
  for (unsigned lane = 0; lane < lanes; ++lane) {
    x0[lane] = counter[0] + lane;
    x1[lane] = counter[1];
    x2[lane] = counter[2];
    x3[lane] = counter[3];
  }
  std::uint32_t key_0 = key[0], key_1 = key[1];
  for (int round = 0; round < 10; ++round) {
#pragma omp simd
    for (unsigned lane = 0; lane < lanes; ++lane) {
      const std::uint64_t p = std::uint64_t{PHILOX_M4x32_0} * x0[lane];
      const std::uint64_t q = std::uint64_t{PHILOX_M4x32_1} * x2[lane];
      x0[lane] = high(q) ^ x1[lane] ^ key_0;
      x2[lane] = high(p) ^ x3[lane] ^ key_1;
      x1[lane] = low(q);
      x3[lane] = low(p);
    }
    key_0 += PHILOX_W32_0;
    key_1 += PHILOX_W32_1;
  }
  Lanes words;
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    words[2 * lane] = join(x0[lane], x1[lane]);
    words[2 * lane + 1] = join(x2[lane], x3[lane]);
  }
  return words;
}

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

void Stream::uniforms(std::span<double> values) noexcept {
  std::size_t i = 0;
  while (i < values.size() && used_ < 2) values[i++] = uniform();
  for (; i + draws <= values.size(); i += draws) {
    const Lanes words = philox_lanes(counter_, key_);
    counter_[0] += lanes;
    for (std::size_t draw = 0; draw < draws; ++draw) values[i + draw] = to_uniform(words[draw]);
  }
  for (; i < values.size(); ++i) values[i] = uniform();
}

}  // namespace gihflow
