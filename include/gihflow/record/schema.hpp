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
  const char* units = "1";  ///< "1" for a number without a unit and for what is not a number
  /// Axes: "" one value, "S" [subsets], "HM" [H, M], "Hd" [H, d], "Hdd" [H, d, d], "d" [d];
  /// those of the containing table come before.
  const char* axes = "";
  const char* note = "";  ///< what docs/schema.md adds to the meaning
};

/// A value of a field; std::monostate where it is absent.
using RecordValue = std::variant<std::monostate, bool, Index, std::uint64_t, double, std::string,
                                 std::vector<double>>;

/// A member of a record.
template <class Record>
struct RecordField : Description {
  RecordValue (*get)(const Record&);
  /// Throws InputError where a text is not one of the allowed ones. The alternative of `value` must
  /// be that of get().
  void (*set)(Record&, const RecordValue& value);
};

/// All fields of a record, in the order of a file: of Provenance, StageRecord, StepStatistics,
/// IntegratorSwitch, StepperState, FlowState, DescentState, Execution, ProcessRecord, Baselines,
/// RunAccuracy and StandardErrors. Lists of records, x and method of StepperState and
/// StageRecord::statistics are no fields.
template <class Record>
std::span<const RecordField<Record>> fields();
/// Which files have a column. validated_runs: runs with validation chains; comparisons have it for
/// the flow and for every learning rate.
enum class RecordedIn { runs, validated_runs, runs_and_comparisons, comparisons };

/// A quantity recorded at every output time of a stage. An entry of snapshot_columns() is all that
/// is needed for it to be written, read, hashed, audited and compared.
struct SnapshotColumn : Description {
  std::vector<double> (*get)(const Snapshot&);
  /// Puts values into a snapshot whose parameters have their sizes; null for a quantity that
  /// follows from others.
  void (*set)(Snapshot&, std::span<const double>) = nullptr;
  /// The column from which it follows, up to rounding; empty: none.
  const char* follows_from = "";
  RecordedIn files = RecordedIn::runs;
  /// Whether the flow of a stage that moves these blocks conserves the column; null: no column that
  /// it conserves.
  bool (*conserved)(const BlockSet&, const Parameters& shape) = nullptr;
  bool added = false;  ///< files of schema 2 may lack it: values stay those of a new Snapshot, NaN

  /// Whether run files have the column.
  bool in_runs() const { return files != RecordedIn::comparisons; }
  /// Whether comparison files have it.
  bool in_comparisons() const { return files >= RecordedIn::runs_and_comparisons; }
  /// Whether it is recorded of a model whose parameters have these sizes: not where it has no
  /// numbers.
  bool is_of(const Parameters& shape) const;
};

/// Shape of axes for parameters of this shape.
std::vector<Index> shape_of(const char* axes, const Parameters& shape);

/// In the order of a file; the first is t, the scale of the others.
std::span<const SnapshotColumn> snapshot_columns();

/// The numbers of a record, in the order of its fields: reals, entries of vectors among them, and
/// integers, with 0 and 1 for bool.
struct FlatRecord {
  std::vector<double> reals;
  std::vector<Index> integers;
};
/// All counters.
FlatRecord flatten(const StepStatistics& statistics);
/// t, dt, x and next_output, then the fields of its method; these only where it is active.
FlatRecord flatten(const StepperState& stepper);

}  // namespace gihflow
