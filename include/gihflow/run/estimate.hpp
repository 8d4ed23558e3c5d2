#pragma once

#include <string>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/run/problem.hpp"

namespace GIHFLOW_API gihflow {

/// Size of a problem before any work is done. Memory and disk are upper bounds.
struct Estimate {
  Index chains = 0;
  Index validation_chains = 0;
  Index length = 0;
  double windows = 0;          ///< windows Z that can occur, theory §4
  double pairs_per_chain = 0;  ///< distinct (window, token) pairs a chain has at most, with those
                               ///< of all its prefixes where they are asked for
  Index subsets = 0;
  Index parameters = 0;     ///< numbers in (c, w, a)
  Index outputs = 0;        ///< recorded points in all
  double memory = 0;        ///< bytes
  double memory_limit = 0;  ///< bytes that this process could use
  double disk = 0;          ///< bytes
};

/// Upper bounds of what a problem will take. Throws InputError as prepare() does.
Estimate estimate(const Problem& problem);

/// Time that a problem of `train` or `compare` takes on this machine, as it is now.
struct TimeEstimate {
  double statistics = 0;  ///< seconds to draw or count all chains
  double gradient = 0;    ///< seconds for one gradient over them
  double gradients = 0;   ///< how many
  bool counted = false;   ///< exact number, of gradient descent; else a typical one, of a flow
  /// All of it, in seconds.
  double seconds() const { return statistics + gradient * gradients; }
};

/// Measured on up to 1,000 of the chains, fewer of long ones, and scaled to all: takes some
/// milliseconds. A flow is taken to need 300 gradients a stage, docs/numerics.md. Throws
/// InputError.
TimeEstimate estimate_time(const Problem& problem);

/// Faults of a problem that this machine cannot hold, with the numbers.
ErrorList estimate_errors(const Problem& problem, const Estimate& estimate);

/// "12.3 MiB"
std::string to_string_bytes(double bytes);

/// "1.2 ms", "3.4 h", "5e+06 years"
std::string to_string_duration(double seconds);

}  // namespace gihflow
