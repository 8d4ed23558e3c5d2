#pragma once

#include <span>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/model/model.hpp"
#include "gihflow/population/objective.hpp"

namespace GIHFLOW_API gihflow {

/// What a model reads off one sequence.
struct Reading {
  /// Weights of the second attention on the positions 1 … L (2.3), [L]; 0 at positions that the
  /// boundary leaves out. Their sum is 1.
  std::vector<double> weights;
  /// Law of the next token that the loss takes the model to give, [d]: (y(e) + ε)/(1 + dε) of (2.4)
  /// with readout log, softmax(y)(e) with readout softmax.
  std::vector<double> law;
};

/// Reads one sequence at different points, straight from (2.1)–(2.3); positions with equal windows
/// are computed once.
class SequenceReader {
 public:
  /// tokens x_1 … x_L, and a last one, the label, which is not read. Throws InputError: L ≤ W with
  /// masked boundary, no tokens, a token that is not below d.
  SequenceReader(const Model& model, std::span<const Token> tokens);
  /// For each position 1 … L the first one with the same window, which always has the same weight;
  /// 0 at positions that the boundary leaves out.
  std::vector<Index> first_alike() const;
  /// p [subsets], w [H, M].
  Reading read(const Point& at) const;

 private:
  Model model_;
  std::vector<Token> tokens_;           // x_1 … x_{L+1}
  Index first_ = 1;                     // position that takes part, from 1
  std::vector<Index> representative_;   // a position of each distinct window
  std::vector<std::size_t> window_of_;  // of positions first_ … L
};

}  // namespace gihflow
