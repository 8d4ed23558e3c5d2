#include <fmt/format.h>

#include <cmath>

#include "cli/commands.hpp"
#include "cli/json.hpp"
#include "cli/progress.hpp"
#include "cli/report.hpp"
#include "cli/table.hpp"
#include "gihflow/base/context.hpp"
#include "gihflow/base/subsets.hpp"
#include "gihflow/run/evaluate.hpp"
#include "gihflow/run/train.hpp"

namespace gihflow::cli {

namespace {

Json json_gradient(const std::vector<double>& c, const PlainBlocks& blocks, const Parameters& at) {
  Json json{{"c", c}};
  add_plain_arrays(json, blocks, at);
  return json;
}

std::string as_json(const Evaluation& result) {
  const auto number_of = [&](double Accuracy::*member) {
    return result.accuracy ? Json((*result.accuracy).*member) : Json();
  };
  const Json json = {
      {"loss", result.loss},
      {"loss_standard_error", result.errors.loss},
      {"accuracy", number_of(&Accuracy::share)},
      {"accuracy_standard_error", number_of(&Accuracy::error)},
      {"gradient", json_gradient(result.c, result.gradient, result.at)},
      {"gradient_standard_error", json_gradient(result.errors.c, result.errors, result.at)},
      {"engine", result.engine}};
  return to_text(json);
}

std::string as_table(const Evaluation& result, const Model& model) {
  Table table;
  table.add({"", "gradient", "standard error"});
  const auto add = [&](const std::string& name, double value, double error) {
    table.add({name, fmt::format("{:.8e}", value), small_number(error)});
  };
  const std::vector<std::uint32_t> masks = subsets(model.heads, model.degree);
  for (std::size_t s = 0; s < masks.size(); ++s) {
    add(fmt::format("c{}", to_string_subset(masks[s])), result.c[s], result.errors.c[s]);
  }
  for (const MovingPart& part : moving_parts(letters_of(model).c_str(), result.at, model.heads)) {
    const std::span<const double> gradient = part.in(result.gradient),
                                  error = part.in(result.errors);
    for (Index i = 0; i < part.size; ++i) {
      const auto k = static_cast<std::size_t>(i);
      add(part.array->letter == 'w'
              ? fmt::format("w head {} lag {}", part.head + 1, model.lag(part.head, i))
              : part.name(i),
          gradient[k], error[k]);
    }
  }
  const std::string accuracy =
      result.accuracy
          ? fmt::format(", accuracy {}", with_error(result.accuracy->share, result.accuracy->error))
          : "";
  return fmt::format("loss {} nats{}, engine {}\n\n", with_error(result.loss, result.errors.loss),
                     accuracy, result.engine) +
         table.text();
}

}  // namespace

int evaluate(const Invocation& invocation) {
  const Problem problem = prepare(invocation);
  const Setting& setting = problem.setting;
  ProgressBar bar(setting.quiet);
  const Evaluation result = gihflow::evaluate(problem, &bar);
  if (interrupt_requested()) return exit_code(Outcome::interrupted);
  bar.clear();
  if (std::isinf(result.loss)) bar.note(infinite_loss);
  print(setting.json ? as_json(result) : as_table(result, setting.model));
  return 0;
}

}  // namespace gihflow::cli
