#pragma once

#include <span>

#include "gihflow/base/export.hpp"
#include "gihflow/base/types.hpp"

namespace GIHFLOW_API gihflow {

/// Share of right answers of an induction head on the recall task at length L, formula (8.5): p =
/// δ_{1}, one-hot attention, `positions` L admitted ones, `ordinary` d' ordinary tokens, L ≫ d'.
/// The error law of d' orthogonal signals: ∫ φ(z) Φ(z + g)^{d'−1} dz, g = (e^a − 1)/√(L/d').
double recall_accuracy(Index positions, Index ordinary, double a);

/// The g of (8.5) at which so large a share of the answers is right, 1/d' < share < 1.
double recall_signal(double share, Index ordinary);

/// The a at which so large a share of the answers is right by (8.5): the inverse of
/// recall_accuracy.
double recall_threshold(Index positions, Index ordinary, double share);

/// The length up to which at least such a share of the answers is right, d'((e^a − 1)/g)² by (8.5).
double recall_length(double share, Index ordinary, double a);

/// ȧ of such a head when it alone is trained on recall, formula (8.6): the average over sequences,
/// `counts` n of the label's token among so many admitted positions, the one that matches included.
/// Readout log; in 1/flow time.
double recall_speed(std::span<const Index> counts, Index positions, double epsilon, double a);
/// The same with every count replaced by its mean.
double recall_speed(Index positions, Index ordinary, double epsilon, double a);

/// lim e^a/t as t → ∞ by (8.8), the speed at which e^a grows once all answers are right.
double recall_rate(Index positions, Index ordinary, double epsilon);

/// Flow time in which such a head's a goes from `from` to `to` when it alone is trained on recall
/// at so many admitted positions, formula (8.8): counts of the label's token replaced by their
/// mean.
double recall_time(Index positions, Index ordinary, double epsilon, double from, double to);

/// a after flow time t from a = `from`: the inverse of recall_time.
double recall_scale(Index positions, Index ordinary, double epsilon, double from, double t);

/// The training length by which a target length and accuracy are reached first, formula (8.9).
double best_recall_length(Index target, double share, Index ordinary, double epsilon);

}  // namespace gihflow
