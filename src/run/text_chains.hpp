#pragma once

#include <string>

#include "gihflow/chain/text_tokens.hpp"
#include "gihflow/run/setting.hpp"

namespace gihflow {

/// The text in a file, as tokens. Throws InputError: no such file, larger than 1 GiB, and as
/// tokens_of_text does.
TextTokens read_text_tokens(const std::string& path, Index vocabulary);

/// The kernels that a setting makes of its text, which is now in the file `path`.
Kernels text_kernels(const Setting& setting, const std::string& path);

}  // namespace gihflow
