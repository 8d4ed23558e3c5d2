#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cli/commands.hpp"
#include "cli/json.hpp"
#include "cli/table.hpp"
#include "gihflow/base/context.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/parallel.hpp"
#include "gihflow/base/subsets.hpp"
#include "gihflow/information/chi_square.hpp"
#include "gihflow/record/kernel_file.hpp"
#include "gihflow/record/run_file.hpp"
#include "gihflow/run/train.hpp"
#include "gihflow/theory/distance.hpp"

namespace gihflow::cli {

namespace {

/// Distances at one length and prior.
struct CheckPoint {
  Index length = 0;
  double alpha = 0;
  Distance limit;    ///< to GIH(S*)
  Distance leading;  ///< to GIH of the run's own leading set
  bool passed = false;
  std::vector<Substitution> substitutions;
  Parts missing;  ///< none where it passed
};

struct CheckResult {
  std::vector<Index> information_set, leading_set;
  double tolerance = 0;
  Index chains = 0;
  bool with_alpha = true;  ///< chains come from a prior, not from given kernels
  std::vector<CheckPoint> points;
  bool passed() const {
    return std::all_of(points.begin(), points.end(), [](const CheckPoint& p) { return p.passed; });
  }
};

std::string set_name(const std::vector<Index>& lags) {
  return fmt::format("{{{}}}", to_string_lags(lags));
}

std::string part_name(const std::string& part) {
  if (part == "selector") return "selector (p)";
  return part == "copier" ? "copier (attention)" : "classifier (a)";
}

std::string part_list(const Parts& parts, bool with_symbols) {
  std::string text;
  for (const std::string& name : names_of(parts)) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", with_symbols ? part_name(name) : name);
  }
  return text;
}

/// Chains like a run's, of another length, prior and purpose.
class FreshChains {
 public:
  FreshChains(const Setting& run, const std::string& path) : sampling_(run.sampling) {
    if (!run.data.empty()) {
      throw InputError(
          fmt::format("{}: was trained on the sequences of {}: check needs a run whose chains "
                      "were drawn from a prior or from kernels, so that fresh ones can be drawn",
                      path, run.data));
    }
    if (!run.kernels.empty()) kernels_ = std::make_shared<const Kernels>(read_kernels(run.kernels));
    sampling_.purpose = Purpose::check;
    sampling_.labels = Labels::sampled;  // not read
  }

  bool from_prior() const { return kernels_ == nullptr; }
  SamplingOptions options(Index length, double alpha, Index count) const {
    SamplingOptions sampling = sampling_;
    sampling.length = length;
    sampling.prior.alpha = alpha;
    sampling.count = count;
    return sampling;
  }
  std::vector<std::string> errors(const SamplingOptions& sampling) const {
    return sampling_errors(sampling, kernels_.get());
  }
  std::unique_ptr<SequenceSource> draw(const SamplingOptions& sampling) const {
    return from_prior() ? sample_prior(sampling) : sample_kernels(kernels_, sampling);
  }
  /// S* over the run's prior, of sets that the model can see.
  std::vector<Index> information_set(const Model& model, Index count) const {
    const Kernels kernels =
        from_prior() ? draw_kernels(sampling_.prior, sampling_.seed, Purpose::rank, count)
                     : *kernels_;
    return elements_of(rank_lag_sets(kernels, model.widest(), model.degree).information_set().lags);
  }

