#pragma once

#include <span>

#include "gihflow/base/export.hpp"
#include "gihflow/base/types.hpp"

namespace GIHFLOW_API gihflow {

/// Accuracy of an induction head on the recall task, formula (8.5): p = δ_{1}, one-hot attention,
/// `positions` L admitted positions, `ordinary` d' ordinary tokens, L ≫ d'. It is the law of d'
/// orthogonal signals: ∫ φ(z) Φ(z + g)^{d'−1} dz, g = (e^a − 1)/√(L/d').
double recall_accuracy(Index positions, Index ordinary, double a);

/// The g of (8.5) at which the accuracy is `share`, 1/d' < share < 1.
double recall_signal(double share, Index ordinary);

/// The a at which the accuracy (8.5) is `share`, the inverse of recall_accuracy.
double recall_threshold(Index positions, Index ordinary, double share);

/// The length up to which the accuracy is at least `share`, d'((e^a − 1)/g)² by (8.5).
double recall_length(double share, Index ordinary, double a);

/// ȧ of such a head if only a is trained on the recall task, formula (8.6), in 1/flow time, for
/// readout log: the mean over sequences, with `counts` the numbers n of the label's token among the
/// `positions` admitted positions, the matching one included.
double recall_speed(std::span<const Index> counts, Index positions, double epsilon, double a);
/// The same with all counts replaced by their mean.
double recall_speed(Index positions, Index ordinary, double epsilon, double a);

/// lim e^a/t as t → ∞ by (8.8).
double recall_rate(Index positions, Index ordinary, double epsilon);

/// Flow time in which such a head's a grows from `from` to `to` if only a is trained, formula
/// (8.8), with all counts replaced by their mean.
double recall_time(Index positions, Index ordinary, double epsilon, double from, double to);

/// a after flow time t from a = `from`: the inverse of recall_time.
double recall_scale(Index positions, Index ordinary, double epsilon, double from, double t);

/// The training length with which accuracy `share` at the length `target` is reached in the
/// shortest flow time, formula (8.9).
double best_recall_length(Index target, double share, Index ordinary, double epsilon);

}  // namespace gihflow
