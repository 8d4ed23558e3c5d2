#pragma once

#include <map>
#include <string>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/run/config.hpp"

namespace GIHFLOW_API gihflow {

/// One run of a sweep.
struct Member {
  /// Of its file, without ".h5": the options that the plan sweeps and their values,
  /// "alpha=0.1_heads=2_seed=3". It does not depend on the other members. Characters that file
  /// names had better not have become dashes; the name then ends in a hash of the texts.
  std::string name;
  /// Its options, with those that it shares with the others, as a command line gives them.
  std::map<Field, std::string> options;
  Index point = 0;  ///< members of the same point, from 0, differ in their seed alone
};

/// The runs of a sweep, in order: replicas behind one another, then the swept options, the last one
/// fastest.
struct Plan {
  std::string origin;  ///< path of its file; empty: of replicas of a command line
  std::string text;    ///< of that file
  std::string config;  ///< config file of all members; empty: none
  /// Options in which members differ: those of [grid] and [zip] by name, then seed.
  std::vector<Field> swept;
  Index replicas = 1;       ///< members of each point
  CheckSetting check = {};  ///< how final models are held against the limit
  std::vector<Member> members;
};

/// Reads a plan: the config of a run, with options that `check` has among its keys, and
///
///     replicas = R          # seeds, from that of the config on
///     [grid]                # lists of values, crossed
///     alpha = [0.05, 0.1]
///     [zip]                 # lists taken together, of one length; [[zip]] for several such groups
///     chains = [100, 1000]
///     stages = [["c:10"], ["c:100"]]
///
/// Throws InputError with all faults: as of a config; options that cannot be swept; lists of other
/// lengths; two members with equal values; more than a million members. Values are checked for type
/// and range; whether they fit together is for check_plan.
Plan read_plan(const std::string& path);

/// The plan of a run with `replicas` seeds, from that of the command line on.
Plan replicas_of(const CommandLine& line, Index replicas);

/// The setting of a member, ready for prepare(); its faults are located in the plan.
Assembled assembled_member(const Plan& plan, const Member& member, Isolation isolation);

/// Prepares every member, so that none begins where one is at fault. Throws InputError; a fault of
/// several members is told once, with the first of them.
void check_plan(const Plan& plan, Isolation isolation = Isolation::in_process);

/// The words after the name of the program that run a member: a command line of `train`.
std::vector<std::string> command_of(const Plan& plan, const Member& member);

}  // namespace gihflow
