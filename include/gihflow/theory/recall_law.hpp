#pragma once

#include "gihflow/base/export.hpp"
#include "gihflow/base/types.hpp"

namespace GIHFLOW_API gihflow {

/// Share of right answers of an induction head on the recall task at length L, formula (8.5): p =
/// δ_{1}, one-hot attention, `positions` L admitted ones, `ordinary` d' ordinary tokens, L ≫ d'.
/// The error law of d' orthogonal signals: ∫ φ(z) Φ(z + g)^{d'−1} dz, g = (e^a − 1)/√(L/d').
double recall_accuracy(Index positions, Index ordinary, double a);

/// The g of (8.5) at which so large a share of the answers is right, 1/d' < share < 1.
double recall_signal(double share, Index ordinary);

/// Flow time in which such a head's a goes from `from` to `to` when it alone is trained on recall
/// at so many admitted positions, formula (8.8): counts of the label's token replaced by their
/// mean.
double recall_time(Index positions, Index ordinary, double epsilon, double from, double to);

/// The training length by which a target length and accuracy are reached first, formula (8.9).
double best_recall_length(Index target, double share, Index ordinary, double epsilon);

}  // namespace gihflow
