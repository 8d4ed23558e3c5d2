// Compiled once for every instruction set, with GIHFLOW_ISA naming the set. Tests hold it against
// Random123's Philox and against draws one by one.

#include "base/philox.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace gihflow::GIHFLOW_ISA {

namespace {

#if defined(__AVX512F__)
constexpr int lanes = 8;
constexpr int at_once = 4;  // vectors: enough to hide a multiplication, few enough for registers
#elif defined(__AVX2__)
constexpr int lanes = 4;
constexpr int at_once = 2;
#else
constexpr int lanes = 2;
constexpr int at_once = 2;
#endif

// Words of 32 bits, each in the lower half of a lane. Upper halves may hold garbage: products read
// the lower halves only.
using Words [[gnu::vector_size(8 * lanes)]] = std::uint64_t;

Words all(std::uint64_t word) {
  return Words{} + word;
}

// Compilers do not find the 32×32-bit product.
Words product(const Words& x, const Words& y) {
#if defined(__AVX512F__)  // all lanes: the form without a mask warns
  return reinterpret_cast<Words>(
      _mm512_maskz_mul_epu32(0xff, reinterpret_cast<__m512i>(x), reinterpret_cast<__m512i>(y)));
#elif defined(__AVX2__)
  return reinterpret_cast<Words>(
      _mm256_mul_epu32(reinterpret_cast<__m256i>(x), reinterpret_cast<__m256i>(y)));
#elif defined(__x86_64__)
  return reinterpret_cast<Words>(
      _mm_mul_epu32(reinterpret_cast<__m128i>(x), reinterpret_cast<__m128i>(y)));
#else
  return (x & all(0xffffffffu)) * (y & all(0xffffffffu));
#endif
}

// Draws of lanes in order: the even one of each, then the odd one.
void store_draws(const Words& even, const Words& odd, std::uint64_t* to) {
#if defined(__AVX512F__)
  const Words front = __builtin_shufflevector(even, odd, 0, 8, 1, 9, 2, 10, 3, 11),
              back = __builtin_shufflevector(even, odd, 4, 12, 5, 13, 6, 14, 7, 15);
#elif defined(__AVX2__)
  const Words front = __builtin_shufflevector(even, odd, 0, 4, 1, 5),
              back = __builtin_shufflevector(even, odd, 2, 6, 3, 7);
#else
  const Words front = __builtin_shufflevector(even, odd, 0, 2),
              back = __builtin_shufflevector(even, odd, 1, 3);
#endif
  __builtin_memcpy(to, &front, sizeof front);
  __builtin_memcpy(to + lanes, &back, sizeof back);
}

// Constants of Salmon et al. 2011.
constexpr std::uint32_t multiplier_0 = 0xd2511f53, multiplier_1 = 0xcd9e8d57;
constexpr std::uint32_t key_step_0 = 0x9e3779b9, key_step_1 = 0xbb67ae85;

void fill(const std::uint32_t* counter, const std::uint32_t* key, std::uint64_t* fractions) {
  Words lane;
  for (int i = 0; i < lanes; ++i) lane[i] = static_cast<std::uint64_t>(i);
  constexpr int group = lanes * at_once;
  for (int first = 0; first < static_cast<int>(hot::philox_counters); first += group) {
    Words x0[at_once], x1[at_once], x2[at_once], x3[at_once];
    for (int i = 0; i < at_once; ++i) {
      x0[i] = lane + (counter[0] + static_cast<std::uint64_t>(first + i * lanes));
      x1[i] = all(counter[1]);
      x2[i] = all(counter[2]);
      x3[i] = all(counter[3]);
    }
    std::uint32_t key_0 = key[0], key_1 = key[1];
    for (int round = 0; round < 10; ++round) {
      for (int i = 0; i < at_once; ++i) {
        const Words p = product(x0[i], all(multiplier_0)), q = product(x2[i], all(multiplier_1));
        x0[i] = (q >> 32) ^ x1[i] ^ all(key_0);
        x2[i] = (p >> 32) ^ x3[i] ^ all(key_1);
        x1[i] = q;
        x3[i] = p;
      }
      key_0 += key_step_0;
      key_1 += key_step_1;
    }
    for (int i = 0; i < at_once; ++i) {
      const Words low = all(0xffffffffu);
      store_draws(((x0[i] & low) | x1[i] << 32) >> 12, ((x2[i] & low) | x3[i] << 32) >> 12,
                  fractions + 2 * (first + i * lanes));
    }
  }
}

}  // namespace

extern const hot::PhiloxFunction philox;

const hot::PhiloxFunction philox = fill;

}  // namespace gihflow::GIHFLOW_ISA
