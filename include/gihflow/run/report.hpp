#pragma once

#include <span>
#include <string>

#include "gihflow/base/export.hpp"
#include "gihflow/record/run_file.hpp"
#include "gihflow/record/sweep_table.hpp"
#include "gihflow/run/config.hpp"
#include "gihflow/run/observer.hpp"
#include "gihflow/run/setting.hpp"

namespace GIHFLOW_API gihflow {

/// A run that a page shows.
struct ReportedRun {
  std::string name;  ///< its file, or what else to call it
  RunFile run;
  Inputs held = {};  ///< its chains, where the caller has them in memory in place of files
};

/// A page in HTML that shows runs side by side, on one slider over their flow time: attention,
/// weights, scale, losses, energy residual, what the model makes of some sequences of the run, the
/// predictions of theory beside what was measured, the verdict of check, certificates, provenance
/// and config. It holds all it needs and asks for nothing from elsewhere.
///
/// Chains are drawn again, or read from the files of the runs; those in `setting` are where these
/// have moved. What cannot be told of a run is left out, and the page says why. Every recorded
/// number is on the page as it is in the file; of a stage with more outputs than 400 (fewer with
/// many stages) only that many. Writes nothing. On an interrupt the text is empty. Throws
/// InputError for a run without any recorded point.
std::string report_page(std::span<const ReportedRun> runs, const ReportSetting& setting = {},
                        RunObserver* observer = nullptr);

/// A page in HTML that shows a table of runs: which of its members have become the induction head,
/// a chosen quantity over two swept options as a map and as curves, and all columns, sortable. It
/// holds all it needs. `name` is that of its file.
std::string table_page(const std::string& name, const SweepTable& table);

}  // namespace gihflow
