"""A copy of the tracked files without git configures, and says that its commit is unknown."""

import shutil

from gihflow_testing import SOURCE, DirectoryTest, cmake_cache, run


class Tarball(DirectoryTest):
    def test_configures(self):
        if not (SOURCE / ".git").exists():
            self.skipTest("this is a tarball already, and it configured")
        tree, build = self.directory / "gihflow", self.directory / "build"
        for name in run("git", "-C", SOURCE, "ls-files", "-z").stdout.split("\0"):
            if name and (SOURCE / name).is_file():
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(SOURCE / name, tree / name)
        cmake = cmake_cache("CMAKE_COMMAND")
        said = run(cmake, "-S", tree, "-B", build, "-G", cmake_cache("CMAKE_GENERATOR"),
                   f"-DGIHFLOW_PYTHON={cmake_cache('GIHFLOW_PYTHON')}",
                   f"-DCMAKE_CXX_COMPILER={cmake_cache('CMAKE_CXX_COMPILER')}")
        self.assertNotIn("Warning", said.stderr)
        cache = (build / "CMakeCache.txt").read_text()
        self.assertIn("CMAKE_BUILD_TYPE:STRING=Release", cache)
        run(cmake, "--build", build, "--target", "gihflow_build_info")
        self.assertIn('#define GIHFLOW_GIT_COMMIT "unknown"', (build / "build_info/gihflow_build_info.hpp").read_text())
