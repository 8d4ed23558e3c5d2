#pragma once

#include <string>

#include "gihflow/record/run_file.hpp"

namespace gihflow::cli {

/// Note on an infinite loss.
inline constexpr const char* infinite_loss =
    "the loss is infinite: epsilon is 0 and some label has no weight in its context, or one "
    "that underflows; such labels have no part in the gradient; an epsilon above 0 makes it "
    "finite";

/// A run as text: how it ended, stages with their certificates, final parameters, losses with their
/// baselines, wall time. `show` and the end of `train` print the same.
std::string run_report(const RunFile& run);

/// Provenance of a run as text: program, seed, hashes, machine, command line.
std::string provenance_report(const RunFile& run, const std::string& path);

/// Both as JSON; numbers round-trip, undefined ones are null.
std::string run_json(const RunFile& run, const std::string& path);

}  // namespace gihflow::cli
