#include "run/following.hpp"

namespace gihflow {

namespace {

RunObserver nobody;

}  // namespace

Call::Call(const Problem& problem, RunObserver* told)
    : observer(told != nullptr ? *told : nobody), scope_({.threads = problem.setting.threads}) {
  for (const std::string& note : problem.notes) observer.note(note);
}

}  // namespace gihflow
