#include <cstdio>

// HDF5's archive reaches stdin, stdout and stderr as a program does, as data of its own, which a
// module has not: the linker leads it here (--wrap).

extern "C" {
[[gnu::visibility("hidden")]] std::FILE* __wrap_stdin = nullptr;
[[gnu::visibility("hidden")]] std::FILE* __wrap_stdout = nullptr;
[[gnu::visibility("hidden")]] std::FILE* __wrap_stderr = nullptr;
extern std::FILE* __real_stdin;
extern std::FILE* __real_stdout;
extern std::FILE* __real_stderr;
}

namespace {

[[gnu::constructor]] void take_streams() {
  __wrap_stdin = __real_stdin;
  __wrap_stdout = __real_stdout;
  __wrap_stderr = __real_stderr;
}

}  // namespace
