#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/chain/sequence.hpp"
#include "gihflow/model/model.hpp"
#include "gihflow/population/objective.hpp"

namespace GIHFLOW_API gihflow {

/// The window counts n(Z,e) and queries q of sequences (§4), from which predictions of the model
/// and of GIH are computed at a cost that does not depend on L.
class WindowSample {
 public:
  /// Draws every sequence of `source`, in parallel, and keeps only its counts. Throws InputError:
  /// vocabulary of source ≠ vocabulary of model, L ≤ W with masked boundary.
  WindowSample(const Model& model, const SequenceSource& source);

  /// The model whose windows were counted.
  const Model& model() const { return model_; }
  /// N; with positions `all` the number of predicted prefixes, those of one chain consecutive.
  Index chains() const { return static_cast<Index>(query_.size()); }
  Index length() const { return length_; }                      ///< L
  std::span<const double> targets() const { return targets_; }  ///< T [N, d]

  /// k(Z,q) of (2.2) for every distinct window Z of every chain, chain after chain; `at.a` is not
  /// read. Throws InputError where the arrays of `at` are not of the model's sizes.
  std::vector<double> scores(const Point& at) const;
  /// y of (2.3) by (4.1) from scores and a; [N, d].
  std::vector<double> predict(std::span<const double> scores, double a) const;
  /// GIH(S) of (8.1) for the set S of lags, as gih_predict gives it position by position; [N, d].
  /// Throws InputError for a lag that the model does not use.
  std::vector<double> gih(std::span<const Index> lags) const;

 private:
  Model model_;
  Index length_;
  std::shared_ptr<const std::vector<std::uint16_t>> occurring_;  // see population/statistics.hpp
  std::vector<Index> window_begin_;                              // [N + 1], windows of a chain
  std::vector<std::uint64_t> window_;  // distinct windows of each chain, keys of pairs
  std::vector<double> count_;          // [windows, d] n(Z,e)
  std::vector<std::uint64_t> query_;   // [N]
  std::vector<double> targets_;        // [N, d]
};

/// Upper bound of the distinct windows of a sequence of L tokens, extended by the own token if the
/// model sees it (4.6).
double most_windows(const Model& model, Index length);

/// Upper bound in bytes of a sample of N sequences, its scores and predictions, beside what drawing
/// a sequence takes, on the threads of the Context.
double window_sample_memory(const Model& model, Index chains, Index length);

}  // namespace gihflow
