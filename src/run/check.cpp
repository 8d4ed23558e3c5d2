#include "gihflow/run/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/make_fault.hpp"
#include "gihflow/base/context.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/interrupted.hpp"
#include "gihflow/base/subsets.hpp"
#include "gihflow/information/chi_square.hpp"
#include "gihflow/record/data_hash.hpp"
#include "gihflow/record/kernel_file.hpp"
#include "gihflow/run/resume.hpp"
#include "gihflow/theory/recall_law.hpp"
#include "run/text_chains.hpp"

namespace gihflow {

namespace {

// Chains like those of a run, but with another length, prior and purpose.
class FreshChains {
 public:
  FreshChains(const RunFile& file, const Setting& run, const CheckSetting& asked,
              const std::string& path, std::shared_ptr<const Kernels> held)
      : sampling_(run.sampling) {
    const bool passages = !run.text.empty() && run.text_as == TextUse::passages;
    if (!run.data.empty() || passages) {
      throw InputError(fault(path, "",
                             "was trained on the sequences of {}: check needs a run whose chains "
                             "were drawn from a prior or from kernels, so that fresh ones can be "
                             "drawn",
                             passages ? run.text : run.data));
    }
    if (!asked.kernels.empty() && run.kernels.empty()) {
      throw InputError(fault(Field::kernels, asked.kernels,
                             "must be left out, since {} has no given kernels", path));
    }
    if (asked.check_prior && is_recall()) {
      throw InputError(fault(Field::prior, to_string(*asked.check_prior),
                             "must be left out, since {} was trained on the recall task", path));
    }
    if (!asked.text.empty() && run.text.empty()) {
      throw InputError(
          fault(Field::text, asked.text, "must be left out, since {} has no text", path));
    }
    if (!run.kernels.empty() || !run.text.empty())
      take_kernels(file, run, asked, path, std::move(held));
    if (kernels_) sampling_.prior = prior_of(kernels_);
    keep_components(run);
    trained_ = sampling_.prior;
    if (asked.check_prior) {
      kernels_.reset();
      sampling_.prior.family = *asked.check_prior;
      keep_components(run);
    }
    if (asked.check_seed) sampling_.seed = *asked.check_seed;
    sampling_.purpose = Purpose::check;
    sampling_.labels = Labels::conditional;  // least Monte Carlo error
  }

  bool is_recall() const { return sampling_.task == Task::recall; }
  bool from_prior() const { return kernels_ == nullptr && !is_recall(); }
  SamplingOptions options(Index length, double alpha, Index count) const {
    SamplingOptions sampling = sampling_;
    sampling.length = length;
    if (from_prior()) sampling.prior.alpha = alpha;
    sampling.count = count;
    return sampling;
  }
  std::unique_ptr<SequenceSource> draw(const SamplingOptions& sampling) const {
    return kernels_ ? sample_kernels(kernels_, sampling) : sample_task(sampling);
  }
  // S* of the run's prior among the sets that the model can see.
  std::vector<Index> information_set(const Model& model, Index count) const {
    if (is_recall()) return {1};
    const auto* given = std::get_if<GivenKernels>(&trained_.family);
    const Kernels kernels =
        given ? *given->kernels : draw_kernels(trained_, sampling_.seed, Purpose::rank, count);
    return rank_lag_sets(kernels, model.used_lags(), model.degree).information_set().members;
  }

 private:
  // Fixes the kernels of a mixture to those of the run.
  void keep_components(const Setting& run) {
    if (auto* mixture = std::get_if<KernelMixture>(&sampling_.prior.family))
      mixture->seed = run.sampling.seed;
  }

  // Takes the given kernels of the run. Their file may have moved: kernels are the run's if they
  // give the hash of its chains.
  void take_kernels(const RunFile& file, const Setting& run, const CheckSetting& asked,
                    const std::string& path, std::shared_ptr<const Kernels> held) {
    const bool text = !run.text.empty();
    const std::string &theirs = text ? run.text : run.kernels,
                      &moved = text ? asked.text : asked.kernels;
    const std::string& place = moved.empty() ? theirs : moved;
    if (held && !text) {
      validate(*held, "kernels");
      kernels_ = std::move(held);
    } else {
      kernels_ = std::make_shared<const Kernels>(text ? text_kernels(run, place)
                                                      : read_kernels(place, asked.isolation));
    }
    const std::string hash = run.context == ContextLength::infinite
                                 ? kernel_hash(*kernels_)
                                 : data_hash(*sample_kernels(kernels_, run.sampling));
    if (hash == file.tokens_hash) return;
    throw InputError(fault(place + ": chains drawn from its kernels have the hash", hash,
                           "must be {}, that of the chains of {}", file.tokens_hash, path));
  }

