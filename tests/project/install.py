"""The installed tree serves a consumer from wherever it lies: tests/consumer finds it, builds and runs."""

from gihflow_testing import BUILD, PROGRAM, SOURCE, DirectoryTest, cmake_cache, run

CMAKE = cmake_cache("CMAKE_COMMAND")


class Install(DirectoryTest):
    def test_consumer_and_program(self):
        run(CMAKE, "--install", BUILD, "--prefix", self.directory / "first")
        prefix = (self.directory / "first").rename(self.directory / "moved")

        build = self.directory / "build"
        run(CMAKE, "-S", SOURCE / "tests/consumer", "-B", build, "-G", cmake_cache("CMAKE_GENERATOR"),
            f"-DCMAKE_PREFIX_PATH={prefix}",
            f"-DCMAKE_BUILD_TYPE={cmake_cache('CMAKE_BUILD_TYPE')}",
            f"-DCMAKE_CXX_COMPILER={cmake_cache('CMAKE_CXX_COMPILER')}",
            f"-DCMAKE_CXX_FLAGS={cmake_cache('CMAKE_CXX_FLAGS')}")
        found = (build / "CMakeCache.txt").read_text()
        self.assertIn(f"gihflow_DIR:PATH={prefix}", found, "another installation was found")
        run(CMAKE, "--build", build)
        said = run(build / "consumer").stdout
        self.assertIn(f"gihflow {cmake_cache('CMAKE_PROJECT_VERSION')}", said)

        self.assertEqual(run(prefix / "bin/gihflow", "--version").stdout, run(PROGRAM, "--version").stdout)
        headers = {path.relative_to(prefix / "include") for path in (prefix / "include").rglob("*") if path.is_file()}
        self.assertEqual(headers, {p.relative_to(SOURCE / "include") for p in (SOURCE / "include").rglob("*.hpp")})
