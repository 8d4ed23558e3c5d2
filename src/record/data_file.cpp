#include "gihflow/record/data_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "base/make_fault.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/chain/distributions.hpp"
#include "gihflow/chain/kernel.hpp"
#include "gihflow/record/data_hash.hpp"
#include "record/provenance.hpp"

namespace gihflow {

namespace {

using hdf5::InputFile;

const char* const tokens_wanted = "integers, [N, L+1] with N and L at least 1";
const char* const vocabulary_wanted = "an integer from 2 to 65535";
const char* const parents_wanted = "increasing lags of at least 1";

std::string and_more(Index faults) {
  return faults > 1 ? fmt::format(" (and {} more)", faults - 1) : "";
}

std::optional<Index> read_vocabulary(InputFile& file) {
  const auto vocabulary = file.integer_attribute("/", "vocabulary_size", vocabulary_wanted);
  if (!vocabulary) return std::nullopt;
  if (*vocabulary < 2 || *vocabulary > max_vocabulary) {
    file.fault(
        fmt::format("attribute vocabulary_size {}: must be {}", *vocabulary, vocabulary_wanted));
    return std::nullopt;
  }
  return vocabulary;
}

void read_parents(InputFile& file, Sequences& sequences) {
  if (!file.has_attribute("/", "parents")) return;
  const auto parents = file.integers_attribute("/", "parents", parents_wanted);
  if (!parents) return;
  if (!are_parents(*parents)) {
    file.fault(fault("attribute parents", to_string_lags(*parents), parents_allowed));
  } else if (!parents->empty() && sequences.length > 0 && parents->back() > sequences.length) {
    file.fault(fmt::format("attribute parents: lag {} must not exceed the length L = {}",
                           parents->back(), sequences.length));
  }
  sequences.parents = *parents;
}

// Reads length, count and, if the vocabulary is known, tokens.
void read_tokens(InputFile& file, std::optional<Index> vocabulary, Sequences& sequences) {
  const auto dataset =
      file.dataset("/tokens", hdf5::Numbers::integers, tokens_wanted, sizeof(Token));
  if (!dataset) return;
  if (dataset->shape.size() != 2 || dataset->shape[0] < 1 || dataset->shape[1] < 2) {
    file.fault(fmt::format("/tokens has shape {}: must be {}", hdf5::to_string(dataset->shape),
                           tokens_wanted));
    return;
  }
  sequences.count = static_cast<Index>(dataset->shape[0]);
  sequences.length = static_cast<Index>(dataset->shape[1]) - 1;
  if (!vocabulary) return;

  const hsize_t columns = dataset->shape[1];
  Index faults = 0;
  std::string first;
  const auto take = [&](std::size_t begin, std::span<const std::int64_t> values) {
    sequences.tokens.reserve(dataset->entries());
    // Grows with the values read, so a declared size allocates nothing.
    sequences.tokens.resize(begin + values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::int64_t value = values[i];
      if (value < 0 || value >= *vocabulary) {
        if (faults++ == 0) {
          // HDF5 reads larger numbers as this one.
          const bool largest = value == std::numeric_limits<std::int64_t>::max();
          first = fmt::format("/tokens[{}, {}] {}{}", (begin + i) / columns, (begin + i) % columns,
                              value, largest ? " or more" : "");
        }
        continue;
      }
      sequences.tokens[begin + i] = static_cast<Token>(value);
    }
  };
  file.stream<std::int64_t>(*dataset, take);
  if (faults > 0) {
    file.fault(fmt::format("{}{}: must be a token from 0 to {}", first, and_more(faults),
                           *vocabulary - 1));
  }
}

void check_targets(InputFile& file, const Sequences& sequences) {
  Index negative = 0, unnormalised = 0;
  std::string first_negative, first_unnormalised;
  for (Index chain = 0; chain < sequences.count; ++chain) {
    double sum = 0.0;
    bool usable = true;
    const std::span<const double> row = sequences.targets_of(chain);
    for (std::size_t token = 0; token < row.size(); ++token) {
      sum += row[token];
      if (std::isfinite(row[token]) && row[token] >= 0.0) continue;
      usable = false;
      if (negative++ == 0) {
        first_negative = fmt::format("/targets[{}, {}] {}", chain, token, row[token]);
      }
    }
    if (usable && !sums_to_one(sum, row) && unnormalised++ == 0) {
      first_unnormalised = fmt::format("/targets, row {}, sums to {}", chain, sum);
    }
  }
  if (negative > 0) {
    file.fault(fmt::format("{}{}: must be a finite probability of at least 0", first_negative,
                           and_more(negative)));
  }
  if (unnormalised > 0) {
    file.fault(fmt::format("{}{}: must be 1 within {}", first_unnormalised, and_more(unnormalised),
                           sum_tolerance));
  }
}

std::string hash_of(const Sequences& sequences) {
  return data_hash(
      *stored_sequences(std::shared_ptr<const Sequences>(std::shared_ptr<void>(), &sequences)));
}

// Adds a fault if the file has a tokens_hash that is not that of its data.
void check_hash(InputFile& file, const Sequences& sequences) {
  const auto kept = file.text_attribute("/", "tokens_hash");
  if (!kept) return;
  const std::string hash = hash_of(sequences);
  if (*kept != hash) {
    file.fault(
        fmt::format("attribute tokens_hash {}: must be that of /tokens and /targets, {}, or "
                    "be left out",
                    *kept, hash));
  }
}

}  // namespace

Sequences read_data(const std::string& path, Isolation isolation) {
  InputFile file(path, isolation);
  Sequences sequences;
  const std::optional<Index> vocabulary = read_vocabulary(file);
  read_tokens(file, vocabulary, sequences);
  sequences.vocabulary = vocabulary.value_or(0);
  read_parents(file, sequences);
  if (file.has("/targets")) {
    const hdf5::Shape shape{static_cast<hsize_t>(sequences.count),
                            static_cast<hsize_t>(sequences.vocabulary)};
    if (vocabulary && sequences.count > 0) {
      if (auto targets = file.reals("/targets", shape)) {
        sequences.targets = std::move(*targets);
        check_targets(file, sequences);
      }
    } else {
      file.dataset("/targets", hdf5::Numbers::reals, "numbers, [N, d]");
    }
  }
  if (file.has_attribute("/", "tokens_hash") && !file.faulty()) check_hash(file, sequences);
  file.finish();
  return sequences;
}

void write_data(OutputFile& file, const Sequences& sequences, const Provenance& provenance) {
  const std::string hash = hash_of(sequences);
  write_image(file, [&](hdf5::Image& image) {
    const hsize_t chains = static_cast<hsize_t>(sequences.count);
    const hsize_t positions = static_cast<hsize_t>(sequences.length) + 1;
    const hsize_t tokens = static_cast<hsize_t>(sequences.vocabulary);
    write_provenance(image, provenance);
    image.attribute("/", "vocabulary_size", sequences.vocabulary);
    if (!sequences.parents.empty()) image.attribute("/", "parents", sequences.parents);
    image.attribute("/", "tokens_hash", hash);
    image.counting_scale("/chain", 0, chains, "chain");
    image.counting_scale("/position", 1, positions, "position l in the sequence, L+1 the label");
    image.dataset<std::uint16_t>("/tokens", sequences.tokens, {chains, positions},
                                 {"1", "tokens x_1 to x_{L+1}", {"/chain", "/position"}});
    if (!sequences.targets.empty()) {
      image.counting_scale("/token", 0, tokens, "token");
      image.dataset<double>("/targets", sequences.targets, {chains, tokens},
                            {"1", "label distribution T", {"/chain", "/token"}});
    }
  });
}

}  // namespace gihflow
