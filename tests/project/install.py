"""The installed tree serves a consumer from wherever it lies, as a static and as a shared library: the programs of examples/
find it, build and run."""

import re

from gihflow_testing import BUILD, PROGRAM, SOURCE, DirectoryTest, cmake_cache, run

CMAKE = cmake_cache("CMAKE_COMMAND")
KINDS = {"static": "OFF", "shared": "ON"}
TYPE = """cmake_minimum_required(VERSION 3.25)
project(consumer LANGUAGES CXX)
find_package(gihflow 0.1 REQUIRED {})
get_target_property(type gihflow::gihflow TYPE)
message(NOTICE "${{type}}")
"""


class Install(DirectoryTest):
    def setUp(self):
        super().setUp()
        run(CMAKE, "--install", BUILD, "--prefix", self.directory / "first")
        self.prefix = (self.directory / "first").rename(self.directory / "moved")

    def configure(self, source, build, *options):
        said = run(CMAKE, "-S", source, "-B", build, "-G", cmake_cache("CMAKE_GENERATOR"),
                   f"-DCMAKE_PREFIX_PATH={self.prefix}",
                   f"-DCMAKE_BUILD_TYPE={cmake_cache('CMAKE_BUILD_TYPE')}",
                   f"-DCMAKE_CXX_COMPILER={cmake_cache('CMAKE_CXX_COMPILER')}",
                   f"-DCMAKE_CXX_FLAGS={cmake_cache('CMAKE_CXX_FLAGS')} -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror",
                   *options).stderr
        self.assertIn(f"gihflow_DIR:PATH={self.prefix}", (build / "CMakeCache.txt").read_text(),
                      "another installation was found")
        return said

    def test_examples(self):
        names = {path.stem for path in (SOURCE / "examples").glob("*.cpp")}
        for kind, shared in KINDS.items():
            with self.subTest(kind):
                build = self.directory / kind
                self.configure(SOURCE / "examples", build, f"-DBUILD_SHARED_LIBS={shared}")
                run(CMAKE, "--build", build, "--parallel", "2")
                libraries = run("ldd", build / "loss_and_gradient").stdout
                self.assertEqual(f"{self.prefix}" in libraries, kind == "shared", libraries)
                for name in names:
                    said = run(build / name, *(["run.h5"] if name == "train_and_read" else []), cwd=self.directory).stdout
                    getattr(self, f"check_{name}")(said)

    def check_train_and_read(self, said):
        """Columns are stage and time, loss, p of the seven sets; no stage raises the loss."""
        head, *stages, a = said.splitlines()
        self.assertEqual(head.split()[2:], ["{}", "{1}", "{2}", "{3}", "{1,2}", "{1,3}", "{2,3}"])
        self.assertEqual([line[0] for line in stages], ["c", "w", "a"])
        losses = [float(line.split()[-8]) for line in stages]
        self.assertEqual(losses, sorted(losses, reverse=True))
        for line in stages:
            self.assertGreater(float(line.split()[-3]), 0.99)
        self.assertGreater(float(a.split()[-1]), 5)
        shown = run(self.prefix / "bin/gihflow", "show", "run.h5", cwd=self.directory).stdout
        self.assertIn("the end of the schedule was reached", shown)

    def check_loss_and_gradient(self, said):
        by_gradient, by_differences = map(float, re.search(r"dL/da +(\S+), by differences (\S+)", said).groups())
        self.assertAlmostEqual(by_gradient / by_differences, 1, delta=1e-6)
        self.assertEqual(len(re.findall(r"^dL/dc ", said, re.MULTILINE)), 7)

    def check_observer(self, said):
        self.assertIn("training\n", said)
        self.assertRegex(said, r"interrupted after \d+ steps: \{1,2\} at t = \d+")

    def check_many_runs(self, said):
        rows = [line.split() for line in said.splitlines()[1:]]
        self.assertEqual([row[:2] for row in rows], [[alpha, seed] for alpha in ("0.1", "0.5") for seed in "123"])
        self.assertEqual({row[2] for row in rows if row[0] == "0.1"}, {"{1,2}"})
        # At a larger alpha chains tell less, and the choice takes longer.
        self.assertLess(max(float(row[3]) for row in rows[:3]), min(float(row[3]) for row in rows[3:] if row[3] != "nan"))

    def test_which_library(self):
        source = self.directory / "source"
        source.mkdir()
        default = "SHARED" if cmake_cache("BUILD_SHARED_LIBS", "OFF") == "ON" else "STATIC"
        for number, (components, options, expected) in enumerate((
                ("", (), default), ("", ("-DBUILD_SHARED_LIBS=ON",), "SHARED"), ("", ("-DBUILD_SHARED_LIBS=OFF",), "STATIC"),
                ("COMPONENTS static", ("-DBUILD_SHARED_LIBS=ON",), "STATIC"), ("COMPONENTS shared", (), "SHARED"))):
            with self.subTest(components=components, options=options):
                (source / "CMakeLists.txt").write_text(TYPE.format(components))
                said = self.configure(source, self.directory / f"build_{number}", *options)
                self.assertIn(f"{expected}_LIBRARY", said)

    def test_the_shared_library_shows_its_own_names_only(self):
        library = next(self.prefix.rglob("libgihflow.so"))
        # Weak ones are instances of templates of the standard library and of Boost, the same in every program.
        lines = [line.split(" ", 2) for line in run("nm", "-DC", "--defined-only", library).stdout.splitlines()]
        strong = [name for _, kind, name in lines if kind in "TDBR"]
        self.assertTrue(any(name.startswith("gihflow::train(") for name in strong))
        self.assertEqual([name for name in strong if not name.startswith("gihflow::")], [])
        if "clang" not in cmake_cache("CMAKE_CXX_COMPILER"):
            private = ("gihflow::hdf5::", "gihflow::hot::", "gihflow::baseline::", "gihflow::avx")
            self.assertEqual([name for name in strong if name.startswith(private)], [])

    def test_program_and_headers(self):
        self.assertEqual(run(self.prefix / "bin/gihflow", "--version").stdout, run(PROGRAM, "--version").stdout)
        headers = {path.relative_to(self.prefix / "include")
                   for path in (self.prefix / "include").rglob("*") if path.is_file()}
        self.assertEqual(headers, {p.relative_to(SOURCE / "include") for p in (SOURCE / "include").rglob("*.hpp")})
