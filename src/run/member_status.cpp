// State of a member from its file, and comparison of the file with the plan.

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "base/make_fault.hpp"
#include "base/unused_name.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/text.hpp"
#include "gihflow/run/problem.hpp"
#include "gihflow/run/resume.hpp"
#include "gihflow/run/sweep.hpp"
#include "gihflow/run/train.hpp"
#include "run/member_process.hpp"
#include "run/member_status.hpp"

namespace gihflow {

namespace {

// The options in which a run differs from the member.
ErrorList differences(const Problem& mine, const Setting& theirs, const std::string& path) {
  ErrorList errors;
  for (const Option& option : options()) {
    if (option.role == Role::handling || !option.belongs_to(mine.groups)) continue;
    if (mine.unused.contains(option.field) || option.field == Field::max_steps) continue;
    const std::optional<Value> wanted = option.get(mine.setting);
    const std::optional<Value> there = option.get(theirs);
    const bool automatic = wanted && to_string(*wanted) == "auto";
    if (wanted == there || automatic) continue;
    errors.add({option.field, there ? to_string(*there) : "none",
                phrase("must be {}, as in the plan: that takes another directory, or the file has "
                       "to go",
                       wanted ? to_string(*wanted) : "left out"),
                path});
  }
  return errors;
}

// The first line of every log. Files without it are not the program's: they are neither read nor
// replaced nor removed.
constexpr std::string_view log_title = "gihflow sweep: messages of a process that failed";

bool is_log(const std::string& path) {
  if (!std::filesystem::is_regular_file(std::filesystem::symlink_status(path))) return false;
  std::ifstream file(path);
  std::string first;
  return std::getline(file, first) && first == log_title;
}

// The last line of a log; empty without one.
std::string last_line(const std::string& path) {
  if (!is_log(path)) return "";
  std::ifstream file(path);
  std::string line, last;
  while (std::getline(file, line)) {
    if (!line.empty()) last = line;
  }
  return last;
}

MemberStatus of_run(const RunFile& run, Index max_steps, const std::string& path) {
  MemberStatus status;
  status.outcome = run.state.outcome;
  status.seconds = run.execution.wall_seconds;
  if (nothing_left(run, max_steps, path).empty()) {
    status.state = MemberState::begun;
  } else if (exit_code(run.state.outcome) == 3) {
    status.state = MemberState::failed;
    status.why = to_string(run.state.outcome);
  } else {
    status.state = MemberState::done;
  }
  return status;
}

// Reads a run file; on failure returns nullopt and sets `why`.
std::optional<RunFile> read(const std::string& path, Isolation isolation, std::string& why) {
  try {
    return read_run(path, isolation);
  } catch (const InputError& error) {
    why = sentence(error.faults().front(), plain_spelling);
    return std::nullopt;
  }
}

std::optional<Index> whole_number(const char* variable) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? std::nullopt : parse_number<Index>(text);
}

}  // namespace

std::string to_string(MemberState state) {
  constexpr std::array names{"left", "begun", "running", "done", "failed"};
  return names[static_cast<std::size_t>(state)];
}

std::string path_of(const Member& member, const std::string& directory) {
  return fmt::format("{}/{}.h5", directory, member.name);
}

std::string log_of(const Member& member, const std::string& directory) {
  return first_name(fmt::format("{}/{}.log", directory, member.name),
                    [](const std::string& path) { return is_unused(path) || is_log(path); });
}

void remove_log(const Member& member, const std::string& directory) {
  const std::string path = log_of(member, directory);
  if (std::error_code ignored; is_log(path)) std::filesystem::remove(path, ignored);
}

bool write_log(const std::string& path, const std::string& text) {
  std::FILE* const file = std::fopen(path.c_str(), "wxe");  // x: fails if the file exists
  if (file == nullptr) return false;
  const std::string log = fmt::format("{}\n{}", log_title, text);
  const bool written = std::fwrite(log.data(), 1, log.size(), file) == log.size();
  return std::fclose(file) == 0 && written;
}

MemberStatus status_of_file(const Plan& plan, const Member& member, const SweepSetting& setting,
                            std::optional<RunFile>* run) {
  const std::string path = path_of(member, setting.directory);
  MemberStatus status;
  if (std::filesystem::exists(path)) {
    std::optional<RunFile> found = read(path, setting.isolation, status.why);
    status.state = MemberState::begun;
    if (found) {
      const Problem mine = prepare(assembled_member(plan, member, setting.isolation));
      differences(mine, setting_of_run(*found, path), path).throw_if_any();
      status = of_run(*found, mine.setting.flow.max_steps, path);
      if (run != nullptr) *run = std::move(found);
    }
  }
  if (status.state != MemberState::done && status.why.empty()) {
    status.why = last_line(log_of(member, setting.directory));
    if (!status.why.empty()) status.state = MemberState::failed;
  }
  return status;
}

MemberStatus examine(const Plan& plan, const Member& member, const SweepSetting& setting,
                     std::optional<RunFile>* run) {
  MemberStatus status = status_of_file(plan, member, setting, run);
  if (Claim::taken(setting.directory, member.name)) status = {.state = MemberState::running};
  return status;
}

std::vector<std::size_t> members_of(const Plan& plan, const std::optional<Shard>& shard) {
  const Shard share = shard.value_or(Shard());
  std::vector<std::size_t> members;
  for (auto i = static_cast<std::size_t>(share.index - 1); i < plan.members.size();
       i += static_cast<std::size_t>(share.count)) {
    members.push_back(i);
  }
  return members;
}

std::optional<Shard> slurm_shard() {
  const auto task = whole_number("SLURM_ARRAY_TASK_ID"),
             count = whole_number("SLURM_ARRAY_TASK_COUNT");
  if (!task || !count) return std::nullopt;
  const Index first = whole_number("SLURM_ARRAY_TASK_MIN").value_or(0);
  const Index step = whole_number("SLURM_ARRAY_TASK_STEP").value_or(1);
  const Index index = step > 0 ? (*task - first) / step + 1 : 0;
  if (index < 1 || index > *count || (*task - first) % step != 0) {
    throw InputError(fault("SLURM_ARRAY_TASK_ID", *task,
                           "must be one of {} evenly spaced tasks from {} on; give {} otherwise",
                           *count, first, Field::shard));
  }
  return Shard{index, *count};
}

}  // namespace gihflow
