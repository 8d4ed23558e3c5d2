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

/// Difference of two arrays of numbers of the same length, entry by entry. Equal means the same
/// bits: +0 and −0 differ, a NaN equals the same NaN. The distance of a number from a NaN or an
/// infinity is infinite.
struct NumberDifference {
  std::size_t entries = 0;
  std::size_t different = 0;  ///< entries with other bits
  double absolute = 0.0;      ///< largest |a − b|
  double relative = 0.0;      ///< largest |a − b|/max(|a|, |b|)
  std::uint64_t ulp = 0;      ///< largest number of doubles between the two
  std::size_t first = 0;      ///< index of the first entry that differs
};
/// Difference of two arrays of equal size.
NumberDifference difference(std::span<const double> a, std::span<const double> b);
/// The same for integers; with is_unsigned the bits are those of unsigned ones.
NumberDifference difference(std::span<const std::int64_t> a, std::span<const std::int64_t> b,
                            bool is_unsigned);

/// A recorded output of a run: the point `index`, counted from 0, of a stage, counted from 1.
struct OutputPosition {
  Index stage = 0;
  Index index = 0;
  double t = 0.0;  ///< flow time since the stage's start, from the first file

  bool operator==(const OutputPosition&) const = default;
};

/// Difference of a dataset of two files, or of another object or link that is not equal in both.
struct DatasetDifference {
  std::string name;                     ///< its path in the file
  NumberDifference numbers;             ///< for texts only the number that differ
  std::string what;                     ///< why it cannot be compared number by number; else empty
  std::optional<OutputPosition> first;  ///< first output of a stage that differs

  /// Whether anything differs.
  bool differs() const { return numbers.different > 0 || !what.empty(); }
};

/// An attribute or a line of the config as text in both files; empty in a file that does not have
/// it.
struct WordDifference {
  std::string name;
  std::string a, b;

  bool operator==(const WordDifference&) const = default;
};

/// Difference of two files: runs, data, kernels, parameters, or any other HDF5 files. Everything
/// but the group /execution is compared; what cannot be compared (references, lists of variable
/// length) counts as a difference and is named.
struct FileDifference {
  /// All datasets, equal ones too, in the order of a file.
  std::vector<DatasetDifference> datasets;
  std::vector<WordDifference> attributes;  ///< those that differ
  std::vector<WordDifference> config;      ///< lines that differ
  std::vector<WordDifference> program;     ///< versions that differ
  std::optional<OutputPosition> first;     ///< first output of a run that differs
  std::vector<std::string> first_names;    ///< datasets that differ there

  /// Whether datasets and attributes agree bit for bit; config and versions are not considered.
  bool equal() const;
};

/// Compares two files. Throws InputError if one cannot be read.
FileDifference compare_files(const std::string& a, const std::string& b,
                             Isolation isolation = Isolation::in_process);

}  // namespace gihflow
