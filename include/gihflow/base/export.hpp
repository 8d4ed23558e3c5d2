#pragma once

/// \file
/// Makes the names of a namespace visible outside the shared library, where names are hidden unless
/// they say otherwise: public headers write `namespace GIHFLOW_API gihflow {`, the rest
/// `namespace gihflow {`.

#if defined(__GNUC__)
#define GIHFLOW_API [[gnu::visibility("default")]]
#else
#define GIHFLOW_API
#endif
