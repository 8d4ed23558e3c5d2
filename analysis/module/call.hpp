#pragma once

#include <functional>

#include "gihflow/run/observer.hpp"
#include "python.hpp"

namespace gihflow::python {

/// Makes a Python object of what work has come to, with the interpreter's lock.
using Finish = std::function<nb::object()>;
/// Long work, done without the interpreter's lock.
using Work = std::function<Finish(RunObserver& observer)>;

/// Does long work on a thread of its own, while the caller's tells `listener` how far it is (note,
/// phase, progress, several times a second) and lets Python handle signals. What a handler or the
/// listener raises asks the work to end early, and is raised with the attribute `unfinished`: what
/// the work has come to, None where nothing.
nb::object follow(const nb::object& listener, const Work& work);

}  // namespace gihflow::python
