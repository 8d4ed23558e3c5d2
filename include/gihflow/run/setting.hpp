#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/base/fault.hpp"
#include "gihflow/chain/sequence.hpp"
#include "gihflow/flow/compare.hpp"
#include "gihflow/flow/descent.hpp"
#include "gihflow/flow/flow.hpp"
#include "gihflow/model/parameters.hpp"
#include "gihflow/population/device.hpp"
#include "gihflow/record/isolation.hpp"

// The settings of the commands, and of the library functions of the same name. A setting derives
// from groups of members; a command has the options of its groups. Defaults are those of the
// paper's three-stage experiment.

namespace GIHFLOW_API gihflow {

/// finite: the loss on sequences of length L. infinite: its limit L → ∞, exact for each chain
/// (5.1).
enum class ContextLength { finite, infinite };
/// flow: the gradient flow, integrated. gd: gradient descent in steps of the learning rate.
enum class TrainingMethod { flow, gd };

// --- Groups --------------------------------------------------------------------------------------

/// Given kernels.
struct KernelSetting {
  std::string kernels;  ///< input file; empty: drawn from the prior
  std::string text;     ///< text file to make kernels or sequences from; empty: none
};

/// What is made from a text: one kernel per passage, or sequences that are the passages.
enum class TextUse { kernels, passages };

/// Chains: their prior, or given kernels.
struct ChainSetting : KernelSetting {
  SamplingOptions sampling;  ///< of the chains that the command draws
  Index passage = 0;         ///< characters of the text per kernel; 0: one kernel of the whole text
};

/// Chains with sequences.
struct SequenceSetting : ChainSetting {
  TextUse text_as = TextUse::kernels;
};

/// Given sequences.
struct DataSetting {
  std::string data;  ///< input file; empty: sequences are drawn
};

/// Chains for the validation loss.
struct ValidationSetting {
  Index validation_chains = 1000;
};

/// Given sequences for the validation loss.
struct ValidationDataSetting {
  std::string validation_data;  ///< input file; empty: sequences are drawn
};

/// The sets of lags that a model can see.
struct LagSetting {
  /// vocabulary 0: that of the prior; any other must equal it.
  Model model = {.vocabulary = 0};
};

/// A model, its initial point, and how its loss is computed. Without a rectify_width δ (2.8) is 0.1
/// if the command integrates the flow, else 0.
struct ModelSetting : LagSetting {
  ContextLength context = ContextLength::finite;
  InitialPoint initial;
  std::string parameters;  ///< input file; empty: the initial point
  Engine engine = Engine::automatic;
  std::optional<double> rectify_width;
};

/// Where gradients are computed.
struct DeviceSetting {
  Device device = Device::automatic;
};

/// The schedule of training.
struct StageSetting {
  Schedule stages = {{.blocks = "c", .duration = 2000},
                     {.blocks = "w", .duration = 50000},
                     {.blocks = "a", .duration = 5000}};
};

/// How the flow is integrated.
struct FlowSetting {
  FlowOptions flow;  ///< outputs, first_output and max_steps also apply to descent
};

/// How gradient descent steps.
struct DescentSetting {
  TrainingMethod method = TrainingMethod::flow;
  Optimizer optimizer = Optimizer::gd;
  std::vector<double> learning_rate = {1.0};  ///< one for all stages, or one per stage
  RateSchedule rate_schedule = RateSchedule::constant;
  Index warm_up = 0;      ///< steps of rising rate at the start of each stage
  Index batch = 0;        ///< chains of a minibatch; 0: all
  bool resample = false;  ///< fresh chains in every step
};

/// Learning rates of `compare`.
struct RateSetting {
  std::vector<double> learning_rates = CompareOptions().learning_rates;
};

/// Fresh sequences on which a run's final model is compared with GIH(S*).
struct FreshSetting {
  std::vector<Index> check_lengths;         ///< empty: the run's
  std::vector<double> check_alphas;         ///< empty: the run's
  std::optional<PriorFamily> check_prior;   ///< none: the run's chains
  Index fresh_chains = 1000;                ///< per length and prior
  double tolerance = 0.02;                  ///< of the mean total variation
  std::optional<std::uint64_t> check_seed;  ///< none: the run's
};

/// Which stretches of a run are recomputed; by default one at random.
struct StretchSetting {
  std::optional<Index> audit_stage;  ///< from 1
  std::optional<double> audit_from;  ///< flow time in that stage
  bool audit_all = false;
};

/// How input files are read.
struct IsolationSetting {
  Isolation isolation = Isolation::in_process;
};

/// How the process works; no result depends on it.
struct ThreadSetting : IsolationSetting {
  std::optional<int> threads;  ///< none: as in the caller's Context
};

/// Output of results.
struct OutputSetting {
  std::string output;  ///< empty: no file is written
  bool force = false;  ///< overwrite existing outputs; resume across program versions
};

/// Output of drawn kernels.
struct KernelOutputSetting {
  std::string kernels_output;  ///< empty: none is written
};

/// Checkpoints, continuation and limits of a run.
struct RunSetting {
  std::string resume;              ///< run file to continue in place; empty: a new run
  double checkpoint_every = 0.5;   ///< least time between checkpoints inside a stage, seconds
  std::optional<double> max_wall;  ///< seconds of wall time
  std::string command_line;        ///< recorded with the run
};

/// A share of the members of a sweep: every N-th one from the K-th on.
struct Shard {
  Index index = 1;  ///< K, from 1
  Index count = 1;  ///< N
  bool operator==(const Shard&) const = default;
};

/// Several runs in parallel, each in a process of its own.
struct JobSetting {
  std::optional<Index> jobs;  ///< runs at a time; none: as many as the threads of the Context allow
};

/// Runs that differ only in their seed.
struct ReplicaSetting {
  Index replicas = 1;  ///< number of seeds, counted up from that of the setting
};

/// Files of the members of a sweep, and which members to run.
struct PlanSetting {
  std::string directory;       ///< of the run files; made if it is missing
  std::optional<Shard> shard;  ///< none: that of the Slurm array, else all
  int member_threads = 1;      ///< per member
  std::string table;           ///< file for the table of members; empty: none
  /// Overwrite that file; continue members of another program version.
  bool force_members = false;
  std::string program;  ///< path of the program that runs members; empty: this program
};

/// What `sweep` does instead of running members; only in the program.
struct SweepActionSetting {
  bool status = false;  ///< print the states of the members
  bool sbatch = false;  ///< print a job script for Slurm
};

/// Check the setting only; only in the program.
struct DryRunSetting {
  bool dry_run = false;
};
/// Whether results are printed as JSON.
struct JsonSetting {
  bool json = false;
};
/// Whether only results and errors are printed.
struct QuietSetting {
  bool quiet = false;
};

/// A set of groups, one bit each.
using Groups = std::uint32_t;

/// Operations on all groups of settings; bit i of Groups is the i-th of them.
template <class... Group>
class GroupList {
 public:
  /// The groups that a setting has.
  template <class S>
  static constexpr Groups among() {
    Groups set = 0, bit = 1;
    ((set |= std::is_base_of_v<Group, S> ? bit : 0, bit <<= 1), ...);
    return set;
  }
  /// Copies the groups that both settings have.
  template <class From, class To>
  static void copy(const From& from, To& to) {
    (copy_one<Group>(from, to), ...);
  }