 private:
  SamplingOptions sampling_;
  std::shared_ptr<const Kernels> kernels_;
};

CheckResult check_run(const RunFile& run, const Setting& asked, const std::string& path) {
  Setting trained = setting_of_config(run.provenance.config, path);
  if (asked.check_seed) trained.sampling.seed = *asked.check_seed;
  const Model& model = trained.model;
  const FreshChains fresh(trained, path);

  std::vector<Index> lengths = asked.check_lengths;
  if (lengths.empty()) lengths.push_back(trained.sampling.length);
  std::vector<double> alphas = asked.check_alphas;
  if (!alphas.empty() && !fresh.from_prior()) {
    throw InputError(
        fmt::format("--alphas: must be left out, since {} was trained on the kernels of {}", path,
                    trained.kernels));
  }
  if (alphas.empty()) alphas.push_back(trained.sampling.prior.alpha);
  ErrorList errors;
  for (const Index length : lengths) {
    if (model.boundary == Boundary::masked && length <= model.widest()) {
      errors.add(fmt::format("--lengths {}: must exceed the widest lag, {}, with boundary masked",
                             length, model.widest()));
    }
    for (const std::string& message :
         fresh.errors(fresh.options(length, alphas.front(), asked.fresh_chains))) {
      errors.add(message);
    }
  }
  errors.throw_if_any();

  const Parameters& parameters = final_parameters(run.state);
  CheckResult result;
  result.tolerance = asked.tolerance;
  result.chains = asked.fresh_chains;
  result.with_alpha = fresh.from_prior();
  result.information_set = fresh.information_set(model, asked.fresh_chains);
  result.leading_set = leading_lags(parameters, model);
  const std::vector<double> p = parameters.p();
  for (const double alpha : alphas) {
    for (const Index length : lengths) {
      if (interrupt_requested()) return result;
      const WindowSample sample(model,
                                *fresh.draw(fresh.options(length, alpha, asked.fresh_chains)));
      const auto y = sample.predict(sample.scores(p, parameters.w), parameters.a);
      CheckPoint point;
      point.length = length;
      point.alpha = alpha;
      point.limit =
          distance(sample.gih(result.information_set), y, model.vocabulary, model.epsilon);
      point.leading = distance(sample.gih(result.leading_set), y, model.vocabulary, model.epsilon);
      point.passed = point.limit.total_variation <= asked.tolerance;
      if (!point.passed) {
        point.substitutions = substitutions(sample, parameters, result.information_set);
        point.missing = missing_parts(point.substitutions, asked.tolerance);
      }
      result.points.push_back(std::move(point));
    }
  }
  return result;
}

Json json_distance(const Distance& d) {
  return {{"total_variation", json_number(d.total_variation)},
          {"total_variation_standard_error", json_number(d.total_variation_error)},
          {"kl", json_number(d.kl)},
          {"kl_standard_error", json_number(d.kl_error)},
          {"argmax_agreement", json_number(d.argmax_agreement)}};
}

std::string as_json(const CheckResult& result) {
  Json points = Json::array();
  for (const CheckPoint& point : result.points) {
    Json json{{"length", point.length}};
    json["alpha"] = result.with_alpha ? json_number(point.alpha) : Json();
    json["chains"] = result.chains;
    json["to_information_set"] = json_distance(point.limit);
    json["to_leading_set"] = json_distance(point.leading);
    json["passed"] = point.passed;
    json["missing"] = names_of(point.missing);
    Json substituted = Json::array();
    for (const Substitution& s : point.substitutions) {
      substituted.push_back({{"ideal", names_of(s.parts)},
                             {"a", json_number(s.a)},
                             {"total_variation", json_number(s.total_variation)}});
    }
    json["substitutions"] = std::move(substituted);
    points.push_back(std::move(json));
  }
  return to_text({{"information_set", result.information_set},
                  {"leading_set", result.leading_set},
                  {"tolerance", json_number(result.tolerance)},
                  {"results", points},
                  {"passed", result.passed()}});
}

std::string as_table(const CheckResult& result) {
  std::string text = fmt::format(
      "information set S* {}, leading set of the run {}, {} fresh chains for each row\n\n",
      set_name(result.information_set), set_name(result.leading_set), result.chains);
  Table table;
  table.add({"length", "alpha", "total variation", "KL", "argmax", "to leading set", "verdict"});
  for (const CheckPoint& p : result.points) {
    table.add({fmt::format("{}", p.length), result.with_alpha ? number(p.alpha) : "-",
               with_error(p.limit.total_variation, p.limit.total_variation_error),
               with_error(p.limit.kl, p.limit.kl_error),
               fmt::format("{:.4f}", p.limit.argmax_agreement),
               fmt::format("{:.5f}", p.leading.total_variation), p.passed ? "PASS" : "FAIL"});
  }
  text += table.text();
  for (const CheckPoint& p : result.points) {
    if (p.passed) continue;
    text += fmt::format("\nlength {}, alpha {}: missing {}\n", p.length,
                        result.with_alpha ? number(p.alpha) : "-", part_list(p.missing, true));
    Table parts;
    parts.add({"ideal parts", "a", "total variation"});
    for (const Substitution& s : p.substitutions) {
      const std::string names = part_list(s.parts, false);
      parts.add(
          {names.empty() ? "none" : names, number(s.a), fmt::format("{:.5f}", s.total_variation)});
    }
    text += parts.text();
  }
  return text + fmt::format("\ntotal variation to the limit {} {} at every length and prior: {}\n",
                            result.passed() ? "within" : "not within", result.tolerance,
                            result.passed() ? "PASS" : "FAIL");
}

}  // namespace

int check(const Invocation& invocation) {
  const Assembled assembled = assemble(invocation.line);
  std::vector<std::string> errors = invocation.errors;
  errors.insert(errors.end(), assembled.faults.sentences.begin(), assembled.faults.sentences.end());
  if (!errors.empty()) throw InputError(std::move(errors));
  const Setting& asked = assembled.setting;
  const RunFile run = read_run(invocation.file);
  const ContextScope scope({.threads = asked.threads});
  if (!asked.quiet && run.state.outcome != Outcome::reached) {
    say(fmt::format("note: {} ended before its schedule did: {}\n", invocation.file,
                    to_string(run.state.outcome)));
  }
  const CheckResult result = check_run(run, asked, invocation.file);
  if (interrupt_requested()) return exit_code(Outcome::interrupted);
  print(asked.json ? as_json(result) : as_table(result));
  return result.passed() ? 0 : 1;
}

}  // namespace gihflow::cli
