// The command `report`.

#include <fmt/format.h>

#include <filesystem>

#include "cli/commands.hpp"
#include "cli/progress.hpp"
#include "gihflow/base/context.hpp"
#include "gihflow/run/report.hpp"
#include "gihflow/run/train.hpp"

namespace gihflow::cli {

int report(const Invocation& invocation) {
  Assembled line = assembled(invocation);
  std::vector<ReportedRun> runs;
  std::optional<SweepTable> table;
  if (line.faults.empty() && invocation.files.size() == 1)
    table = read_sweep_table(invocation.file, line.setting.isolation);
  if (line.faults.empty() && !table) {
    for (const std::string& path : invocation.files) {
      try {
        runs.push_back({path, read_run(path, line.setting.isolation)});
      } catch (const InputError& error) {
        for (const Fault& fault : error.faults()) line.faults.add(fault);
      }
    }
  }
  line.faults.throw_if_any();
  const Setting& asked = line.setting;
  const std::string path =
      asked.output.empty()
          ? std::filesystem::path(invocation.file).replace_extension("html").string()
          : asked.output;
  OutputFile file(path, asked.force);
  ProgressBar bar(asked.quiet);
  if (!file.note().empty()) bar.note(file.note());
  const std::string page = table ? table_page(invocation.file, *table)
                                 : report_page(runs, asked.as<ReportSetting>(), &bar);
  if (interrupt_requested()) return exit_code(Outcome::interrupted);
  file.replace(std::as_bytes(std::span(page)));
  bar.clear();
  print(fmt::format("written to {}; open it in a browser\n", path));
  return 0;
}

}  // namespace gihflow::cli
