// The option table: rows for chains, the model, training and other work, many runs, and outputs;
// and the presets.

#include <cmath>

#include "gihflow/chain/prior.hpp"
#include "run/option_rows.hpp"

namespace gihflow {

namespace {

// --- Why options have no effect ------------------------------------------------------------------

Phrase only_descent(const Setting& s) {
  return s.method == TrainingMethod::flow ? "the method is the flow" : Phrase();
}

Phrase only_flow(const Setting& s) {
  return s.method == TrainingMethod::gd ? "the method is gradient descent" : Phrase();
}

// --- Rows ----------------------------------------------------------------------------------------

constexpr Place training{"Training"};
constexpr Place flow{"Training", Role::problem, only_flow};
constexpr Place descent{"Training", Role::problem, only_descent};
constexpr Place checking{"Check", Role::handling};
constexpr Place auditing{"Audit", Role::handling};
constexpr Place computation{"Computation", Role::computation};
constexpr Place output{"Output", Role::handling};

/// A double has 16 digits: a flow that is asked for more of them may never end.
Range relative_tolerance() {
  return {Kind::real, "a finite number of at least 1e-16", [](const Value& value) {
            const double x = std::get<double>(value);
            return std::isfinite(x) && x >= 1e-16;
          }};
}

Option check_prior_row() {
  Option option = described<FreshSetting>(
      {Field::prior, "NAME",
       "Prior of the fresh sequences, as of a run; a mixture has the kernels of the run's seed",
       "the run's"},
      checking, prior_family());
  option.get = [](const Setting& s) -> std::optional<Value> {
    if (!s.check_prior) return std::nullopt;
    return to_string(*s.check_prior);
  };
  option.set = [](Setting& s, const Value& value) {
    s.check_prior = family_named(std::get<std::string>(value));
  };
  return option;
}

Option output_row() {
  Option option = row<OutputSetting>(
      {Field::output, "FILE", "File to write", "none"}, output, path(),
      [](auto& s) -> auto& { return s.output; });
  option.short_name = "o";
  return option;
}

std::vector<Option> work_rows() {
  return {
      row<StageSetting>(
          {Field::stages, "LIST",
           "Stages of training, BLOCKS:TIME each. BLOCKS are the letters of the parameters that move: c, w, a and, where the model has them, q, k, v, n; w[1,3] moves heads 1 and 3 alone, c{1,2} that set alone. TIME is flow time"},
          training, {Kind::words, "stages BLOCKS:TIME, as in c:2000,w:50000,a:5000"},
          [](auto& s) -> auto& { return s.stages; }),
      row<FlowSetting>(
          {Field::integrator, "NAME",
           "Integrator of the flow: Dormand-Prince 5(4), Fehlberg 7(8) or Rodas5P 5(4); auto is Dormand-Prince where the flow is not stiff, Rodas5P where it is; rosenbrock4 is an older name of rodas5p"},
          flow,
          {{"auto", Integrator::automatic},
           {"dopri5", Integrator::dopri5},
           {"fehlberg78", Integrator::fehlberg78},
           {"rodas5p", Integrator::rodas5p},
           {"rosenbrock4", Integrator::rodas5p}},
          [](auto& s) -> auto& { return s.flow.integrator; }),
      row<FlowSetting>(
          {Field::rtol, "X", "Relative tolerance of a step"}, flow, relative_tolerance(),
          [](auto& s) -> auto& { return s.flow.rtol; }),
      row<FlowSetting>(
          {Field::atol, "X", "Absolute tolerance of a step"}, flow, not_negative(),
          [](auto& s) -> auto& { return s.flow.atol; }),
      row<DescentSetting>(
          {Field::method, "NAME",
           "Follow the gradient flow, or step by gradient descent in the coordinates of the blocks"},
          training, {{"flow", TrainingMethod::flow}, {"gd", TrainingMethod::gd}},
          [](auto& s) -> auto& { return s.method; }),
      row<DescentSetting>(
          {Field::learning_rate, "X",
           "Learning rate of gradient descent, the flow time of a step; one number, or one for each stage"},
          descent,
          list(Kind::reals, "a finite number above 0, or one for each stage, as in 1,1e5,1",
               [](double rate) { return std::isfinite(rate) && rate > 0.0; }),
          [](auto& s) -> auto& { return s.learning_rate; }),
      row<DescentSetting>(
          {Field::rate_schedule, "NAME",
           "Keep the learning rate of a stage, or let it fall to 0 along a cosine; flow time goes on "
           "counting steps"},
          descent, {{"constant", RateSchedule::constant}, {"cosine", RateSchedule::cosine}},
          [](auto& s) -> auto& { return s.rate_schedule; }),
      row<DescentSetting>(
          {Field::warm_up, "K",
           "Steps at the start of each stage in which the learning rate rises linearly"},
          descent, integers(0), [](auto& s) -> auto& { return s.warm_up; }),
      row<RateSetting>(
          {Field::learning_rates, "LIST", "Learning rates of gradient descent"}, training,
          list(Kind::reals, "numbers above 0 with commas, as in 1,0.1,0.01",
               [](double rate) { return std::isfinite(rate) && rate > 0.0; }),
          [](auto& s) -> auto& { return s.learning_rates; }),
      row<DescentSetting>(
          {Field::optimizer, "NAME",
           "Plain gradient descent, with momentum 0.9, or Adam with its usual constants"},
          descent,
          {{"gd", Optimizer::gd}, {"momentum", Optimizer::momentum}, {"adam", Optimizer::adam}},
          [](auto& s) -> auto& { return s.optimizer; }),
      row<DescentSetting>(
          {Field::batch, "B",
           "Chains of a minibatch of gradient descent, in a fresh order each epoch; 0 takes all "
           "in every step"},
          descent, integers(0), [](auto& s) -> auto& { return s.batch; }),
      row<DescentSetting>(
          {Field::resample, "",
           Phrase("Draw fresh chains for every step of gradient descent, ", Field::batch,
                  " of them or as many as ", Field::chains)},
          descent, flag(), [](auto& s) -> auto& { return s.resample; }),
      row<FlowSetting>(
          {Field::outputs, "K", "Recorded points a stage, evenly spaced in log time"}, training,
          integers(2, 10'000'000), [](auto& s) -> auto& { return s.flow.outputs; }),
      row<FlowSetting>(
          {Field::first_output, "T", "First output time after 0, in flow time",
           "1 or a thousandth of the stage, whichever is less"},
          training, above_zero(), [](auto& s) -> auto& { return s.flow.first_output; }),
      row<FlowSetting>(
          {Field::max_steps, "K", "Stop after so many steps, accepted and rejected", "no limit"},
          training, integers(1), [](auto& s) -> auto& { return s.flow.max_steps; }),

      row<FreshSetting>(
          {Field::lengths, "LIST", "Context lengths of the fresh sequences", "the run's"}, checking,
          list(Kind::integers, "lengths of at least 1, as in 64,1024",
               [](double length) { return length >= 1 && length <= max_length; }),
          [](auto& s) -> auto& { return s.check_lengths; }),
      row<FreshSetting>(
          {Field::alphas, "LIST", "Concentrations of the priors of the fresh sequences",
           "the run's"},
          checking,
          list(Kind::reals, "finite numbers above 0, as in 0.1,1",
               [](double alpha) { return std::isfinite(alpha) && alpha > 0.0; }),
          [](auto& s) -> auto& { return s.check_alphas; }),
      check_prior_row(),
      row<FreshSetting>(
          {Field::fresh_chains, "N", "Fresh sequences for each length and prior"}, checking,
          integers(1), [](auto& s) -> auto& { return s.fresh_chains; }),
      row<FreshSetting>(
          {Field::tolerance, "X", "Mean total variation up to which a model is the limit"},
          checking, above_zero(), [](auto& s) -> auto& { return s.tolerance; }),

      row<StretchSetting>(
          {Field::stage, "K", "Stage whose stretches are looked at", "any"}, auditing,
          {Kind::integer, "an integer of at least 1", integers(1).accepts},
          [](auto& s) -> auto& { return s.audit_stage; }),
      row<StretchSetting>(
          {Field::from, "T",
           Phrase("Flow time in the stretch that is computed again, with ", Field::stage),
           "one stretch at random"},
          auditing, not_negative(), [](auto& s) -> auto& { return s.audit_from; }),
      row<StretchSetting>(
          {Field::all, "", Phrase("Compute all stretches again, of the run or of ", Field::stage)},
          auditing, flag(), [](auto& s) -> auto& { return s.audit_all; }),

      row<ModelSetting>(
          {Field::engine, "NAME",
           "Method that computes loss and gradient: dense for few windows, sparse for many, "
           "reference by the definition (slow); auto takes the faster of the first two"},
          {"Computation", Role::computation, no_sequences},
          {{"auto", Engine::automatic},
           {"dense", Engine::dense},
           {"sparse", Engine::sparse},
           {"reference", Engine::reference}},
          [](auto& s) -> auto& { return s.engine; }),
      row<DeviceSetting>(
          {Field::device, "NAME",
           "Where loss and gradient are computed; auto takes the faster one of the CPU and a CUDA "
           "card, where there is one and this program was built for it, by timing gradients"},
          computation, {{"auto", Device::automatic}, {"cpu", Device::cpu}, {"cuda", Device::cuda}},
          [](auto& s) -> auto& { return s.device; }),
      row<ThreadSetting>(
          {Field::threads, "K", "Threads; results do not depend on them",
           "every core that the process may use"},
          {"Computation", Role::handling}, integers(1, 1024),
          [](auto& s) -> auto& { return s.threads; }),
      row<ChainSetting>(
          {Field::seed, "K",
           "Seed of all random draws; a chain depends on the seed, what it is drawn for and its own number alone"},
          computation, integers(0), [](auto& s) -> auto& { return s.sampling.seed; }),
      row<FreshSetting>(
          {Field::seed, "K", "Seed of the fresh sequences", "the run's"},
          {"Computation", Role::handling}, integers(0),
          [](auto& s) -> auto& { return s.check_seed; }),
  };
}

std::vector<Option> output_rows() {
  return {
      output_row(),
      row<KernelOutputSetting>(
          {Field::kernels_output, "FILE", "File for the kernels of the chains too", "none"}, output,
          path(), [](auto& s) -> auto& { return s.kernels_output; }),
      row<RunSetting>(
          {Field::resume, "RUN",
           Phrase(
               "Continue this run file in place from its checkpoint, with its settings; other options must agree with them, but for ",
               Field::threads, ", ", Field::device, " auto, limits and those of this group; ",
               Field::force, " continues a run of another program version"),
           "none"},
          output, path(), [](auto& s) -> auto& { return s.resume; }),
      row<OutputSetting>(
          {Field::force, "", "Overwrite files that exist"}, output, flag(),
          [](auto& s) -> auto& { return s.force; }),
      row<RunSetting>(
          {Field::checkpoint_every, "S",
           "Write the file at most so often, in seconds, beside stage ends"},
          output, not_negative(), [](auto& s) -> auto& { return s.checkpoint_every; }),
      row<RunSetting>(
          {Field::max_wall, "S", "Stop with a checkpoint within so many seconds", "no limit"},
          output, above_zero(), [](auto& s) -> auto& { return s.max_wall; }),
      row<DryRunSetting>(
          {Field::dry_run, "", "Check everything, print the size of the problem, and stop"}, output,
          flag(), [](auto& s) -> auto& { return s.dry_run; }),
      row<JsonSetting>(
          {Field::json, "", "Print results as JSON"}, output, flag(),
          [](auto& s) -> auto& { return s.json; }),
      row<QuietSetting>(
          {Field::quiet, "", "No messages and no progress, only results and errors"}, output,
          flag(), [](auto& s) -> auto& { return s.quiet; }),
  };
}

}  // namespace

std::span<const Option> options() {
  static const std::vector<Option> table = [] {
    std::vector<Option> rows;
    for (auto part : {chain_rows, model_rows, work_rows, member_rows, output_rows}) {
      const std::vector<Option> more = part();
      rows.insert(rows.end(), more.begin(), more.end());
    }
    return rows;
  }();
  return table;
}

std::span<const Convention> conventions() {
  static const Convention table[] = {
      {Field::boundary, "masked", "partial", "partial"},
      {Field::head_windows, "shared", "shifted", "shifted"},
      {Field::head_normalization, "none", "l2", "layer"},
      {Field::scores, "positions", "positions", "tokens"},
      {Field::own_position, false, false, true},
      {Field::values, "identity", "identity", "matrix"},
      {Field::rectify, false, false, true},
      {Field::readout, "log", "softmax", "softmax"},
      {Field::initial_law, "stationary", "uniform", "uniform"},
      {Field::labels, "conditional", "sampled", "sampled"},
      {Field::w_own, 3.0, 3.0, 1.0},
      {Field::w_other, 0.01, 0.1, 0.01},
  };
  return table;
}

void apply_preset(Setting& setting, const std::string& preset) {
  for (const Convention& row : conventions()) {
    const Value& value = preset == "full"        ? row.full
                         : preset == "reference" ? row.reference
                                                 : row.paper;
    find_option(row.field)->set(setting, value);
  }
}

}  // namespace gihflow
