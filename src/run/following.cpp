#include "run/following.hpp"

namespace gihflow {

namespace {

RunObserver nobody;

}  // namespace

Call::Call(const Problem& problem, RunObserver* told)
    : observer(told != nullptr ? *told : nobody), scope_({.threads = problem.setting.threads}) {
  for (const Phrase& note : problem.notes) observer.note(note);
}

std::unique_ptr<OutputFile> Call::output(const std::string& path, bool force) const {
  if (path.empty()) return nullptr;
  auto file = std::make_unique<OutputFile>(path, force);
  if (!file->note().empty()) observer.note(file->note());
  return file;
}

}  // namespace gihflow
