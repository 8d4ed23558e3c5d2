#pragma once

#include <span>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/model/model.hpp"
#include "gihflow/population/objective.hpp"

namespace GIHFLOW_API gihflow {

/// Attention and prediction of a model on one sequence.
struct Reading {
  /// Weights of the second attention on the positions 1 … L (2.3), [L]; 0 at positions that the
  /// boundary leaves out. Their sum is 1.
  std::vector<double> weights;
  /// Predicted law of the next token as in the loss, [d]: (y(e) + ε)/(1 + dε) of (2.4) with readout
  /// log, softmax(y)(e) with readout softmax.
  std::vector<double> law;
};

/// Evaluates (2.1)–(2.3) on one sequence at different points; positions with equal windows are
/// computed once.
class SequenceReader {
 public:
  /// tokens x_1 … x_{L+1}; the last one, the label, is not read. Throws InputError: L ≤ W with
  /// masked boundary, no tokens, a token that is not below d.
  SequenceReader(const Model& model, std::span<const Token> tokens);
  /// For each position 1 … L the first position with the same window, and so the same weight; 0 at
  /// positions that the boundary leaves out.
  std::vector<Index> first_alike() const;
  /// Attention and prediction at a point. Throws InputError where its arrays are not of the model's
  /// sizes.
  Reading read(const Point& at) const;

 private:
  Model model_;
  std::vector<Token> tokens_;           // x_1 … x_{L+1}
  Index first_ = 1;                     // the first position that the boundary admits
  std::vector<Index> representative_;   // a position of each distinct window
  std::vector<std::size_t> window_of_;  // of positions first_ … L
};

}  // namespace gihflow
