#pragma once

#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

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

/// What a page is asked to show.
struct ReportSource {
  std::string name;                        ///< its name on the page
  std::variant<std::string, RunFile> run;  ///< the path of a file, or a run in memory
  Inputs held = {};                        ///< as in ReportedRun
};

/// The content of a page: runs, or a table of many.
struct Reported {
  std::vector<ReportedRun> runs;
  std::string table_name = {};
  std::optional<SweepTable> table = {};
};

/// Reads the content of a page: a table if the only source is the file of one, else runs. Throws
/// InputError with the faults of all sources.
Reported read_reported(std::vector<ReportSource> sources,
                       Isolation isolation = Isolation::in_process);

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

/// report_page() or table_page(), by the content.
std::string reported_page(const Reported& reported, const ReportSetting& setting = {},
                          RunObserver* observer = nullptr);

}  // namespace gihflow
