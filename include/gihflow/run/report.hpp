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

/// A run to show on a page.
struct ReportedRun {
  std::string name;  ///< its file, or another name
  RunFile run;
  Inputs held = {};  ///< its chains, if the caller holds them in memory instead of files
};

/// An HTML page that shows runs side by side with one slider over their flow time: attention σ,
/// weights p, scale a, losses, energy residual, attention and predictions on some sequences of the
/// run, predictions of theory beside measurements, the verdict of check, certificates, provenance
/// and config. The page loads nothing from elsewhere.
///
/// Chains are drawn again or read from the files of the runs; `setting` names files that have
/// moved. Parts that cannot be computed for a run are left out, and the page says why. Recorded
/// numbers have all their digits; of a stage with more than 400 outputs (fewer with many stages)
/// only that many are shown. Writes no file. On an interrupt the result is empty. Throws InputError
/// for a run without any recorded point.
std::string report_page(std::span<const ReportedRun> runs, const ReportSetting& setting = {},
                        RunObserver* observer = nullptr);

/// An HTML page that shows a table of runs: which members have become the induction head, a chosen
/// quantity over two swept options as a map and as curves, and all columns, sortable. `name` is
/// that of the table's file.
std::string table_page(const std::string& name, const SweepTable& table);

}  // namespace gihflow
