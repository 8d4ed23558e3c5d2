#pragma once

#include <string>

#include "gihflow/chain/text_tokens.hpp"
#include "gihflow/run/setting.hpp"

namespace gihflow {

/// Tokens of the text in a file. Throws InputError: no such file, larger than 1 GiB, and as
/// tokens_of_text does.
TextTokens read_text_tokens(const std::string& path, Index vocabulary);

/// The kernels of a setting with a text, read from the file `path`.
Kernels text_kernels(const Setting& setting, const std::string& path);

}  // namespace gihflow
