#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/record/isolation.hpp"

namespace GIHFLOW_API gihflow {

/// A column of a table of runs as it is read: texts, or numbers, with NaN where a run has none.
struct ReadColumn {
  std::string name, meaning, units;
  /// Of the entries of a value, "{1,2}" of sets of heads, "[1,3]" of other axes; {""} of a number.
  std::vector<std::string> entries = {""};
  std::vector<double> numbers;     ///< [rows, entries]; empty of texts
  std::vector<std::string> texts;  ///< [rows]; empty of numbers
};

/// The table in a file of many runs, without what it holds of trajectories.
struct SweepTable {
  std::string plan;  ///< empty: replicas of a command line
  std::string program_version, git_commit;
  std::size_t rows = 0;
  std::vector<ReadColumn> columns;  ///< by name
};

/// Reads the table of a file that write_sweep wrote; nothing where the file is of another kind.
/// Throws InputError where it cannot be read or is damaged.
std::optional<SweepTable> read_sweep_table(const std::string& path,
                                           Isolation isolation = Isolation::in_process);

}  // namespace gihflow
