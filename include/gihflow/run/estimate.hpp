#pragma once

#include <string>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/run/problem.hpp"

namespace GIHFLOW_API gihflow {

/// Sizes of a problem, computed before any work is done. Memory and disk are upper bounds.
struct Estimate {
  Index chains = 0;
  Index validation_chains = 0;
  Index length = 0;
  double windows = 0;          ///< possible windows Z, theory §4
  double pairs_per_chain = 0;  ///< upper bound of the distinct (window, token) pairs of a chain,
                               ///< summed over its predicted prefixes
  Index subsets = 0;
  Index parameters = 0;     ///< numbers in all blocks
  Index outputs = 0;        ///< recorded points of all stages
  double memory = 0;        ///< bytes
  double memory_limit = 0;  ///< bytes that this process could use
  double disk = 0;          ///< bytes
};

/// The sizes of a problem; with device `auto` the memory is a bound for either device. Throws
/// InputError.
Estimate estimate(const Problem& problem);
/// The same with gradients on one device. The host's memory, also of a card.
Estimate estimate_on(const Problem& problem, Device device);

/// Time that a problem of `train` or `compare` takes on this machine.
struct TimeEstimate {
  double statistics = 0;  ///< seconds to draw and count all chains
  double gradient = 0;    ///< seconds for one gradient over them
  double gradients = 0;   ///< number of gradients
  bool counted = false;   ///< whether that number is exact (gradient descent) or typical (flow)
  /// Total time in seconds.
  double seconds() const { return statistics + gradient * gradients; }
};

/// Number of passes over all chains in the schedule of `train` or `compare`; for the flow 300 per
/// stage are assumed, see docs/numerics.md.
double count_gradients(const Problem& problem);

/// Measured on the CPU on up to 1,000 of the chains, fewer if they are long, and scaled to all;
/// takes some milliseconds. Throws InputError.
TimeEstimate estimate_time(const Problem& problem);

/// Faults of a problem that needs more memory or disk space than there is, with the numbers.
ErrorList estimate_errors(const Problem& problem, const Estimate& estimate);

/// "12.3 MiB"
std::string to_string_bytes(double bytes);

/// "1.2 ms", "3.4 h", "5e+06 years"
std::string to_string_duration(double seconds);

}  // namespace gihflow
