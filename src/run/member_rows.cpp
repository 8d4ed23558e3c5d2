// Rows of the option table for many runs: members of a sweep, replicas of one run.

#include <fmt/format.h>

#include <cstdlib>

#include "run/option_rows.hpp"

namespace gihflow {

namespace {

constexpr Place members{"Members", Role::handling};
constexpr Place actions{"Instead of running", Role::handling};

std::optional<Shard> parse_shard(const std::string& text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) return std::nullopt;
  const auto index = parse_number<Index>(std::string_view(text).substr(0, slash));
  const auto count = parse_number<Index>(std::string_view(text).substr(slash + 1));
  if (!index || !count || *index < 1 || *count < *index) return std::nullopt;
  return Shard{*index, *count};
}

// "2/5", the second of five shares.
Option shard_row() {
  Option option = described<PlanSetting>(
      {Field::shard, "K/N", "Run every N-th member, from the K-th on",
       "the task of the Slurm array, 1/1 outside one"},
      members, {Kind::text, "K/N with integers 1 <= K <= N, as in 2/5", [](const Value& value) {
                  return parse_shard(std::get<std::string>(value)).has_value();
                }});
  option.get = [](const Setting& s) -> std::optional<Value> {
    if (!s.shard) return std::nullopt;
    return fmt::format("{}/{}", s.shard->index, s.shard->count);
  };
  option.set = [](Setting& s, const Value& value) {
    s.shard = parse_shard(std::get<std::string>(value));
  };
  return option;
}

// Why `jobs` has no effect in `train` without replicas. `sweep`, where `replicas` is 1 too, does
// not ask.
Phrase one_run(const Setting& s) {
  return s.replicas == 1 ? Phrase(Field::replicas, " is 1") : Phrase();
}

Option directory_row() {
  Option option = row<PlanSetting>(
      {Field::directory, "DIR", "Where the run files of the members are; made if it is missing",
       "none"},
      members, path(), [](auto& s) -> auto& { return s.directory; });
  option.short_name = std::string("d");
  option.allowed = std::string("the path of a directory, in UTF-8");
  return option;
}

Option jobs_row() {
  Option option = row<JobSetting>(
      {Field::jobs, "J", "Members at a time", "as many as have a core each"},
      {members.heading, members.role, one_run}, integers(1, 1024),
      [](auto& s) -> auto& { return s.jobs; });
  option.short_name = std::string("j");
  return option;
}

}  // namespace

std::vector<Option> member_rows() {
  return {
      directory_row(),
      row<ReplicaSetting>(
          {Field::replicas, "R",
           Phrase("Train with so many seeds, from ", Field::seed,
                  " on, each in a process and a run file of its own beside the output, which then "
                  "holds means and quantiles over them; a second call runs what is missing")},
          members, integers(1, 1000000), [](auto& s) -> auto& { return s.replicas; }),
      jobs_row(),
      shard_row(),
      row<PlanSetting>(
          {Field::threads, "K", "Threads of each member; results do not depend on them"}, members,
          integers(1, 1024), [](auto& s) -> auto& { return s.member_threads; }),
      row<PlanSetting>(
          {Field::force, "",
           Phrase("Go on with members of another program version; overwrite the file of ",
                  Field::collect)},
          members, flag(), [](auto& s) -> auto& { return s.force_members; }),
      row<SweepActionSetting>(
          {Field::status, "", "Run nothing; print how far the members are"}, actions, flag(),
          [](auto& s) -> auto& { return s.status; }),
      row<PlanSetting>(
          {Field::collect, "FILE",
           "Run nothing; write a table of all members, one row each, and of replicas the means and "
           "quantiles of every recorded column; CSV, without these, where FILE ends in .csv, "
           "else HDF5",
           "none"},
          actions, path(), [](auto& s) -> auto& { return s.table; }),
      row<SweepActionSetting>(
          {Field::sbatch, "",
           "Run nothing; print a job script for Slurm that goes on after preemption and time-outs"},
          actions, flag(), [](auto& s) -> auto& { return s.sbatch; }),
  };
}

}  // namespace gihflow
