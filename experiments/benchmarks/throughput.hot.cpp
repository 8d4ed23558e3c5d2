// Compiled once for every instruction set, as the hot loops are, from the same scalars.

#include "throughput.hpp"

#include "population/scalar.hpp"

namespace gihflow::GIHFLOW_ISA {

extern const hot::Throughput throughput;

namespace {

volatile double sink;

double multiply_add(std::int64_t rounds) {
  constexpr int packs = 12 / Pack::registers;  // twelve registers hide the latency of both
  Pack x[packs];
  for (int i = 0; i < packs; ++i) set(x[i], 0.1 * i);
  for (std::int64_t round = 0; round < rounds; ++round)
    for (int i = 0; i < packs; ++i) x[i] = x[i] * 0.999 + 0.001;
  for (int i = 0; i < packs; ++i) sink = sum_lanes(x[i]);
  return static_cast<double>(rounds) * packs * pack_lanes * 2;
}

constexpr std::int64_t packs = 128;

double count(std::int64_t rounds) {
  alignas(64) std::uint8_t counts[packs * pack_lanes];
  double e[packs];
  for (std::int64_t i = 0; i < packs * pack_lanes; ++i) counts[i] = static_cast<std::uint8_t>(i);
  for (std::int64_t i = 0; i < packs; ++i) e[i] = 1.0 / static_cast<double>(i + 1);
  for (std::int64_t round = 0; round < rounds; ++round) {
    Pack sum[2], n;
    for (Pack& x : sum) set(x, 0.0);
    for (std::int64_t i = 0; i < packs; i += 2)
      for (std::int64_t j = 0; j < 2; ++j) {
        load_counts(n, counts + (i + j) * pack_lanes);
        sum[j] = sum[j] + n * e[i + j];
      }
    sink = sum_lanes(sum[0] + sum[1]);
  }
  return static_cast<double>(rounds * packs);
}

template <class Function>
double each_pack(std::int64_t rounds, Function function) {
  Pack x[packs];
  for (std::int64_t i = 0; i < packs; ++i) set(x[i], 0.01 + static_cast<double>(i) / packs);
  for (std::int64_t round = 0; round < rounds; ++round) {
    for (std::int64_t i = 0; i < packs; ++i) x[i] = function(x[i]);
    sink = sum_lanes(x[round % packs]);
  }
  return static_cast<double>(rounds * packs);
}

double logarithms(std::int64_t rounds) {
  return each_pack(rounds, [](const Pack& x) { return logarithm(x * x + 2.0); });
}

double divide(std::int64_t rounds) {
  Pack one;
  set(one, 1.0);
  return each_pack(rounds, [&](const Pack& x) { return one / x; });
}

void read(const double* numbers, std::int64_t lines) {
  constexpr std::int64_t at_once = 8;
  Pack sum[at_once], x;
  for (Pack& y : sum) set(y, 0.0);
  for (std::int64_t i = 0; i + at_once <= lines; i += at_once)
    for (std::int64_t j = 0; j < at_once; ++j) {
      load(x, numbers + (i + j) * pack_lanes);
      sum[j] = sum[j] + x;
    }
  for (const Pack& y : sum) sink = sum_lanes(y);
}

}  // namespace

const hot::Throughput throughput = {multiply_add, count, logarithms, divide, read};

}  // namespace gihflow::GIHFLOW_ISA
