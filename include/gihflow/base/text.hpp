#pragma once

#include <string>

#include "gihflow/base/export.hpp"

namespace GIHFLOW_API gihflow {

/// Whether a text can be printed and written as TOML, JSON and HDF5, and read back: UTF-8 without
/// stray bytes, overlong forms, surrogates or control characters other than tab and end of line.
bool is_plain_utf8(const std::string& text);

}  // namespace gihflow
