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

// What each command of the program, and the library function of the same name, needs to know. A
// setting is made of groups, one for each concern; a command has the options whose group its
// setting has. Defaults are those of the paper's three-stage experiment.

namespace GIHFLOW_API gihflow {

/// Whether the loss is that of sequences of length L, or its limit as L → ∞, exact for each chain
/// (5.1).
enum class ContextLength { finite, infinite };
/// flow: the gradient flow, integrated. gd: gradient descent in steps of the learning rate.
enum class TrainingMethod { flow, gd };

// --- Groups --------------------------------------------------------------------------------------

/// Given kernels.
struct KernelSetting {
  std::string kernels;  ///< input file; empty: drawn from the prior
  std::string text;     ///< a text that kernels or sequences are made of; empty: none
};

/// What is made of a text: a kernel of each passage, or the passages themselves as sequences.
enum class TextUse { kernels, passages };

/// Chains: their prior, or given kernels.
struct ChainSetting : KernelSetting {
  SamplingOptions sampling;  ///< of the chains that the command draws
  Index passage = 0;         ///< characters of the text for each kernel; 0: all of it, for one
};

/// Chains of which sequences are drawn.
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

/// Sets of lags, those that a model can tell apart.
struct LagSetting {
  /// vocabulary: 0 takes that of the prior, from which no other may differ.
  Model model = {.vocabulary = 0};
};

/// A model, where it starts, and how its loss is computed. The width of the rectifier (2.8) may be
/// left to the command: 0.1 where it follows the flow, 0 elsewhere.
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

/// What is trained, and for how long.
struct StageSetting {
  Schedule stages = {{.blocks = "c", .duration = 2000},
                     {.blocks = "w", .duration = 50000},
                     {.blocks = "a", .duration = 5000}};
};

/// How the flow is integrated.
struct FlowSetting {
  FlowOptions flow;  ///< outputs, first output and limit of steps are those of descent too
};

/// How gradient descent steps.
struct DescentSetting {
  TrainingMethod method = TrainingMethod::flow;
  Optimizer optimizer = Optimizer::gd;
  std::vector<double> learning_rate = {1.0};  ///< of all stages, or one for each
  RateSchedule rate_schedule = RateSchedule::constant;
  Index warm_up = 0;      ///< steps in which the rate rises, at the start of each stage
  Index batch = 0;        ///< chains of a minibatch; 0: all
  bool resample = false;  ///< fresh chains in every step
};

/// Learning rates that are compared.
struct RateSetting {
  std::vector<double> learning_rates = CompareOptions().learning_rates;
};

/// Fresh sequences on which a run's final model is compared with the limit.
struct FreshSetting {
  std::vector<Index> check_lengths;         ///< empty: the run's
  std::vector<double> check_alphas;         ///< empty: the run's
  std::optional<PriorFamily> check_prior;   ///< none: the run's chains
  Index fresh_chains = 1000;                ///< for each length and prior
  double tolerance = 0.02;                  ///< on the mean total variation
  std::optional<std::uint64_t> check_seed;  ///< none: the run's
};

/// Which stretches of a run are computed again; by default one at random.
struct StretchSetting {
  std::optional<Index> audit_stage;  ///< from 1
  std::optional<double> audit_from;  ///< flow time in that stage
  bool audit_all = false;
};

/// How input files are read.
struct IsolationSetting {
  Isolation isolation = Isolation::in_process;
};

/// How the process works, which no result depends on.
struct ThreadSetting : IsolationSetting {
  std::optional<int> threads;  ///< none: as in the caller's Context
};

/// Where results go.
struct OutputSetting {
  std::string output;  ///< empty: no file is written
  bool force = false;  ///< overwrite existing outputs; resume across program versions
};

/// Where kernels that were drawn go.
struct KernelOutputSetting {
  std::string kernels_output;  ///< empty: none is written
};

/// How a run is kept, continued and limited.
struct RunSetting {
  std::string resume;              ///< run file to continue in place; empty: a new run
  double checkpoint_every = 0.5;   ///< at most so often, in seconds of wall time
  std::optional<double> max_wall;  ///< seconds of wall time
  std::string command_line;        ///< recorded with the run
};

/// A share of the members of a sweep: every N-th of them, from the K-th on.
struct Shard {
  Index index = 1;  ///< K, from 1
  Index count = 1;  ///< N
  bool operator==(const Shard&) const = default;
};

/// Several runs at a time, each in a process of its own.
struct JobSetting {
  std::optional<Index> jobs;  ///< at a time; none: as many as the threads of the Context allow
};

/// Runs that differ in their seed alone.
struct ReplicaSetting {
  Index replicas = 1;  ///< seeds, from that of the setting on
};

/// Where the members of a sweep are, and which of them are run.
struct PlanSetting {
  std::string directory;       ///< of the run files; made if it is missing
  std::optional<Shard> shard;  ///< none: that of the Slurm array, else all
  int member_threads = 1;      ///< of each member
  std::string table;           ///< file to collect the members into; empty: none
  /// Overwrite that file; go on with members of another program version.
  bool force_members = false;
  std::string program;  ///< that runs the members; empty: the running program itself
};

/// What a call of `sweep` does instead of running members; of the program alone.
struct SweepActionSetting {
  bool status = false;  ///< print how far the members are
  bool sbatch = false;  ///< print a job script for Slurm
};

/// Of the program alone.
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
  /// Which of them a setting has.
  template <class S>
  static constexpr Groups among() {
    Groups set = 0, bit = 1;
    ((set |= std::is_base_of_v<Group, S> ? bit : 0, bit <<= 1), ...);
    return set;
  }
  /// Copies those that both settings have.
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

/// `sampling.purpose` may be sample, for chains of its own, or train or validation, for those that
/// training draws: `sampling.count` or `validation_chains` of them.
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

/// A given file is where that of the run is now.
struct CheckSetting : KernelSetting, FreshSetting, ThreadSetting {};

/// Given files are where those of the run are now.
struct AuditSetting : DataSetting,
                      ValidationDataSetting,
                      KernelSetting,
                      StretchSetting,
                      ThreadSetting {};

/// Given files are where those of the runs are now.
struct ReportSetting : DataSetting, KernelSetting, ThreadSetting, OutputSetting {};

/// Of `sweep`; the members are in its plan.
struct SweepSetting : PlanSetting, JobSetting, IsolationSetting {};

/// All groups: what a command line or a config is read into, whichever the command.
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
  /// The groups of a command's setting; the others at their defaults.
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

  /// Options that were given rather than left at their default, each with the config file
  /// it came from, empty for the command line. What an input file fixes (d, L, N, M, H, D, parents)
  /// replaces a default silently, but contradicts an option that was given.
  std::map<Field, std::string> given;
};
inline constexpr Groups all_groups = groups_of<Setting>;

}  // namespace gihflow
