#pragma once

#include <string>

#include "gihflow/record/run_file.hpp"

namespace gihflow::cli {

/// What an infinite loss means, and what to try.
inline constexpr const char* infinite_loss =
    "the loss is infinite: epsilon is 0 and some label has no weight in its context, or one "
    "that underflows; such labels have no part in the gradient; an epsilon above 0 makes it "
    "finite";

/// What a run has come to, for people: stages with their certificates, final parameters, losses
/// beside their baselines, wall time. `show` and the end of `train` print the same.
std::string run_report(const RunFile& run);

/// Where a run comes from, for people.
std::string provenance_report(const RunFile& run, const std::string& path);

/// All of it as JSON; numbers round-trip, what is undefined is null.
std::string run_json(const RunFile& run, const std::string& path);

}  // namespace gihflow::cli
