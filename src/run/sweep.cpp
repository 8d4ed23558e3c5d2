#include "gihflow/run/sweep.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <filesystem>
#include <memory>

#include "base/make_fault.hpp"
#include "base/unused_name.hpp"
#include "gihflow/base/context.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/parallel.hpp"
#include "gihflow/record/output_file.hpp"
#include "gihflow/run/train.hpp"
#include "run/member_process.hpp"
#include "run/member_status.hpp"

namespace gihflow {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int heartbeat = 100;  // milliseconds between two looks at the interrupt
constexpr int exit_good = 0, exit_limit = 5, exit_interrupted = 130;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

bool is_over(const MemberStatus& status) {
  return status.state == MemberState::done ||
         (status.state == MemberState::failed && exit_code(status.outcome) == 3);
}

// How a process that failed ended, for its log.
std::string ending(int code) {
  if (code < 0) return fmt::format("ended by signal {} ({})", -code, strsignal(-code));
  return fmt::format("ended with exit code {}", code);
}

// The members of this call's share. Throws InputError without a directory.
SweepResult share(const Plan& plan, const SweepSetting& setting) {
  if (setting.directory.empty()) {
    throw InputError(Fault{Field::directory, "", "must be given: where run files are", ""});
  }
  SweepResult result;
  result.members = members_of(plan, setting.shard ? setting.shard : slurm_shard());
  return result;
}

void examine_all(const Plan& plan, const SweepSetting& setting, SweepResult& result) {
  result.statuses.resize(result.members.size());
  std::vector<ErrorList> faults(result.members.size());
  parallel_blocks(static_cast<Index>(result.members.size()), [&](Index i) {
    const auto k = static_cast<std::size_t>(i);
    try {
      result.statuses[k] = examine(plan, plan.members[result.members[k]], setting);
    } catch (const InputError& error) {
      for (const Fault& fault : error.faults()) faults[k].add(fault);
    }
  });
  ErrorList all;
  for (const ErrorList& of_member : faults) all.add(of_member);
  all.throw_if_any();
}

class Sweep {
 public:
  Sweep(const Plan& plan, const SweepSetting& setting, SweepObserver& observer)
      : plan_(plan),
        setting_(setting),
        observer_(observer),
        program_(setting.program.empty() ? "/proc/self/exe" : setting.program),
        jobs_(static_cast<std::size_t>(
            setting.jobs.value_or(std::max(1, threads() / setting.member_threads)))),
        result_(share(plan, setting)) {}

  SweepResult run() {
    check_plan(plan_, setting_.isolation);
    examine_all(plan_, setting_, result_);
    make_directory();
    for (std::size_t k = 0; k < result_.members.size(); ++k) {
      if (is_over(result_.statuses[k]))
        remove_what_a_kill_left(path_of(member(k), setting_.directory));
      else
        waiting_.push_back(k);
    }
    left_at_start_ = waiting_.size();
    report();
    while (!waiting_.empty() || !running_.empty()) {
      const bool stopping = stop_if_asked();
      if (stopping && running_.empty()) break;
      if (!stopping) begin_members();
      listen();
      report();
    }
    result_.interrupted = stopping_;
    return std::move(result_);
  }

 private:
  struct Running {
    std::size_t k;  // of result_.members
    MemberProcess process;
  };

  const Member& member(std::size_t k) const { return plan_.members[result_.members[k]]; }
  MemberStatus& status(std::size_t k) { return result_.statuses[k]; }

  void make_directory() {
    std::error_code error;
    std::filesystem::create_directories(setting_.directory, error);
    if (error || !std::filesystem::is_directory(setting_.directory)) {
      throw InputError(fault(Field::directory, setting_.directory, "cannot be made{}{}",
                             error ? ": " : "", error ? error.message() : ""));
    }
  }

  bool stop_if_asked() {
    if (!stopping_ && interrupt_requested()) {
      stopping_ = true;
      for (const auto& running : running_) running->process.stop();
    }
    return stopping_;
  }

  // Begins members until enough run; tries each waiting one once.
  void begin_members() {
    for (std::size_t tries = waiting_.size(); tries > 0 && running_.size() < jobs_; --tries) {
      const std::size_t k = waiting_.front();
      waiting_.pop_front();
      begin(k);
    }
  }

  void begin(std::size_t k) {
    std::optional<Claim> claim = Claim::take(setting_.directory, member(k).name);
    if (!claim) {  // another call runs it
      status(k).state = MemberState::running;
      waiting_.push_back(k);
      return;
    }
    // Another call may have run the member since its file was examined.
    if (std::filesystem::exists(path_of(member(k), setting_.directory))) {
      status(k) = status_of_file(plan_, member(k), setting_);
      if (is_over(status(k))) return;
    }
    start(k, std::move(*claim));
  }

  void start(std::size_t k, Claim claim) {
    const std::string path = path_of(member(k), setting_.directory);
    std::vector<std::string> words = command_of(plan_, member(k));
    const bool damaged = status(k).state == MemberState::begun && !status(k).why.empty();
    if (damaged) set_aside(k, path);
    const Field target = std::filesystem::exists(path) ? Field::resume : Field::output;
    words.push_back(fmt::format("--{}={}", name(target), path));
    words.push_back(fmt::format("--{}={}", name(Field::threads), setting_.member_threads));
    words.push_back(fmt::format("--{}", name(Field::quiet)));
    if (setting_.force_members && target == Field::resume) {
      words.push_back(fmt::format("--{}", name(Field::force)));
    }
    remove_log(member(k), setting_.directory);
    running_.push_back(
        std::make_unique<Running>(Running{k, MemberProcess(program_, words, std::move(claim))}));
    status(k) = {.state = MemberState::running};
    ++result_.run;
  }

