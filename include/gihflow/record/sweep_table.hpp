#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/record/isolation.hpp"

namespace GIHFLOW_API gihflow {

/// A column of a table of runs as read from a file: texts, or numbers with NaN for absent ones.
struct ReadColumn {
  std::string name, meaning, units;
  /// Names of the entries of a value: "{1,2}" for sets of heads, "[1,3]" for other axes; {""} for a
  /// number.
  std::vector<std::string> entries = {""};
  std::vector<double> numbers;     ///< [rows, entries]; empty for texts
  std::vector<std::string> texts;  ///< [rows]; empty for numbers
};

/// The table in a file of many runs, without the ensembles.
struct SweepTable {
  std::string plan;  ///< empty: replicas of a command line
  std::string program_version, git_commit;
  std::size_t rows = 0;
  std::vector<ReadColumn> columns;  ///< in alphabetical order
};

/// Reads the table of a file of write_sweep; nullopt for a file of another kind. Throws InputError
/// if it cannot be read or is damaged.
std::optional<SweepTable> read_sweep_table(const std::string& path,
                                           Isolation isolation = Isolation::in_process);

}  // namespace gihflow