  SamplingOptions sampling_;
  Prior trained_;  // the run's prior
  std::shared_ptr<const Kernels> kernels_;
};

// How much of a point to compute.
enum class Depth { verdict, all };

// Leaves out what depends on its chains alone.
CheckPoint check_point(const WindowSample& sample, const Parameters& parameters,
                       const CheckResult& goal, Depth depth) {
  const Model& model = sample.model();
  const auto y = sample.predict(sample.scores(point_of(parameters)), parameters.a);
  CheckPoint point;
  point.limit = distance(sample.gih(goal.information_set), y, model.vocabulary, model.epsilon);
  point.passed = point.limit.total_variation <= goal.tolerance;
  if (depth == Depth::verdict) return point;
  point.trained = predictor_line(y, sample.targets(), model);
  point.leading = distance(sample.gih(goal.leading_set), y, model.vocabulary, model.epsilon);
  if (!point.passed) {
    point.substitutions = substitutions(sample, parameters, goal.information_set);
    point.missing = missing_parts(point.substitutions, goal.tolerance);
  }
  return point;
}

CheckResult check_to(Depth depth, const RunFile& run, const std::string& path,
                     const CheckSetting& asked, RunObserver* observer, const Inputs& held) {
  const ContextScope scope({.threads = asked.threads});
  const GivingUp on_interrupt;
  if (observer != nullptr && run.state.outcome != Outcome::reached) {
    observer->note(
        fmt::format("{} ended before its schedule did: {}", path, to_string(run.state.outcome)));
  }
  Setting trained = setting_of_run(run, path);
  trained.model.positions = Positions::last;  // only x_{L+1} is predicted here
  const Model& model = trained.model;
  if (observer != nullptr && model.own_position) {
    observer->note(Phrase(Field::own_position,
                          ": a model that sees the position itself has no limit GIH, it ends in "
                          "mixtures"));
  }
  const FreshChains fresh(run, trained, asked, path, held.kernels);

  std::vector<Index> lengths = asked.check_lengths;
  if (lengths.empty()) lengths.push_back(trained.sampling.length);
  std::vector<double> alphas = asked.check_alphas;
  ErrorList errors;
  if (!alphas.empty() && !fresh.from_prior()) {
    errors.add(fault(Field::alphas, "", "must be left out, since {} was trained on {}", path,
                     fresh.is_recall() ? "the recall task"
                                       : "the kernels of " + trained.kernels + trained.text));
  }
  if (alphas.empty()) alphas.push_back(trained.sampling.prior.alpha);
  for (const Index length : lengths) {
    if (model.boundary == Boundary::masked && length <= model.widest()) {
      errors.add(fault(Field::lengths, length, "must exceed the widest lag, {}, with {} masked",
                       model.widest(), Field::boundary));
    }
    errors.add(task_errors(fresh.options(length, alphas.front(), asked.fresh_chains)));
  }
  errors.throw_if_any();

  const Parameters& parameters = final_parameters(run.state);
  CheckResult result;
  result.tolerance = asked.tolerance;
  result.chains = asked.fresh_chains;
  result.from_prior = fresh.from_prior();
  result.information_set = fresh.information_set(model, asked.fresh_chains);
  result.leading_set = leading_lags(parameters, model);
  for (const double alpha : alphas) {
    for (const Index length : lengths) {
      try {
        const auto chains = fresh.draw(fresh.options(length, alpha, asked.fresh_chains));
        CheckPoint point = check_point(WindowSample(model, *chains), parameters, result, depth);
        if (depth == Depth::all) point.lines = baselines(*chains, model, result.information_set);
        if (depth == Depth::all && fresh.is_recall()) {
          const Index left_out = model.boundary == Boundary::masked ? model.widest() : 0;
          point.recall = recall_accuracy(length - left_out, model.vocabulary - 1, parameters.a);
        }
        point.length = length;
        point.alpha = alpha;
        result.points.push_back(std::move(point));
      } catch (const Interrupted&) {
        if (result.points.empty()) throw;
        return result;
      }
    }
  }
  return result;
}

}  // namespace

bool CheckResult::passed() const {
  return std::all_of(points.begin(), points.end(), [](const auto& point) { return point.passed; });
}

CheckResult check(const std::string& path, const CheckSetting& asked, RunObserver* observer) {
  return check(read_run(path, asked.isolation), path, asked, observer);
}

CheckResult check(const RunFile& run, const std::string& path, const CheckSetting& asked,
                  RunObserver* observer, const Inputs& held) {
  return check_to(Depth::all, run, path, asked, observer, held);
}

CheckResult verdict(const RunFile& run, const std::string& path, const CheckSetting& asked) {
  return check_to(Depth::verdict, run, path, asked, nullptr, {});
}

}  // namespace gihflow
