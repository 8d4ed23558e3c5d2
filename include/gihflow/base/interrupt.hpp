#pragma once

#include "gihflow/base/export.hpp"

namespace GIHFLOW_API gihflow {

/// True once an interrupt was requested; long loops look at it between steps and end cleanly.
bool interrupt_requested() noexcept;

/// Requests an interrupt. Async-signal-safe.
void request_interrupt() noexcept;

/// Forgets an earlier request (for tests and for library users who run several jobs).
void clear_interrupt() noexcept;

}  // namespace gihflow
