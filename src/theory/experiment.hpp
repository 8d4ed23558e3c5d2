#pragma once

// Shared by the sub-experiments of verify().

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "gihflow/chain/prior.hpp"
#include "gihflow/flow/flow.hpp"
#include "gihflow/theory/verification.hpp"

namespace gihflow {

/// The pair of prediction and measurement with the largest relative difference.
struct WorstPair {
  double predicted = 0.0, measured = 0.0, difference = -1.0;

  /// Whether this pair is the worst so far.
  bool see(double prediction, double measurement) {
    const double off = std::abs(measurement / prediction - 1.0);
    if (!(off > difference)) return false;
    *this = {prediction, measurement, off};
    return true;
  }
};

/// Draws chains, integrates flows and collects rows and curves.
class Verifier {
 public:
  explicit Verifier(const VerifyOptions& options) : options_(options) {}

  /// Adds a row: numbers pass within a relative tolerance, absolute where 0 is predicted.
  void compare(Quantity quantity, const Subject& subject, const std::string& setting,
               double predicted, double measured, double tolerance, const std::string& regime);
  /// Adds a row: sets pass when their names are equal.
  void compare_sets(Quantity quantity, const std::string& setting, const std::string& predicted,
                    const std::string& measured, const std::string& regime);
  void add(Curve curve) { result_.curves.push_back(std::move(curve)); }

  /// What is integrated in place of an objective that predictions are made from.
  std::shared_ptr<const Objective> flown(const std::shared_ptr<const Objective>& objective) const;
  /// Integrates one stage with rtol 1e-8, keeps its certificates for finish(), and returns its
  /// trajectory.
  std::vector<Snapshot> fly(const std::shared_ptr<const Objective>& objective,
                            const Parameters& start, const Stage& stage, Index outputs,
                            double first_output);
  /// Where gradient descent at such a rate ends.
  Parameters descend(const std::shared_ptr<const Objective>& objective, const Parameters& start,
                     const Stage& stage, double rate);
  /// Kernels over three tokens from Dirichlet(alpha).
  Kernels kernels(const std::vector<Index>& parents, double alpha, Index count) const;
  /// Sequences in the paper's setting except for the arguments; their kernels are those of
  /// kernels() for the same count.
  std::unique_ptr<SequenceSource> sequences(double alpha = 0.1, Index length = 100,
                                            Index count = 1000) const;

  /// Sequences of the recall task over 16 tokens.
  std::unique_ptr<SequenceSource> recall_sequences(Index length, Index count) const;

  /// Adds the rows about all flows (drift of C_D, energy residual, outcome) and returns the
  /// results.
  Verification finish();

 private:
  VerifyOptions options_;
  Verification result_;
  double worst_drift_ = 0.0;
  double worst_residual_ = 0.0;
  std::string ended_badly_;
};

/// The model of the paper with another ε.
Model model_with(double epsilon);

/// The initial point `at` with p = δ_S on the heads of `parents`, head h on lag h.
Parameters selected_start(const Model& model, const std::vector<Index>& parents,
                          const InitialPoint& at);

// The sub-experiments of the table in verification.cpp.
void selection_experiment(Verifier& verifier, const std::vector<Index>& parents);
void finite_selection_experiment(Verifier& verifier);
void stability_experiment(Verifier& verifier);
void back_off_experiment(Verifier& verifier);
void concentration_experiment(Verifier& verifier, const std::vector<Index>& parents);
void growth_start_experiment(Verifier& verifier);
void growth_experiment(Verifier& verifier, double alpha);
void slow_growth_experiment(Verifier& verifier);
void plateau_experiment(Verifier& verifier);
void recall_experiment(Verifier& verifier);

}  // namespace gihflow
