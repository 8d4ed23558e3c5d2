#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/base/types.hpp"
#include "gihflow/record/isolation.hpp"

namespace GIHFLOW_API gihflow {

/// How two rows of numbers of the same length differ, entry by entry. Equal means the same bits: +0
/// and −0 differ, a NaN equals itself. A number beside a NaN, or beside an infinity, is infinitely
/// far from it.
struct NumberDifference {
  std::size_t entries = 0;
  std::size_t different = 0;  ///< entries with other bits
  double absolute = 0.0;      ///< largest |a − b|
  double relative = 0.0;      ///< largest |a − b|/max(|a|, |b|)
  std::uint64_t ulp = 0;      ///< most doubles from one to the other
  std::size_t first = 0;      ///< index of the first entry that differs, if any does
};
/// How two arrays of equal size differ.
NumberDifference difference(std::span<const double> a, std::span<const double> b);
/// The same of integers, or of unsigned ones of the same bits.
NumberDifference difference(std::span<const std::int64_t> a, std::span<const std::int64_t> b,
                            bool is_unsigned);

/// A recorded output of a run: the point `index`, counted from 0, of a stage, counted from 1.
struct OutputPosition {
  Index stage = 0;
  Index index = 0;
  double t = 0.0;  ///< flow time since the stage's start, of the first file

  bool operator==(const OutputPosition&) const = default;
};

/// A dataset of two files, or another object or link where they are not the same.
struct DatasetDifference {
  std::string name;                     ///< its path in the file
  NumberDifference numbers;             ///< of texts, only how many differ
  std::string what;                     ///< why it cannot be compared number by number; else empty
  std::optional<OutputPosition> first;  ///< first output of a stage that differs

  /// Whether anything differs.
  bool differs() const { return numbers.different > 0 || !what.empty(); }
};

/// Something said in words, by an attribute or a line of the config; empty where a file does not
/// say it.
struct WordDifference {
  std::string name;
  std::string a, b;

  bool operator==(const WordDifference&) const = default;
};

/// How two files differ: runs, data, kernels, parameters, or any other HDF5 files. All that they
/// hold is compared, but the group /execution; what cannot be compared (references, lists of
/// varying length) counts as a difference and is named.
struct FileDifference {
  std::vector<DatasetDifference> datasets;  ///< all, those that agree too, in the order of a file
  std::vector<WordDifference> attributes;   ///< those that differ
  std::vector<WordDifference> config;       ///< lines that differ
  std::vector<WordDifference> program;      ///< versions that differ
  std::optional<OutputPosition> first;      ///< first output of a run that differs
  std::vector<std::string> first_names;     ///< datasets that differ there

  /// Whether datasets and attributes agree bit for bit; config and versions are how, not what.
  bool equal() const;
};

/// Throws InputError when a file cannot be read.
FileDifference compare_files(const std::string& a, const std::string& b,
                             Isolation isolation = Isolation::in_process);

}  // namespace gihflow
