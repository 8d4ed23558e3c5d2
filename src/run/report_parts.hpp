#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <vector>

#include "gihflow/run/report.hpp"
#include "record/json.hpp"

namespace gihflow {

/// Numbers in a page: base 64 of little-endian binary64.
std::string base64_reals(const std::vector<double>& numbers);
/// Shares in [0, 1], as base 64 of little-endian 16-bit multiples of 1/65535.
std::string base64_shares(const std::vector<double>& shares);

/// The HTML page with the data and these scripts of src/run/page/.
std::string page_of(const Json& data, std::initializer_list<const char*> scripts);

/// Which outputs of each stage a page shows: all, or evenly spaced ones with the first and last.
using ShownOutputs = std::vector<std::vector<std::size_t>>;

/// The first training sequences of a run, each with attention and prediction of the model at the
/// shown outputs; or the reason why there are none. `setting`: of the run, with the present paths
/// of its chain files; `held`: chains in place of files.
Json report_sequences(const RunFile& run, const Setting& setting, const Inputs& held,
                      const ShownOutputs& shown);

}  // namespace gihflow
