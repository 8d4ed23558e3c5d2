#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/record/run_file.hpp"

namespace GIHFLOW_API gihflow {

/// Name and meaning of a recorded quantity, the same in files, in JSON and in docs/schema.md.
struct Description {
  const char* name;
  const char* meaning;      ///< the attribute long_name of a dataset
  const char* units = "1";  ///< "1" for a number without unit and for other types
  /// Axes: "" one value, "S" [subsets], "HM" [H, M], "Hd" [H, d], "Hdd" [H, d, d], "d" [d]; those
  /// of the containing table come first.
  const char* axes = "";
  const char* note = "";  ///< what docs/schema.md adds to the meaning
  /// Files of schema 2 may lack it; the value is then that of a new record.
  bool added = false;
};

/// A value of a field; std::monostate where it is absent.
using RecordValue = std::variant<std::monostate, bool, Index, std::uint64_t, double, std::string,
                                 std::vector<double>>;

/// Description of a member of a record, with access to it.
template <class Record>
struct RecordField : Description {
  RecordValue (*get)(const Record&);
  /// Throws InputError for a text that is not allowed. `value` must hold the same alternative as
  /// get() returns.
  void (*set)(Record&, const RecordValue& value);
};

/// All fields of a record, in the order of a file: of Provenance, StageRecord, StepStatistics,
/// IntegratorSwitch, StepperState, FlowState, DescentState, Execution, ProcessRecord, Baselines,
/// RunAccuracy and StandardErrors. Lists of records, x and method of StepperState and
/// StageRecord::statistics are not fields.
template <class Record>
std::span<const RecordField<Record>> fields();
/// Which files have a column. validated_runs: runs with validation chains; comparison files have it
/// for the flow and for every learning rate.
enum class RecordedIn { runs, validated_runs, runs_and_comparisons, comparisons };

/// A quantity recorded at every output time of a stage. Files, hashes, audits and comparisons loop
/// over snapshot_columns(), so a new quantity needs only an entry there.
struct SnapshotColumn : Description {
  std::vector<double> (*get)(const Snapshot&);
  /// Stores values in a snapshot whose parameters have the right sizes; null for a quantity
  /// computed from others.
  void (*set)(Snapshot&, std::span<const double>) = nullptr;
  /// The column that it follows from up to rounding; empty: none.
  const char* follows_from = "";
  RecordedIn files = RecordedIn::runs;
  /// Whether the flow conserves the column in a stage that trains these blocks; null: it never
  /// does.
  bool (*conserved)(const BlockSet&, const Parameters& shape) = nullptr;

  /// Whether run files have the column.
  bool in_runs() const { return files != RecordedIn::comparisons; }
  /// Whether comparison files have it.
  bool in_comparisons() const { return files >= RecordedIn::runs_and_comparisons; }
  /// Whether it is recorded for parameters of these sizes; not if it has no entries there.
  bool is_of(const Parameters& shape) const;
};

/// Sizes of the axes (see Description) for parameters of this shape.
std::vector<Index> shape_of(const char* axes, const Parameters& shape);

/// All columns in the order of a file; the first is t, the dimension scale of the others.
std::span<const SnapshotColumn> snapshot_columns();

/// The numbers of a record, in the order of its fields: reals, entries of vectors among them, and
/// integers, with 0 and 1 for bool.
struct FlatRecord {
  std::vector<double> reals;
  std::vector<Index> integers;
};
/// All counters.
FlatRecord flatten(const StepStatistics& statistics);
/// t, dt, x and next_output; if it is active, then the fields of its method.
FlatRecord flatten(const StepperState& stepper);

}  // namespace gihflow
