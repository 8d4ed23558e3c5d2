#include "base/control_group.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "support/directory.hpp"

using namespace gihflow;

namespace {

void write(const std::filesystem::path& file, const char* text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

}  // namespace

TEST_CASE("version 2: the least limit of a group and those above it") {
  const gihflow::testing::Directory directory;
  const std::filesystem::path root = directory / "v2";
  write(root / "slurm/job_7/memory.max", "max\n");
  write(root / "slurm/memory.max", "2000000\n");
  write(root / "memory.max", "3000000\n");
  write(root / "slurm/job_7/cpu.max", "150000 100000\n");
  write(root / "slurm/cpu.max", "max 100000\n");
  const ControlGroupLimits limits = control_group_limits("0::/slurm/job_7\n", root.string());
  CHECK(limits.memory == 2000000.0);
  CHECK(limits.cores == 1.5);
}

TEST_CASE("version 1: each controller has a tree of its own, and -1 is no limit") {
  const gihflow::testing::Directory directory;
  const std::filesystem::path root = directory / "v1";
  write(root / "memory/job/memory.limit_in_bytes", "4096\n");
  write(root / "memory/memory.limit_in_bytes", "9223372036854771712\n");
  write(root / "cpu,cpuacct/cpu.cfs_quota_us", "400000\n");
  write(root / "cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  write(root / "cpu,cpuacct/job/cpu.cfs_quota_us", "-1\n");
  write(root / "cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
  const ControlGroupLimits limits =
      control_group_limits("4:memory:/job\n3:cpu,cpuacct:/job\n", root.string());
  CHECK(limits.memory == 4096.0);
  CHECK(limits.cores == 4.0);
}

TEST_CASE("no control groups, or a path that cannot be seen, limit nothing") {
  const gihflow::testing::Directory directory;
  const ControlGroupLimits none = control_group_limits("", directory / "absent");
  CHECK(!none.memory);
  CHECK(!none.cores);
  const ControlGroupLimits unseen =
      control_group_limits("nonsense\n0::/../../a/b\n", directory / "absent");
  CHECK(!unseen.memory);
  CHECK(!unseen.cores);
}