 private:
  template <class G, class From, class To>
  static void copy_one(const From& from, To& to) {
    if constexpr (std::is_base_of_v<G, From> && std::is_base_of_v<G, To>) {
      static_cast<G&>(to) = static_cast<const G&>(from);
    }
  }
};
/// Every group of settings.
using AllGroups =
    GroupList<KernelSetting, ChainSetting, SequenceSetting, DataSetting, ValidationSetting,
              ValidationDataSetting, LagSetting, ModelSetting, StageSetting, FlowSetting,
              DescentSetting, RateSetting, FreshSetting, StretchSetting, DeviceSetting,
              IsolationSetting, ThreadSetting, OutputSetting, KernelOutputSetting, RunSetting,
              JobSetting, ReplicaSetting, PlanSetting, SweepActionSetting, DryRunSetting,
              JsonSetting, QuietSetting>;
template <class S>
inline constexpr Groups groups_of = AllGroups::among<S>();

// --- Settings of the commands --------------------------------------------------------------------

/// Of `sample`. `sampling.purpose` is sample, for chains of its own, or train or validation, for
/// the `sampling.count` or `validation_chains` chains that training draws.
struct SampleSetting : SequenceSetting,
                       ValidationSetting,
                       KernelOutputSetting,
                       OutputSetting,
                       ThreadSetting {
  SampleSetting() { sampling.purpose = Purpose::sample; }
};

/// Of `rank`.
struct RankSetting : ChainSetting, LagSetting, ThreadSetting {
  RankSetting() { sampling.purpose = Purpose::rank; }
};

struct EvaluateSetting : SequenceSetting,
                         DataSetting,
                         ModelSetting,
                         DeviceSetting,
                         ThreadSetting {};

/// Of `compare`.
struct CompareSetting : EvaluateSetting, StageSetting, FlowSetting, RateSetting, OutputSetting {
  CompareSetting() { flow = CompareOptions().flow; }
};

struct TrainSetting : EvaluateSetting,
                      ValidationSetting,
                      ValidationDataSetting,
                      StageSetting,
                      FlowSetting,
                      DescentSetting,
                      OutputSetting,
                      RunSetting {};

struct PredictSetting : SequenceSetting, ModelSetting, StageSetting, ThreadSetting {};

struct VerifySetting : PredictSetting, FlowSetting, OutputSetting {};

/// Of `check`. A given file replaces that of the run, which may have moved.
struct CheckSetting : KernelSetting, FreshSetting, ThreadSetting {};

/// Of `audit`. Given files replace those of the run, which may have moved.
struct AuditSetting : DataSetting,
                      ValidationDataSetting,
                      KernelSetting,
                      StretchSetting,
                      ThreadSetting {};

/// Of `report`. Given files replace those of the runs, which may have moved.
struct ReportSetting : DataSetting, KernelSetting, ThreadSetting, OutputSetting {};

/// Of `sweep`; the members are in its plan.
struct SweepSetting : PlanSetting, JobSetting, IsolationSetting {};

/// All groups: command lines and configs of every command are read into it.
struct Setting : TrainSetting,
                 KernelOutputSetting,
                 RateSetting,
                 FreshSetting,
                 StretchSetting,
                 JobSetting,
                 ReplicaSetting,
                 PlanSetting,
                 SweepActionSetting,
                 DryRunSetting,
                 JsonSetting,
                 QuietSetting {
  Setting() = default;
  /// Takes the groups of a command's setting; the others have their defaults.
  template <class S>
  requires(!std::is_base_of_v<Setting, S>) explicit Setting(const S& setting) {
    AllGroups::copy(setting, *this);
  }
  /// The setting of one command.
  template <class S>
  S as() const {
    S setting;
    AllGroups::copy(*this, setting);
    return setting;
  }

  /// The options that were given, each with the config file it came from, empty for the command
  /// line. Values that an input file fixes (d, L, N, M, H, D, parents) replace defaults; an option
  /// that was given with another value is a fault.
  std::map<Field, std::string> given;
};
inline constexpr Groups all_groups = groups_of<Setting>;

}  // namespace gihflow
