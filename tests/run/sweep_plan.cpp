#include "gihflow/run/sweep_plan.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <set>

#include "gihflow/base/errors.hpp"
#include "gihflow/run/sweep.hpp"
#include "support/directory.hpp"

using namespace gihflow;

namespace {

// A plan of this text, in a file of its own: tests run side by side.
Plan plan_of(const std::string& text) {
  const gihflow::testing::Directory directory;
  const std::string path = directory / "plan.toml";
  std::ofstream(path) << text;
  return read_plan(path);
}

std::vector<std::string> names(const Plan& plan) {
  std::vector<std::string> result;
  for (const Member& member : plan.members) result.push_back(member.name);
  return result;
}

}  // namespace

TEST_CASE("a plan without tables has one member") {
  const Plan plan = plan_of("alpha = 0.5\n");
  CHECK(names(plan) == std::vector<std::string>{"run"});
  CHECK(plan.members[0].options == std::map<Field, std::string>{{Field::alpha, "0.5"}});
}

TEST_CASE("grid is crossed, zip goes together, replicas are seeds from the config's on") {
  const Plan plan = plan_of(
      "replicas = 2\nseed = 7\n[grid]\nalpha = [1, 0.5]\n"
      "[[zip]]\nchains = [5, 6]\nlength = [50, 60]\n[[zip]]\ndegree = [1]\nheads = [2]\n");
  REQUIRE(plan.members.size() == 8);
  CHECK(plan.members[0].name == "alpha=1_chains=5_degree=1_heads=2_length=50_seed=7");
  CHECK(plan.members[7].name == "alpha=0.5_chains=6_degree=1_heads=2_length=60_seed=8");
  for (std::size_t i = 0; i < 8; ++i) CHECK(plan.members[i].point == static_cast<Index>(i / 2));
}

TEST_CASE("a member's name depends on no other member") {
  const auto few = names(plan_of("[grid]\nalpha = [0.1]\nstages = [\"c:5\"]\n"));
  const auto many =
      names(plan_of("replicas = 1\n[grid]\nstages = [\"c:6\", [\"c:5\"]]\nalpha = [1, 0.1]\n"));
  const auto without_seeds =
      names(plan_of("[grid]\nstages = [\"c:6\", [\"c:5\"]]\nalpha = [1, 0.1]\n"));
  REQUIRE(few.size() == 1);
  CHECK(std::set<std::string>(without_seeds.begin(), without_seeds.end()).contains(few[0]));
  CHECK(many.size() == 4);
  CHECK(std::set<std::string>(many.begin(), many.end()).size() == 4);
}

TEST_CASE("equal numbers have equal names, whatever their spelling") {
  CHECK(names(plan_of("[grid]\nalpha = [0.10, 1]\n")) ==
        names(plan_of("[grid]\nalpha = [1e-1, 1.0]\n")));
}

TEST_CASE("shares are disjoint and cover the plan") {
  const Plan plan = plan_of("replicas = 11\n");
  std::set<std::size_t> seen;
  for (Index k = 1; k <= 4; ++k) {
    for (const std::size_t i : members_of(plan, Shard{k, 4})) CHECK(seen.insert(i).second);
  }
  CHECK(seen.size() == 11);
  CHECK(members_of(plan, std::nullopt).size() == 11);
}

TEST_CASE("the words of a member are those of its options, flags by their name alone") {
  const Plan plan =
      plan_of("method = \"gd\"\nbatch = 3\nresample = true\n[grid]\nparents = [[1, 2]]\n");
  CHECK(
      command_of(plan, plan.members[0]) ==
      std::vector<std::string>{"train", "--batch=3", "--method=gd", "--parents=1,2", "--resample"});
}

TEST_CASE("replicas of a command line keep its options, but for how it is run") {
  CommandLine line;
  line.values = {
      {Field::alpha, "0.5"}, {Field::output, "x.h5"}, {Field::seed, "3"}, {Field::threads, "2"}};
  const Plan plan = replicas_of(line, 2);
  CHECK(names(plan) == std::vector<std::string>{"seed=3", "seed=4"});
  CHECK(command_of(plan, plan.members[1]) ==
        std::vector<std::string>{"train", "--alpha=0.5", "--seed=4"});
}

TEST_CASE("a fault of all members is told once") {
  const Plan plan = plan_of("length = 3\n[grid]\nchains = [5, 6]\n");
  try {
    check_plan(plan);
    FAIL("nothing was refused");
  } catch (const InputError& error) {
    CHECK(error.faults().size() == 1);
    CHECK(error.faults()[0].field == Field::length);
  }
}
