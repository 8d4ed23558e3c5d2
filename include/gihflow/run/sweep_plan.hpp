#pragma once

#include <map>
#include <string>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/run/config.hpp"

namespace GIHFLOW_API gihflow {

/// One run of a sweep.
struct Member {
  /// Name of its file without ".h5": the swept options and their values,
  /// "alpha=0.1_heads=2_seed=3". It does not depend on the other members. Characters that are not
  /// safe in file names become dashes; the name then ends in a hash of the texts.
  std::string name;
  /// All its options, also those shared with other members, as on a command line.
  std::map<Field, std::string> options;
  Index point = 0;  ///< from 0; members of the same point differ only in their seed
};

/// The members of a sweep in order. Replicas of a point are consecutive; next vary the groups of
/// [zip], the last one fastest, then the options of [grid], the last one in alphabetical order
/// fastest.
struct Plan {
  std::string origin;  ///< path of its file; empty: replicas of a command line
  std::string text;    ///< of that file
  std::string config;  ///< config file for all members; empty: none
  /// Options in which members differ: those of [grid] and [zip] in alphabetical order, and for
  /// replicas the seed after them.
  std::vector<Field> swept;
  Index replicas = 1;       ///< members of each point
  CheckSetting check = {};  ///< how final models are checked, see check()
  std::vector<Member> members;
};

/// Reads a plan: the config of a run, which may also have options of `check`, and
///
///     replicas = R          # of each point, with consecutive seeds from `seed` on
///     [grid]                # lists of values, crossed
///     alpha = [0.05, 0.1]
///     [zip]                 # lists of equal length, whose k-th values go together; [[zip]] for
///                           # several such groups
///     chains = [100, 1000]
///     stages = [["c:10"], ["c:100"]]
///
/// Throws InputError with all faults: as of a config; options that cannot be swept; lists of
/// different lengths in a zip; two members with equal values; more than a million members. Values
/// are checked for type and range here, and against each other by check_plan.
Plan read_plan(const std::string& path);

/// The plan of a run with `replicas` seeds, counted up from that of the command line.
Plan replicas_of(const CommandLine& line, Index replicas);

/// The setting of a member, ready for prepare(); its faults are located in the plan.
Assembled assembled_member(const Plan& plan, const Member& member, Isolation isolation);

/// Prepares every member, so that none is run if one has a fault. Throws InputError, also for a
/// swept option without effect in any member; a fault of several members is reported once, with the
/// first of them.
void check_plan(const Plan& plan, Isolation isolation = Isolation::in_process);

/// The arguments of the program that run a member: a command line of `train`.
std::vector<std::string> command_of(const Plan& plan, const Member& member);

}  // namespace gihflow
