#include "base/context.hpp"

#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <thread>

#include "base/control_group.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/text.hpp"

namespace gihflow {

namespace {

// The positive whole number in an environment variable; nullopt for anything else.
std::optional<int> count_in(const char* variable) {
  const char* const text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  const std::string_view all = text;  // OMP_NUM_THREADS may be a list: its first number counts
  const std::optional<int> count = parse_number<int>(all.substr(0, all.find(',')));
  return count && *count >= 1 ? count : std::nullopt;
}

// Number of threads that the process may use, see Context::threads.
int default_threads() {
  int count = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) count = std::max(1, CPU_COUNT(&allowed));
  if (const auto& cores = control_group_limits().cores; cores && *cores < count)
    count = std::max(1, static_cast<int>(*cores));
  for (const char* variable : {"SLURM_CPUS_PER_TASK", "OMP_NUM_THREADS"})
    count = std::min(count, count_in(variable).value_or(count));
  return std::min(count, most_threads);
}

}  // namespace

Context& current_context() noexcept {
  thread_local Context context;
  return context;
}

ContextScope::ContextScope(const Context& context) : before_(current_context()) {
  if (context.threads && (*context.threads < 1 || *context.threads > most_threads)) {
    throw InputError(Fault{.field = Field::threads,
                           .value = std::to_string(*context.threads),
                           .allowed = "must be between 1 and " + std::to_string(most_threads)});
  }
  Context& current = current_context();
  if (context.threads) current.threads = context.threads;
  if (context.interrupt != nullptr) current.interrupt = context.interrupt;
}

ContextScope::~ContextScope() {
  current_context() = before_;
}

int threads() noexcept {
  static const int most = default_threads();
  return current_context().threads.value_or(most);
}

bool interrupt_requested() noexcept {
  const Interrupt* const interrupt = current_context().interrupt;
  return interrupt != nullptr && interrupt->requested();
}

}  // namespace gihflow
