#include "cli/members.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/commands.hpp"
#include "cli/json.hpp"
#include "cli/table.hpp"
#include "gihflow/run/estimate.hpp"

namespace gihflow::cli {

namespace {

constexpr std::size_t most_failures_shown = 10;
constexpr std::size_t most_estimated = 8;

std::size_t count(const SweepResult& result, MemberState state) {
  return static_cast<std::size_t>(
      std::count_if(result.statuses.begin(), result.statuses.end(),
                    [&](const MemberStatus& status) { return status.state == state; }));
}

constexpr std::array states{MemberState::done, MemberState::running, MemberState::failed,
                            MemberState::begun, MemberState::left};

std::string failures(const Plan& plan, const SweepResult& result) {
  Table table;
  std::size_t failed = 0;
  for (std::size_t k = 0; k < result.statuses.size(); ++k) {
    const MemberStatus& status = result.statuses[k];
    if (status.state != MemberState::failed || ++failed > most_failures_shown) continue;
    table.add({plan.members[result.members[k]].name + ":  " + status.why});
  }
  std::string text = failed > 0 ? fmt::format("\n{}", table.text()) : std::string();
  if (failed > most_failures_shown) {
    text += fmt::format("and {} more; --json has all\n", failed - most_failures_shown);
  }
  return text;
}

// Time for the members that are not done, estimated from those that are; empty if none is.
std::string time_left(const SweepResult& result, Index jobs) {
  double seconds = 0.0;
  std::size_t timed = 0, open = 0;
  for (const MemberStatus& status : result.statuses) {
    if (status.state == MemberState::done && status.seconds > 0.0) {
      seconds += status.seconds;
      ++timed;
    }
    open += status.state == MemberState::done || status.state == MemberState::failed ? 0 : 1;
  }
  if (timed == 0 || open == 0) return "";
  return fmt::format("about {}, {} at a time",
                     duration_text(seconds / static_cast<double>(timed) *
                                   static_cast<double>(open) / static_cast<double>(jobs)),
                     jobs);
}

}  // namespace

void SweepBar::progress(const SweepProgress& progress) {
  if (!line_.due()) return;
  const std::size_t over = progress.done + progress.failed;
  std::string line =
      fmt::format("{} {} of {} members, {} running",
                  bar(static_cast<double>(over) /
                          static_cast<double>(std::max<std::size_t>(1, progress.members)),
                      30),
                  over, progress.members, progress.running);
  if (progress.failed > 0) line += fmt::format(", {} failed", progress.failed);
  if (progress.seconds_left)
    line += fmt::format("  {} left", duration_text(*progress.seconds_left));
  line_.draw(std::move(line));
}

std::string members_report(const Plan& plan, const SweepResult& result, Index jobs) {
  Fields fields;
  std::string total = fmt::format("{}", result.members.size());
  if (result.members.size() < plan.members.size()) {
    total += fmt::format(", a share of {}", plan.members.size());
  }
  if (plan.replicas > 1) total += fmt::format(", {} of each point", plan.replicas);
  fields.add("members", total);
  for (const MemberState state : states) {
    const std::size_t members = count(result, state);
    const bool always =
        state == MemberState::done || state == MemberState::failed || state == MemberState::left;
    if (members > 0 || always) fields.add(to_string(state), fmt::format("{}", members));
  }
  if (const std::string left = time_left(result, jobs); !left.empty())
    fields.add("time left", left);
  return fields.text() + failures(plan, result);
}

std::string members_json(const Plan& plan, const SweepResult& result) {
  Json json;
  json["members"] = result.members.size();
  for (const MemberState state : states) json[to_string(state)] = count(result, state);
  json["run"] = result.run;
  Json list = Json::array();
  for (std::size_t k = 0; k < result.members.size(); ++k) {
    const Member& member = plan.members[result.members[k]];
    const MemberStatus& status = result.statuses[k];
    Json entry{{"name", member.name}, {"state", to_string(status.state)}};
    entry["outcome"] = status.state == MemberState::left ? Json() : Json(to_string(status.outcome));
    if (!status.why.empty()) entry["why"] = status.why;
    for (const Field field : plan.swept) {
      entry["options"][std::string(name(field))] = member.options.at(field);
    }
    list.push_back(std::move(entry));
  }
  json["list"] = std::move(list);
  return to_text(json);
}

double estimated_seconds(const Plan& plan, const std::vector<std::size_t>& members) {
  const std::size_t some = std::min(members.size(), most_estimated);
  double seconds = 0.0;
  for (std::size_t i = 0; i < some; ++i) {
    const Member& member = plan.members[members[i * members.size() / some]];
    seconds += estimate_time(prepare(assembled_member(plan, member, Isolation::child))).seconds();
  }
  return some == 0 ? 0.0
                   : seconds / static_cast<double>(some) * static_cast<double>(members.size());
}

void print_dry_run(const Plan& plan, const std::vector<std::size_t>& members, Index jobs) {
  Fields fields;
  fields.add("members", fmt::format("{}", members.size()));
  fields.add("time", fmt::format("about {}, {} at a time",
                                 to_string_duration(estimated_seconds(plan, members) /
                                                    static_cast<double>(jobs)),
                                 jobs));
  std::string text = fields.text() + "\n";
  for (const std::size_t i : members) text += plan.members[i].name + "\n";
  print(text);
}

}  // namespace gihflow::cli
