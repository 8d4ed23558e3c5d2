#include "gihflow/base/random.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <set>
#include <vector>

#include "support/statistics.hpp"

using namespace gihflow;
using gihflow::testing::kolmogorov_p_value;
using gihflow::testing::least_p_value;

using Words = std::array<std::uint32_t, 4>;

TEST_CASE("philox4x32-10 gives Random123's known answers") {
  CHECK(philox4x32_10({0, 0, 0, 0}, {0, 0}) ==
        Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox4x32_10({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("a stream is Philox with the documented key and counter") {
  const std::uint64_t seed = 0x0123456789abcdefu;
  const Index chain = 0x1122334455667788;
  Stream stream(seed, Purpose::rank, Variate::tokens, chain);
  for (std::uint32_t block = 0; block < 5; ++block) {
    const Words words =
        philox4x32_10({block, 3 + 256 * 2, 0x55667788, 0x11223344}, {0x89abcdef, 0x01234567});
    CHECK(stream.bits() == (std::uint64_t{words[1]} << 32 | words[0]));
    CHECK(stream.bits() == (std::uint64_t{words[3]} << 32 | words[2]));
  }
}

TEST_CASE("streams give the numbers they have always given") {
  Stream stream(1, Purpose::train, Variate::kernel, 0);
  CHECK(stream.bits() == 0xe50a0ebce3e80670u);
  CHECK(stream.bits() == 0xb615aa2795f222c0u);
  CHECK(stream.bits() == 0xdfc5ccbeac08141bu);
  Stream uniforms(7, Purpose::validation, Variate::tokens, 12);
  CHECK(uniforms.uniform() == 0x1.f94c5e02eefa2p-2);
  CHECK(uniforms.uniform() == 0x1.22dc54d26fcp-11);
  CHECK(uniforms.uniform() == 0x1.b4ba9015170f6p-2);
}

TEST_CASE("seed, purpose, variate and chain each select another stream") {
  std::set<std::uint64_t> first;
  std::size_t streams = 0;
  for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 32}) {
    for (const Purpose purpose : {Purpose::train, Purpose::validation, Purpose::test}) {
      for (const Variate variate : {Variate::kernel, Variate::initial, Variate::order}) {
        for (const Index chain : {Index{0}, Index{1}, Index{1} << 32}) {
          first.insert(Stream(seed, purpose, variate, chain).bits());
          ++streams;
        }
      }
    }
  }
  CHECK(first.size() == streams);
}

TEST_CASE("uniforms in bulk are the uniforms one by one") {
  for (std::size_t before = 0; before < 4; ++before) {
    for (const std::size_t count : {0u, 1u, 2u, 3u, 31u, 32u, 33u, 64u, 100u, 515u}) {
      Stream single(3, Purpose::test, Variate::tokens, 5);
      Stream bulk(3, Purpose::test, Variate::tokens, 5);
      for (std::size_t i = 0; i < before; ++i) CHECK(single.uniform() == bulk.uniform());
      std::vector<std::uint64_t> values(count);
      bulk.fractions(values);
      for (const std::uint64_t k : values)
        CHECK((static_cast<double>(k) + 0.5) * 0x1p-52 == single.uniform());
      CHECK(bulk.bits() == single.bits());
    }
  }
}

TEST_CASE("uniforms are uniform, and successive ones independent") {
  Stream stream(11, Purpose::test, Variate::tokens, 0);
  std::vector<double> samples(100'000);
  for (double& sample : samples) sample = stream.uniform();
  double lag_one = 0.0;
  for (std::size_t i = 0; i + 1 < samples.size(); ++i) {
    lag_one += (samples[i] - 0.5) * (samples[i + 1] - 0.5);
  }
  for (const double u : samples) CHECK_UNARY(u > 0.0 && u < 1.0);
  CHECK(kolmogorov_p_value(samples, [](double u) { return u; }) > least_p_value);
  // Each product has mean 0 and variance 1/144; the sum of n of them is normal: |z| < 3.9 at p =
  // 1e-4.
  CHECK(std::abs(lag_one) * 12.0 / std::sqrt(static_cast<double>(samples.size())) < 3.9);
}

TEST_CASE("passing over draws leads to where drawing them does") {
  for (int before = 0; before < 4; ++before) {
    for (std::uint64_t over = 0; over < 9; ++over) {
      Stream drawn(3, Purpose::test, Variate::order, 1), passed = drawn;
      for (int i = 0; i < before; ++i) CHECK(drawn.bits() == passed.bits());
      for (std::uint64_t i = 0; i < over; ++i) drawn.bits();
      passed.skip(over);
      for (int i = 0; i < 3; ++i) CHECK(drawn.bits() == passed.bits());
    }
  }
}
