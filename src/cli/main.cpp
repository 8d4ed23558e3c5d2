#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>

#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/mpi.hpp"
#include "cli/parser.hpp"
#include "gihflow/base/context.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/interrupted.hpp"
#include "run/serve.hpp"

namespace gihflow::cli {

namespace {

enum ExitCode { good = 0, bad_input = 2, numerical_failure = 3, write_failure = 4, stopped = 130 };

// Opens /dev/null for standard streams that are closed, since the next file to be opened would
// otherwise become one of them, and receive messages. What is closed stays unreadable or
// unwritable: a result that cannot be printed is a write error.
void occupy_closed_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(stream, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest free descriptor is this one.
    static_cast<void>(open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY));
  }
}

// Signals of a terminal, and those with which batch systems announce the end of a job's time.
// Signals that are ignored at the start, as under nohup, stay ignored.
constexpr int stopping_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU};

Interrupt interrupt;

void write_to_stderr(const char* text) {
  static_cast<void>(!write(STDERR_FILENO, text, std::strlen(text)));
}

// The first signal requests an end after the current step, the second one ends the process. Output
// files are replaced as a whole, so neither can damage one. A sweep sends its members a queued
// signal for one that they may have received themselves, so a queued signal never counts as the
// second.
extern "C" void on_signal(int, siginfo_t* information, void*) {
  if (interrupt.requested()) {
    if (information->si_code == SI_QUEUE) return;
    _exit(stopped);
  }
  interrupt.request();
  write_to_stderr("\ngihflow: stopping after the current step; a second signal stops at once\n");
}

void handle_signals() {
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_RESTART | SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  for (const int signal : stopping_signals) {
    struct sigaction inherited {};
    sigaction(signal, nullptr, &inherited);
    if (inherited.sa_handler != SIG_IGN) sigaction(signal, &action, nullptr);
  }
  // A file beyond a size limit and a closed pipe are write errors; they do not end the process.
  action.sa_handler = SIG_IGN;
  action.sa_flags = 0;
  sigaction(SIGXFSZ, &action, nullptr);
  sigaction(SIGPIPE, &action, nullptr);
}

int run_program(int argc, char** argv) {
  const Parsed parsed = parse(argc, argv);
  if (!parsed.answer.empty()) {
    print(parsed.answer);
    return good;
  }
  const Command* const command = parsed.invocation.command;
  if (command != nullptr) return command->run(parsed.invocation);
  parsed.invocation.faults.throw_if_any();
  say(first_screen());
  return bad_input;
}

// On a terminal, names the help in which allowed values are described.
void point_to_help(const InputError& error, int argc, char** argv) {
  const bool about_a_setting =
      std::any_of(error.faults().begin(), error.faults().end(),
                  [](const Fault& fault) { return fault.field != Field::none; });
  const auto command = std::find_if(commands().begin(), commands().end(), [&](const Command& c) {
    return argc > 1 && c.name == argv[1];
  });
  if (isatty(STDERR_FILENO) == 0) return;
  if (command == commands().end())
    say("gihflow --help lists the commands\n");
  else if (about_a_setting)
    say(fmt::format(
        "gihflow {0} --help says what the options of {0} may be, man gihflow-{0} more\n",
        command->name));
}

int guarded(int argc, char** argv) {
  const ContextScope scope({.interrupt = &interrupt});
  try {
    return run_program(argc, argv);
  } catch (const InputError& error) {
    for (const Fault& fault : error.faults()) {
      say(fmt::format("error: {}\n", sentence(fault, option_spelling)));
    }
    point_to_help(error, argc, argv);
    return bad_input;
  } catch (const WriteError& error) {
    say(fmt::format("error: {}\n", error.what()));
    return write_failure;
  } catch (const Interrupted&) {
    return stopped;
  } catch (const std::bad_alloc&) {
    say("error: out of memory\n");
    return bad_input;
  } catch (const std::exception& error) {
    say(fmt::format("error: internal: {}\n", error.what()));
    return numerical_failure;
  }
}

// Runs one of several MPI processes: process 0 runs the command, the others serve it until it ends.
int guarded_among(Ranks& ranks, int argc, char** argv) {
  if (ranks.own() > 0) {
    for (const int signal : stopping_signals) std::signal(signal, SIG_IGN);
    serve(ranks);
    return good;
  }
  const RanksScope scope(ranks);
  const int code = guarded(argc, argv);
  end_serving(ranks);
  return code;
}

}  // namespace

}  // namespace gihflow::cli

int main(int argc, char** argv) {
  gihflow::cli::occupy_closed_streams();
  gihflow::cli::handle_signals();
  const auto ranks = gihflow::cli::mpi_ranks();
  return ranks ? gihflow::cli::guarded_among(*ranks, argc, argv)
               : gihflow::cli::guarded(argc, argv);
}
