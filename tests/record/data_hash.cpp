#include "gihflow/record/data_hash.hpp"

#include <doctest/doctest.h>

#include <cstring>

using namespace gihflow;

namespace {

std::uint64_t hash_of(const char* text) {
  return fnv1a(std::as_bytes(std::span<const char>(text, std::strlen(text))));
}

SamplingOptions small_sample() {
  SamplingOptions options;
  options.length = 12;
  options.count = 70;
  return options;
}

}  // namespace

TEST_CASE("FNV-1a has its published values") {  // Fowler, Noll, Vo: test vectors
  CHECK(hash_of("") == 0xcbf29ce484222325u);
  CHECK(hash_of("a") == 0xaf63dc4c8601ec8cu);
  CHECK(hash_of("foobar") == 0x85944171f73967e8u);
}

TEST_CASE("a chain is hashed as 16-bit tokens and then binary64 targets") {
  const std::vector<Token> tokens{1, 258};
  const std::vector<double> targets{0.5};
  const std::vector<unsigned char> canonical{1, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0xe0, 0x3f};
  CHECK(chain_hash(tokens, targets) ==
        fnv1a(std::as_bytes(std::span<const unsigned char>(canonical))));
}

TEST_CASE("small tokens and large ones are hashed byte by byte") {
  for (const unsigned most : {2u, 3u, 4u, 5u, 65535u}) {
    for (std::size_t length = 0; length < 40; ++length) {
      std::vector<Token> tokens;
      std::vector<unsigned char> bytes;
      Stream stream(1, Purpose::test, Variate::tokens, static_cast<Index>(length));
      for (std::size_t l = 0; l < length; ++l) {
        tokens.push_back(static_cast<Token>(stream.bits() % most));
        bytes.push_back(static_cast<unsigned char>(tokens.back() & 0xff));
        bytes.push_back(static_cast<unsigned char>(tokens.back() >> 8));
      }
      CAPTURE(most);
      CAPTURE(length);
      CHECK(chain_hash(tokens, {}) == fnv1a(std::as_bytes(std::span<const unsigned char>(bytes))));
    }
  }
}

TEST_CASE("drawn, stored and hashed-while-drawn data agree, and other data differ") {
  const auto source = std::shared_ptr<const SequenceSource>(sample_prior(small_sample()));
  const std::string hash = data_hash(*source);
  CHECK(hash.size() == 16);
  const HashingSource hashing(source);
  auto sequences = std::make_shared<Sequences>(collect(hashing));
  CHECK(hashing.hash() == hash);
  CHECK(data_hash(*stored_sequences(sequences)) == hash);
  CHECK(hashing.parents() == source->parents());

  sequences->tokens[5] = static_cast<Token>((sequences->tokens[5] + 1) % 3);
  CHECK(data_hash(*stored_sequences(sequences)) != hash);
  SamplingOptions other = small_sample();
  other.seed = 2;
  CHECK(data_hash(*sample_prior(other)) != hash);
}
