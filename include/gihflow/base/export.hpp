#pragma once

/// \file
/// Exports the names of a namespace from the shared library, which hides all others: public headers
/// write `namespace GIHFLOW_API gihflow {`, all other files `namespace gihflow {`.

#if defined(__GNUC__)
#define GIHFLOW_API [[gnu::visibility("default")]]
#else
#define GIHFLOW_API
#endif
