#pragma once

// What the sub-experiments of verify() share.

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "gihflow/chain/prior.hpp"
#include "gihflow/flow/flow.hpp"
#include "gihflow/theory/verification.hpp"

namespace gihflow {

/// A prediction and its measurement where they differ most, relative to the prediction.
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

/// Draws chains, integrates the flow and collects rows and curves.
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

  /// The trajectory of one stage, rtol 1e-8; remembers its certificates.
  std::vector<Snapshot> fly(const std::shared_ptr<const Objective>& objective,
                            const Parameters& start, const Stage& stage, Index outputs,
                            double first_output);
  /// Kernels over three tokens from Dirichlet(alpha).
  Kernels kernels(const std::vector<Index>& parents, double alpha, Index count) const;
  /// Sequences in the setting of the paper, but for what is given; their kernels are those of
  /// kernels() for as many.
  std::unique_ptr<SequenceSource> sequences(double alpha = 0.1, Index length = 100,
                                            Index count = 1000) const;

  /// Sequences of the recall task over 16 tokens.
  std::unique_ptr<SequenceSource> recall_sequences(Index length, Index count) const;

  /// Adds the rows on all flows together and returns everything collected.
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

/// p = δ_S on the heads that look at `parents`, head h at lag h, from the initial point `at`.
Parameters selected_start(const Model& model, const std::vector<Index>& parents,
                          const InitialPoint& at);

// The sub-experiments of the table in verification.cpp.
void selection_experiment(Verifier& verifier, const std::vector<Index>& parents);
void finite_selection_experiment(Verifier& verifier);
void concentration_experiment(Verifier& verifier, const std::vector<Index>& parents);
void growth_start_experiment(Verifier& verifier);
void growth_experiment(Verifier& verifier, double alpha);
void slow_growth_experiment(Verifier& verifier);
void plateau_experiment(Verifier& verifier);
void recall_experiment(Verifier& verifier);

}  // namespace gihflow
