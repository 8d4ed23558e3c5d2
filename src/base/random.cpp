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

// The upper 52 bits of each draw of Philox4x32-10 at `lanes` successive counters, in a form that
// compilers vectorise. A test compares it with Random123 and with uniform(). All arithmetic is on
// integers, so every instruction set gives the same bits.
constexpr unsigned lanes = 32;
constexpr std::size_t draws = 2 * std::size_t{lanes};

[[gnu::always_inline]] inline void philox_lanes(const std::uint32_t* counter,
                                                const std::uint32_t* key,
                                                std::uint64_t* fractions) {
  // 32-bit words in 64-bit lanes, as vector instructions multiply them.
  constexpr std::uint64_t word = 0xffffffffu;
  std::uint64_t x0[lanes], x1[lanes], x2[lanes], x3[lanes];
  for (unsigned lane = 0; lane < lanes; ++lane) {
    x0[lane] = (counter[0] + std::uint64_t{lane}) & word;
    x1[lane] = counter[1];
    x2[lane] = counter[2];
    x3[lane] = counter[3];
  }
  std::uint32_t key_0 = key[0], key_1 = key[1];
  for (int round = 0; round < 10; ++round) {
#pragma omp simd
    for (unsigned lane = 0; lane < lanes; ++lane) {
      const std::uint64_t p = std::uint64_t{PHILOX_M4x32_0} * (x0[lane] & word);
      const std::uint64_t q = std::uint64_t{PHILOX_M4x32_1} * (x2[lane] & word);
      x0[lane] = (q >> 32) ^ x1[lane] ^ key_0;
      x2[lane] = (p >> 32) ^ x3[lane] ^ key_1;
      x1[lane] = q & word;
      x3[lane] = p & word;
    }
    key_0 += PHILOX_W32_0;
    key_1 += PHILOX_W32_1;
  }
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    fractions[2 * lane] = (x0[lane] | x1[lane] << 32) >> 12;
    fractions[2 * lane + 1] = (x2[lane] | x3[lane] << 32) >> 12;
  }
}

// The function compiled for each instruction set.
using PhiloxLanes = void (*)(const std::uint32_t* counter, const std::uint32_t* key,
                             std::uint64_t* fractions);
void philox_baseline(const std::uint32_t* counter, const std::uint32_t* key,
                     std::uint64_t* fractions) {
  philox_lanes(counter, key, fractions);
}
#if defined(__x86_64__)
[[gnu::target("avx2")]] void philox_avx2(const std::uint32_t* counter, const std::uint32_t* key,
                                         std::uint64_t* fractions) {
  philox_lanes(counter, key, fractions);
}
[[gnu::target("avx512f,avx512dq,avx512vl,avx512bw")]] void philox_avx512(
    const std::uint32_t* counter, const std::uint32_t* key, std::uint64_t* fractions) {
  philox_lanes(counter, key, fractions);
}
PhiloxLanes best_philox() {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
    return philox_avx512;
  return __builtin_cpu_supports("avx2") ? philox_avx2 : philox_baseline;
}
#else
PhiloxLanes best_philox() {
  return philox_baseline;
}
#endif

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

void Stream::fractions(std::span<std::uint64_t> values) noexcept {
  static const PhiloxLanes fill = best_philox();
  std::size_t i = 0;
  while (i < values.size() && used_ < 2) values[i++] = bits() >> 12;
  for (; i + draws <= values.size(); i += draws) {
    fill(counter_.data(), key_.data(), values.data() + i);
    counter_[0] += lanes;
  }
  for (; i < values.size(); ++i) values[i] = bits() >> 12;
}

}  // namespace gihflow