  // Moves a file that cannot be read, so that the member can be run anew.
  void set_aside(std::size_t k, const std::string& path) {
    const std::string aside =
        first_name(fmt::format("{}/{}.damaged", setting_.directory, member(k).name), is_unused);
    if (!rename_to_unused(path, aside)) {
      throw WriteError(
          fmt::format("{} cannot be moved to {}: {}", path, aside, std::strerror(errno)));
    }
    observer_.note(fmt::format("{}; moved to {}, the member is run anew", status(k).why, aside));
  }

  // Waits, at most a heartbeat, until a running member writes a message or ends.
  void listen() {
    std::vector<pollfd> ears;
    for (const auto& running : running_) {
      ears.push_back({running->process.descriptor(), POLLIN, 0});
    }
    if (poll(ears.data(), ears.size(), heartbeat) <= 0) return;
    for (std::size_t i = ears.size(); i-- > 0;) {
      if (ears[i].revents == 0 || running_[i]->process.listen()) continue;
      end(*running_[i]);
      running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }

  void end(Running& running) {
    const int code = running.process.wait();
    MemberStatus& now = status(running.k);
    switch (code) {
      case exit_good:
        now = {.state = MemberState::done, .outcome = Outcome::reached};
        break;
      case exit_interrupted:
        now = {.state = MemberState::begun, .outcome = Outcome::interrupted};
        if (!stopping_) waiting_.push_back(running.k);  // this member alone was interrupted
        break;
      case exit_limit:
      case 3:
        now = read_ended(running);
        break;
      default:
        fail(running, code);
    }
    if (now.state == MemberState::done || now.state == MemberState::failed) ++ended_;
  }

  // The status of a member that stopped at a limit or failed numerically, from its file.
  MemberStatus read_ended(Running& running) {
    const std::string path = path_of(member(running.k), setting_.directory);
    try {
      const RunFile run = read_run(path, setting_.isolation);
      const Outcome outcome = run.state.outcome;
      if (outcome == Outcome::step_limit) return {MemberState::done, outcome, "", 0.0};
      if (outcome == Outcome::wall_time) return {MemberState::begun, outcome, "", 0.0};
      if (exit_code(outcome) == 3) {
        note_failure(running.k, to_string(outcome));
        return {MemberState::failed, outcome, to_string(outcome), 0.0};
      }
    } catch (const InputError&) {  // it failed before it wrote a file
    }
    fail(running, 3);
    return status(running.k);
  }

  void fail(Running& running, int code) {
    const std::size_t k = running.k;
    const std::string path = log_of(member(k), setting_.directory);
    std::string said = running.process.said();
    if (!said.empty() && said.back() != '\n') said += '\n';
    std::string why = said.substr(0, said.find_last_not_of('\n') + 1);
    why = why.empty() ? ending(code)
                      : fmt::format("{}: {}", ending(code), why.substr(why.rfind('\n') + 1));
    if (!write_log(path, fmt::format("{}{}\n", said, why)))
      observer_.note(fmt::format("{}: cannot be written", path));
    status(k) = {MemberState::failed, Outcome::running, why, 0.0};
    note_failure(k, why);
  }

  void note_failure(std::size_t k, const std::string& why) {
    observer_.note(fmt::format("{} failed: {}", member(k).name, why));
  }

  void report() {
    SweepProgress progress;
    progress.members = result_.members.size();
    for (const MemberStatus& status : result_.statuses) {
      progress.done += status.state == MemberState::done ? 1 : 0;
      progress.failed += status.state == MemberState::failed ? 1 : 0;
      progress.running += status.state == MemberState::running ? 1 : 0;
    }
    if (ended_ > 0) {
      progress.seconds_left =
          seconds_since(start_) / static_cast<double>(ended_) *
          static_cast<double>(left_at_start_ - std::min(left_at_start_, ended_));
    }
    observer_.progress(progress);
  }

  const Plan& plan_;
  const SweepSetting& setting_;
  SweepObserver& observer_;
  const std::string program_;
  const std::size_t jobs_;
  const Clock::time_point start_ = Clock::now();
  SweepResult result_;
  std::deque<std::size_t> waiting_;
  std::vector<std::unique_ptr<Running>> running_;
  std::size_t left_at_start_ = 0, ended_ = 0;  // members that this call had to run, and has run
  bool stopping_ = false;
};

}  // namespace

int SweepResult::exit_code() const {
  if (interrupted) return exit_interrupted;
  int code = exit_good;
  for (const MemberStatus& status : statuses) {
    if (status.state == MemberState::failed) return 3;
    code = std::max(code, gihflow::exit_code(status.outcome));
  }
  return code;
}

SweepResult sweep(const Plan& plan, const SweepSetting& setting, SweepObserver* observer) {
  SweepObserver nobody;
  return Sweep(plan, setting, observer != nullptr ? *observer : nobody).run();
}

SweepResult sweep_status(const Plan& plan, const SweepSetting& setting) {
  check_plan(plan, setting.isolation);
  SweepResult result = share(plan, setting);
  examine_all(plan, setting, result);
  return result;
}

}  // namespace gihflow
