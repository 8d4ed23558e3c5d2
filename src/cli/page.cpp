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
  const Assembled line = assembled(invocation);
  line.faults.throw_if_any();
  const Setting& asked = line.setting;
  std::vector<ReportSource> sources;
  for (const std::string& path : invocation.files) sources.push_back({path, path});
  const Reported reported = read_reported(std::move(sources), asked.isolation);
  const std::string path =
      asked.output.empty()
          ? std::filesystem::path(invocation.file).replace_extension("html").string()
          : asked.output;
  OutputFile file(path, asked.force);
  ProgressBar bar(asked.quiet);
  if (!file.note().empty()) bar.note(file.note());
  const std::string page = reported_page(reported, asked.as<ReportSetting>(), &bar);
  if (interrupt_requested()) return exit_code(Outcome::interrupted);
  file.replace(std::as_bytes(std::span(page)));
  bar.clear();
  print(fmt::format("written to {}; open it in a browser\n", path));
  return 0;
}

}  // namespace gihflow::cli
