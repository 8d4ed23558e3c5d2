#pragma once

// What `auto` stands for in the setting `device`: the CPU or a card, by the measured time of a
// gradient.

#include <functional>
#include <memory>
#include <vector>

#include "gihflow/population/objective.hpp"
#include "gihflow/run/problem.hpp"

namespace gihflow {

/// Whether device `auto` of a problem may be a card: one is at hand that computes the model, the
/// host has the memory for it, and chains are not drawn anew in every step.
bool may_take_card(const Problem& problem);

/// Objectives of which the faster one is wanted.
struct DeviceCandidates {
  /// Makes the objective on the first `chains` chains.
  std::function<std::unique_ptr<Objective>(Device device, Index chains)> make;
  Index on_cpu = 0, on_card = 0;  ///< numbers of chains; they may differ among several processes
  double gradients = 0.0;         ///< number of gradients that are wanted
  std::function<double(const Objective&)> seconds;  ///< time of a gradient
};

/// The faster device.
struct DeviceChoice {
  Device device = Device::cpu;
  /// Seconds for a gradient over all chains; 0 for a card that was not tried.
  double cpu = 0.0, card = 0.0;
  /// The device's objective on all chains, if it is at hand; else null.
  std::unique_ptr<Objective> objective = nullptr;
};

/// Numbers of chains at which a gradient is timed to tell its time over N chains, ascending: N
/// itself, up to 16,384; beyond, two of which the larger is N/16, but from 4,096 to 65,536.
std::vector<Index> timed_chains(Index chains);

/// Measures the CPU, and a card unless all gradients on the CPU take less time than to start it.
/// Costs are taken to be linear in the number of chains, see timed_chains. The card is chosen where
/// it takes at most 0.9 of the CPU's time; the CPU, where the card throws InputError.
DeviceChoice choose_device(const DeviceCandidates& candidates);

/// Seconds of a gradient at a point, the least of several; of a minibatch with this share of the
/// chains, if it is not 0.
double seconds_of_gradient(const Objective& objective, const Point& at, double batch_share);

}  // namespace gihflow
