#include "gihflow/record/schema.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "base/make_fault.hpp"
#include "gihflow/base/errors.hpp"
#include "record/fields.hpp"
#include "record/members.hpp"

namespace gihflow {

namespace {

template <class T>
RecordValue value_of(const T& member) {
  return member;
}
template <>
RecordValue value_of(const std::optional<double>& member) {
  return member ? RecordValue(*member) : RecordValue();
}
template <>
RecordValue value_of(const Outcome& outcome) {
  return to_string(outcome);
}
template <>
RecordValue value_of(const Stage& stage) {
  return stage.blocks.text();
}

template <class T>
void assign(T& member, const RecordValue& value) {
  member = std::get<T>(value);
}
template <>
void assign(std::optional<double>& member, const RecordValue& value) {
  member = std::get<double>(value);
}
template <>
void assign(Outcome& member, const RecordValue& value) {
  member = parse_outcome(std::get<std::string>(value));
}
template <>
void assign(Stage& member, const RecordValue& value) {
  const std::string& text = std::get<std::string>(value);
  member.blocks = BlockSet(text);
  if (text != member.blocks.text())
    throw InputError(fault("", text, "must be letters of {}, in this order", all_block_letters()));
}

template <class Record, class T>
Record record_of(T Record::*);

template <auto first, auto... rest>
constexpr auto field(Description description) {
  using Record = decltype(record_of(first));
  return RecordField<Record>{
      description, [](const Record& record) { return value_of(member<first, rest...>(record)); },
      [](Record& record, const RecordValue& value) {
        assign(member<first, rest...>(record), value);
      }};
}

// The standard error of a row of plain_arrays; absent if the model does not have the array.
template <std::size_t row>
constexpr auto plain_error() {
  return RecordField<StandardErrors>{
      {plain_arrays[row].name, plain_arrays[row].error_meaning, "nats", plain_arrays[row].axes},
      [](const StandardErrors& errors) -> RecordValue {
        const std::span<const double> numbers = plain_arrays[row].in(errors);
        if (*plain_arrays[row].axes == '\0') return numbers.front();
        if (numbers.empty()) return {};
        return std::vector<double>(numbers.begin(), numbers.end());
      },
      [](StandardErrors& errors, const RecordValue& value) {
        if (const auto* number = std::get_if<double>(&value))
          plain_arrays[row].assign(errors, {number, 1});
        else
          plain_arrays[row].assign(errors, std::get<std::vector<double>>(value));
      }};
}

template <std::size_t... rows>
constexpr auto plain_errors(std::index_sequence<rows...>) {
  return std::array{plain_error<rows>()...};
}

// The fields of a record.
template <class Record>
constexpr int table = 0;
template <>
constexpr std::array table<Provenance>{
    field<&Provenance::program_version>({"program_version", "version of the program"}),
    field<&Provenance::git_commit>({"git_commit", "commit of the program", "1", "",
                                    "ends in `-dirty` if the sources differed from it"}),
    field<&Provenance::config>(
        {"config", "TOML with all settings, defaults resolved", "1", "",
         "training with it, or with the file itself, as config repeats the run bit for bit; the "
         "file is refused where a file of chains has changed since"}),
    field<&Provenance::seed>({"seed", "seed of all random draws"}),
};

template <>
constexpr std::array table<StepStatistics>{
    field<&StepStatistics::rhs_evaluations>(
        {"rhs_evaluations",
         "gradients the integrator asked for, rejected steps and Jacobian "
         "columns included"}),
    field<&StepStatistics::jacobian_columns>(
        {"jacobian_columns", "of them, derivatives of gradients for Jacobians"}),
    field<&StepStatistics::output_evaluations>(
        {"output_evaluations", "gradients computed for recorded points only"}),
    field<&StepStatistics::accepted_steps>({"accepted_steps", "accepted steps"}),
    field<&StepStatistics::rejected_steps>({"rejected_steps", "rejected steps"}),
    field<&StepStatistics::non_finite_steps>(
        {"non_finite_steps", "steps that were rejected because something was not finite"}),
};

template <>
constexpr std::array table<StageRecord>{
    field<&StageRecord::stage>(
        {"trained", "blocks that move", "1", "",
         "`cwa`, `w[2]a`, `c{1,2}`: letters, some with the heads or sets that alone move"}),
    field<&StageRecord::stage, &Stage::duration>(
        {"duration", "flow time that the schedule asks for", "flow time"}),
    field<&StageRecord::outcome>({"outcome", "how the stage ended"}),
    field<&StageRecord::hint>(
        {"hint", "what to try, for an outcome that is a failure", "1", "", "else empty"}),
    field<&StageRecord::integrator>(
        {"integrator", "the method that was asked for", "1", "",
         "`auto`, `dopri5`, `fehlberg78`, `rodas5p`, or the optimizer of "
         "gradient descent"}),
    field<&StageRecord::gauge_drift>({"gauge_drift", "largest error of (3.2) before gauge fixing",
                                      "1", "",
                                      "$\\max_t \\lvert \\log\\sum_S e^{\\theta_S(t)} - \\log C_D "
                                      "\\rvert$"}),
};

template <>
constexpr std::array table<IntegratorSwitch>{
    field<&IntegratorSwitch::t>({"time", "flow time since the start of the stage", "flow time"}),
    field<&IntegratorSwitch::from>({"from", "method before"}),
    field<&IntegratorSwitch::to>({"to", "method after"}),
    field<&IntegratorSwitch::reason>({"reason", "what decided"}),
};

template <>
constexpr std::array table<StepperState>{
    field<&StepperState::active>({"active", "0: the next stage has not begun"}),
    field<&StepperState::next_output>({"next_output", "first output time not recorded yet"}),
    field<&StepperState::t>({"t", "flow time since the start of the stage", "flow time"}),
    field<&StepperState::dt>({"dt", "step to try next", "flow time"}),
};

template <>
constexpr std::array table<FlowState>{
    field<&FlowState::slope>({"slope", "time derivative at the state", "1", "x"}),
    field<&FlowState::previous_error>({"previous_error", "error norm of the last accepted step"}),
    field<&FlowState::jacobian>({"jacobian", "Jacobian at the state, column major", "1", "x",
                                 "empty where it is not known"}),
    field<&FlowState::stiff>({"stiff", "the stiff method is in use"}),
    field<&FlowState::after_rejection>({"after_rejection", "the last step was rejected"}),
    field<&FlowState::after_non_finite>(
        {"after_non_finite", "it was rejected because something was not finite"}),
    field<&FlowState::worst>({"worst", "component with the largest error in the last step"}),
    field<&FlowState::votes>({"votes", "steps that spoke for a change of method"}),
    field<&FlowState::against>({"against", "steps in a row that spoke against it"}),
};

template <>
constexpr std::array table<DescentState>{
    field<&DescentState::step>({"step", "steps taken in the stage"}),
    field<&DescentState::predicted_normalizer>({"predicted_normalizer", "C_D by (3.2)"}),
    field<&DescentState::moments>({"moments", "moments of the optimizer", "1", "x"}),
};

template <>
constexpr std::array table<ProcessRecord>{
    field<&ProcessRecord::started>({"started", "start, UTC"}),
    field<&ProcessRecord::finished>({"finished", "last write of the file, UTC"}),
    field<&ProcessRecord::host>({"host", "machine"}),
    field<&ProcessRecord::command_line>({"command_line", "command line"}),
    field<&ProcessRecord::program_version>({"program_version", "version of the program"}),
    field<&ProcessRecord::git_commit>({"git_commit", "commit of the program"}),
    field<&ProcessRecord::instruction_set>({"instruction_set", "instruction set of the hot loops"}),
    field<&ProcessRecord::threads>({"threads", "threads of each process"}),
    field<&ProcessRecord::ranks>(
        {.name = "ranks", .meaning = "processes that shared the chains (MPI)", .added = true}),
    field<&ProcessRecord::steps>({"steps", "steps made, rejected ones included"}),
    field<&ProcessRecord::rhs_evaluations>(
        {"rhs_evaluations", "right-hand sides that its steps took"}),
    field<&ProcessRecord::wall_seconds>({"wall_seconds", "wall time", "s"}),
};

template <>
constexpr std::array table<Execution>{
    field<&Execution::host>({"host", "machine"}),
    field<&Execution::device>({"device", "`cpu`, or `cuda` and the card's name"}),
    field<&Execution::threads>({"threads", "threads of each process"}),
    field<&Execution::ranks>(
        {.name = "ranks", .meaning = "processes that shared the chains (MPI)", .added = true}),
    field<&Execution::command_line>({"command_line", "command line"}),
    field<&Execution::output>({"output", "the file, as the command line named it"}),
    field<&Execution::started>({"started", "start, UTC", "1", "", "of the first process"}),
    field<&Execution::finished>({"finished", "last write of the file, UTC"}),
    field<&Execution::compiler>({"compiler", "compiler of the program"}),
    field<&Execution::compiler_flags>({"compiler_flags", "its flags"}),
    field<&Execution::instruction_set>({"instruction_set", "instruction set of the hot loops"}),
    field<&Execution::library_versions>(
        {"library_versions", "libraries that the program is built with"}),
    field<&Execution::checkpoints>({"checkpoints", "times that the file was written"}),
    field<&Execution::wall_seconds>({"wall_seconds", "wall time so far", "s"}),
    field<&Execution::statistics_seconds>(
        {"statistics_seconds", "of it, drawing or reading chains and counting windows", "s"}),
    field<&Execution::flow_seconds>(
        {"flow_seconds", "of it, training, writing the file included", "s"}),
    field<&Execution::report_seconds>(
        {"report_seconds", "of it, baselines and standard errors", "s"}),
};

template <>
constexpr std::array table<Baselines>{
    field<&Baselines::gih_loss>(
        {"gih_loss", "loss of GIH(S)", "nats", "",
         "in place of the model (8.1); infinite where $\\varepsilon = 0$ and a "
         "possible token was never seen"}),
    field<&Baselines::gih_loss_error>(
        {"gih_loss_standard_error", "standard error of the loss of GIH(S)", "nats"}),
    field<&Baselines::posterior_loss>({"posterior_loss", "cross-entropy of the posterior predictor",
                                       "nats", "",
                                       "(1.4); absent where no posterior is known: infinite "
                                       "context, given data or kernels, most priors of (1.7)"}),
    field<&Baselines::posterior_loss_error>(
        {"posterior_loss_standard_error",
         "standard error of the cross-entropy of the posterior predictor", "nats"}),
    field<&Baselines::entropy_floor>(
        {"entropy_floor", "entropy of the labels", "nats", "", "floor for any predictor (8.3)"}),
    field<&Baselines::entropy_floor_error>(
        {"entropy_floor_standard_error", "standard error of the entropy of the labels", "nats"}),
    field<&Baselines::gih_accuracy>({"gih_accuracy", "accuracy of GIH(S)", "1", "", "(8.4)"}),
    field<&Baselines::gih_accuracy_error>(
        {"gih_accuracy_standard_error", "standard error of the accuracy of GIH(S)"}),
    field<&Baselines::posterior_accuracy>(
        {"posterior_accuracy", "accuracy of the posterior predictor"}),
    field<&Baselines::posterior_accuracy_error>(
        {"posterior_accuracy_standard_error",
         "standard error of the accuracy of the posterior predictor"}),
    field<&Baselines::best_accuracy>({"best_accuracy", "accuracy of the law behind the labels", "1",
                                      "", "the law whose entropy is `entropy_floor`"}),
    field<&Baselines::best_accuracy_error>({"best_accuracy_standard_error",
                                            "standard error of the accuracy of the law behind the "
                                            "labels"}),
    field<&Baselines::unigram, &PredictorLine::loss>(
        {"unigram_loss", "loss of the shares of tokens in the context", "nats"}),
    field<&Baselines::unigram, &PredictorLine::loss_error>(
        {"unigram_loss_standard_error",
         "standard error of the loss of the shares of tokens in the context", "nats"}),
    field<&Baselines::unigram, &PredictorLine::accuracy>(
        {"unigram_accuracy", "accuracy of the shares of tokens in the context"}),
    field<&Baselines::unigram, &PredictorLine::accuracy_error>(
        {"unigram_accuracy_standard_error",
         "standard error of the accuracy of the shares of tokens in the context"}),
    field<&Baselines::bigram, &PredictorLine::loss>({"bigram_loss", "loss of GIH({1})", "nats"}),
    field<&Baselines::bigram, &PredictorLine::loss_error>(
        {"bigram_loss_standard_error", "standard error of the loss of GIH({1})", "nats"}),
    field<&Baselines::bigram, &PredictorLine::accuracy>(
        {"bigram_accuracy", "accuracy of GIH({1})"}),
    field<&Baselines::bigram, &PredictorLine::accuracy_error>(
        {"bigram_accuracy_standard_error", "standard error of the accuracy of GIH({1})"}),
    field<&Baselines::ngram, &PredictorLine::loss>(
        {"ngram_loss", "loss of GIH({1, ..., r}), r the largest lag of S", "nats"}),
    field<&Baselines::ngram, &PredictorLine::loss_error>(
        {"ngram_loss_standard_error",
         "standard error of the loss of GIH({1, ..., r}), r the largest lag of S", "nats"}),
    field<&Baselines::ngram, &PredictorLine::accuracy>(
        {"ngram_accuracy", "accuracy of GIH({1, ..., r}), r the largest lag of S"}),
    field<&Baselines::ngram, &PredictorLine::accuracy_error>(
        {"ngram_accuracy_standard_error",
         "standard error of the accuracy of GIH({1, ..., r}), r the largest lag of S"}),
};

template <>
constexpr std::array table<RunAccuracy>{
    field<&RunAccuracy::training>({"training", "share of right answers on the training chains", "1",
                                   "", "(8.4); absent in infinite context"}),
    field<&RunAccuracy::training_error>(
        {"training_standard_error", "standard error of it over chains"}),
    field<&RunAccuracy::validation>({"validation",
                                     "share of right answers on the validation chains", "1", "",
                                     "absent without them"}),
    field<&RunAccuracy::validation_error>(
        {"validation_standard_error", "standard error of it over chains"}),
};

template <>
constexpr auto table<StandardErrors> = joined(
    std::array{
        field<&StandardErrors::loss>({"loss", "standard error of the training loss at /final",
                                      "nats"}),
        field<&StandardErrors::c>({"c", "standard error of the gradient in c", "nats", "S"})},
    plain_errors(std::make_index_sequence<plain_arrays.size()>()));

}  // namespace

template <class Record>
std::span<const RecordField<Record>> fields() {
  return table<Record>;
}
template std::span<const RecordField<Provenance>> fields();
template std::span<const RecordField<StepStatistics>> fields();
template std::span<const RecordField<StageRecord>> fields();
template std::span<const RecordField<IntegratorSwitch>> fields();
template std::span<const RecordField<StepperState>> fields();
template std::span<const RecordField<FlowState>> fields();
template std::span<const RecordField<DescentState>> fields();
template std::span<const RecordField<ProcessRecord>> fields();
template std::span<const RecordField<Execution>> fields();
template std::span<const RecordField<Baselines>> fields();
template std::span<const RecordField<RunAccuracy>> fields();
template std::span<const RecordField<StandardErrors>> fields();

}  // namespace gihflow
