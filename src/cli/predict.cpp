#include "cli/commands.hpp"
#include "cli/json.hpp"
#include "cli/theory_setting.hpp"
#include "gihflow/base/context.hpp"
#include "gihflow/base/parallel.hpp"
#include "gihflow/run/train.hpp"

namespace gihflow::cli {

int predict(const Invocation& invocation) {
  const Problem problem = prepare(invocation);
  const Setting& setting = problem.setting;
  print_notes(problem);
  const ContextScope scope({.threads = setting.threads});
  const TheorySetting theory = theory_setting(problem);
  const std::vector<Prediction> lines = predictions(theory.input);
  if (interrupt_requested()) return exit_code(Outcome::interrupted);
  if (!setting.json) {
    print(prediction_table(lines, {}));
    return 0;
  }
  Json json = Json::array();
  for (const Prediction& p : lines) {
    const bool is_set = !p.sharp_set.empty() || !p.trained_set.empty();
    json.push_back({{"phase", phase_of(p.quantity)},
                    {"name", to_string(p.quantity)},
                    {"subject", json_subject(p.quantity, p.subject)},
                    {"quantity", label(p.quantity, p.subject)},
                    {"units", units_of(p.quantity)},
                    {"sharp", is_set ? Json(p.sharp_set) : json_number(p.sharp)},
                    {"trained", is_set ? Json(p.trained_set) : json_number(p.trained)},
                    {"regime", p.regime}});
  }
  print(to_text({{"predictions", json}}));
  return 0;
}

}  // namespace gihflow::cli
