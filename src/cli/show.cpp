#include "cli/commands.hpp"
#include "cli/report.hpp"
#include "gihflow/base/errors.hpp"

namespace gihflow::cli {

int show(const Invocation& invocation) {
  invocation.faults.throw_if_any();
  const RunFile run = read_run(invocation.file, Isolation::child);
  if (invocation.config_only) {
    print(run.provenance.config);
  } else if (invocation.line.values.contains(Field::json)) {
    print(run_json(run, invocation.file));
  } else {
    print(provenance_report(run, invocation.file) + "\nconfig\n" + run.provenance.config + "\n" +
          run_report(run));
  }
  return 0;
}

}  // namespace gihflow::cli
