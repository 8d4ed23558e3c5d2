#include "cli/theory_setting.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/table.hpp"
#include "gihflow/population/infinite.hpp"

namespace gihflow::cli {

namespace {

constexpr Index most_kernels = 1000;

std::shared_ptr<const Kernels> first_kernels(const Problem& problem) {
  const std::shared_ptr<const Kernels>& all = problem.kernels;
  const Setting& setting = problem.setting;
  if (!all) {
    return std::make_shared<const Kernels>(
        draw_kernels(setting.sampling.prior, setting.sampling.seed, Purpose::train,
                     std::min(setting.sampling.count, most_kernels)));
  }
  if (all->count <= most_kernels) return all;
  Kernels some = *all;
  some.count = most_kernels;
  some.values.resize(static_cast<std::size_t>(most_kernels * some.contexts() * some.vocabulary));
  return std::make_shared<const Kernels>(std::move(some));
}

}  // namespace

TheorySetting theory_setting(const Problem& problem) {
  const Setting& setting = problem.setting;
  TheorySetting theory;
  theory.kernels = first_kernels(problem);
  theory.infinite = make_infinite_objective(setting.model, *theory.kernels);
  if (problem.infinite()) {
    theory.trained = make_infinite_objective(setting.model, *problem.chain_kernels());
  } else {
    theory.sequences = problem.chains();
    theory.trained = make_objective(setting.model, *theory.sequences, setting.engine);
  }
  theory.input.start = problem.start();
  theory.input.schedule = setting.stages;
  theory.input.kernels = theory.kernels.get();
  theory.input.infinite = theory.infinite.get();
  theory.input.trained = theory.trained.get();
  theory.input.sequences = theory.sequences.get();
  if (!problem.kernels) {
    theory.input.alpha = setting.sampling.prior.alpha;
    theory.input.floor = setting.sampling.prior.floor;
  }
  return theory;
}

Json json_subject(Quantity quantity, const Subject& subject) {
  Json json = Json::object();
  for (const auto& [name, value] : members_of(quantity, subject)) json[name] = value;
  return json;
}

std::string prediction_table(const std::vector<Prediction>& predictions,
                             const std::vector<double>& measured) {
  Table table;
  std::vector<std::string> head{"prediction", "stage", "units", "sharp", "as trained"};
  if (!measured.empty()) head.insert(head.end(), {"measured", "to sharp", "to as trained"});
  table.add(std::move(head));
  std::vector<std::string> regimes;
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    const Prediction& p = predictions[i];
    const bool is_set = !p.sharp_set.empty() || !p.trained_set.empty();
    auto known = std::find(regimes.begin(), regimes.end(), p.regime);
    if (known == regimes.end()) known = regimes.insert(regimes.end(), p.regime);
    std::vector<std::string> row{
        fmt::format("{} [{}]", label(p.quantity, p.subject), known - regimes.begin() + 1),
        phase_of(p.quantity), units_of(p.quantity), is_set ? p.sharp_set : number(p.sharp),
        is_set ? p.trained_set : number(p.trained)};
    if (!measured.empty()) {
      const auto change = [&](double predicted) {
        const double x = measured[i] / predicted - 1.0;
        return std::isfinite(x) ? fmt::format("{:+.2f} %", 100.0 * x) : std::string("-");
      };
      row.insert(row.end(), {is_set ? "" : number(measured[i]), is_set ? "" : change(p.sharp),
                             is_set ? "" : change(p.trained)});
    }
    table.add(std::move(row));
  }
  std::string text = table.text() + "\nexact where:\n";
  for (std::size_t i = 0; i < regimes.size(); ++i) {
    text += fmt::format("[{}] {}\n", i + 1, regimes[i]);
  }
  return text;
}

}  // namespace gihflow::cli
