#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/json.hpp"
#include "cli/progress.hpp"
#include "cli/table.hpp"
#include "gihflow/base/context.hpp"
#include "gihflow/run/sample.hpp"
#include "gihflow/run/train.hpp"

namespace gihflow::cli {

namespace {

std::string summary(const Setting& setting, const std::string& hash) {
  Fields fields;
  fields.add("chains",
             fmt::format("{} of length {}", setting.sampling.count, setting.sampling.length));
  fields.add("vocabulary", fmt::format("{}", setting.model.vocabulary));
  fields.add("parents", to_string_lags(setting.sampling.prior.parents));
  fields.add("labels", to_string(*find_option(Field::labels)->get(setting)));
  fields.add("tokens hash", hash);
  fields.add("written to", setting.output);
  if (!setting.kernels_output.empty()) fields.add("kernels to", setting.kernels_output);
  return fields.text();
}

std::string summary_json(const Setting& setting, const std::string& hash) {
  Json json;
  json["file"] = setting.output;
  if (!setting.kernels_output.empty()) json["kernels_file"] = setting.kernels_output;
  json["chains"] = setting.sampling.count;
  json["length"] = setting.sampling.length;
  json["vocabulary_size"] = setting.model.vocabulary;
  json["parents"] = setting.sampling.prior.parents;
  json["labels"] = to_string(*find_option(Field::labels)->get(setting));
  json["seed"] = setting.sampling.seed;
  json["tokens_hash"] = hash;
  return to_text(json);
}

}  // namespace

int sample(const Invocation& invocation) {
  const Problem problem = prepare(invocation);
  const Setting& setting = problem.setting;
  if (answered_dry_run(problem)) return 0;
  ProgressBar bar(setting.quiet);
  const std::string hash = gihflow::sample(problem, &bar).tokens_hash;
  if (interrupt_requested()) return exit_code(Outcome::interrupted);
  print(setting.json ? summary_json(setting, hash) : summary(setting, hash));
  return 0;
}

}  // namespace gihflow::cli
