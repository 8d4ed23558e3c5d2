#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/chain/sequence.hpp"
#include "gihflow/flow/descent.hpp"
#include "gihflow/flow/flow.hpp"
#include "gihflow/model/parameters.hpp"
#include "gihflow/population/device.hpp"

namespace GIHFLOW_API gihflow {

/// Whether the loss is that of sequences of length L, or its limit as L → ∞, exact for each chain
/// (5.1).
enum class ContextLength { finite, infinite };
/// flow: the gradient flow, integrated. gd: gradient descent in steps of the learning rate.
enum class TrainingMethod { flow, gd };

/// All that a command needs to know, with the defaults of the paper's three-stage experiment. The
/// command line, config files and library users fill the same struct; run/options.hpp lists its
/// fields by their option names.
struct Setting {
  // Chains
  SamplingOptions sampling;  ///< of the training chains; the command sets `purpose`
  Index validation_chains = 1000;

  // Input files; empty: none
  std::string data;
  std::string validation_data;
  std::string kernels;
  std::string parameters;

  // Model and where training starts
  ContextLength context = ContextLength::finite;
  Model model;  ///< model.vocabulary = sampling.prior.vocabulary
  InitialPoint initial;

  // Training
  Schedule stages = {
      {.c = true, .duration = 2000}, {.w = true, .duration = 50000}, {.a = true, .duration = 5000}};
  FlowOptions flow;  ///< outputs, first output and limit of steps are those of descent too
  TrainingMethod method = TrainingMethod::flow;
  Optimizer optimizer = Optimizer::gd;
  double learning_rate = 1.0;
  std::vector<double> learning_rates = {1.0, 0.1, 0.01};  ///< of `compare`
  Index batch = 0;                                        ///< chains of a minibatch; 0: all
  bool resample = false;                                  ///< fresh chains in every step

  // Computation
  Engine engine = Engine::automatic;
  Device device = Device::automatic;
  std::optional<int> threads;  ///< none: as in the caller's Context

  // Of `check`: the fresh sequences on which a run's final model is held against the limit
  std::vector<Index> check_lengths;  ///< empty: the run's
  std::vector<double> check_alphas;  ///< empty: the run's
  Index fresh_chains = 1000;         ///< for each length and prior
  double tolerance = 0.02;           ///< on the mean total variation

  // Of `audit`: which stretches of a run are computed again; by default one at random
  std::optional<Index> audit_stage;  ///< from 1
  std::optional<double> audit_from;  ///< flow time in that stage
  bool audit_all = false;

  // Output
  std::string output;              ///< empty: no file is written
  std::string kernels_output;      ///< of `sample`; empty: none
  std::string resume;              ///< run file to continue in place; empty: a new run
  bool force = false;              ///< overwrite existing outputs; resume across program versions
  double checkpoint_every = 0.5;   ///< at most so often, in seconds of wall time
  std::optional<double> max_wall;  ///< seconds of wall time
  bool dry_run = false;
  bool quiet = false;
  bool json = false;

  /// Options that were given rather than left at their default, by name, each with the config file
  /// it came from, empty for the command line. What an input file fixes (d, L, N, M, H, D, parents)
  /// replaces a default silently, but contradicts an option that was given.
  std::map<std::string, std::string> given;
  std::string command_line;  ///< recorded with the run
};

}  // namespace gihflow
