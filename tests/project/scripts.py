"""scripts/test, with stand-ins for what it calls: its steps, what it says of them, and which end it."""

import os
import shutil
import sys

import skipped
from gihflow_testing import SOURCE, DirectoryTest, run

JUNIT = """<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="(empty)" tests="3" failures="0" disabled="0" skipped="1">
  <testcase name="flow.a" classname="flow.a" time="0.1" status="run"><system-out>\x1b[1mSkipped: it: says so</system-out></testcase>
  <testcase name="population.on a card" classname="x" time="0.1" status="notrun">
    <skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/><system-out>cuda.cpp:3: MESSAGE: Skipped: no card</system-out>
  </testcase>
  <testcase name="cli.b" classname="cli.b" time="0.1" status="run"><system-out>ok</system-out></testcase>
</testsuite>
"""
QUIET = ("install-packages", "clang-reads", "format", "sanitize", "fuzz", "reference", "site", "test-python", "find-python")


class Test(DirectoryTest):
    """A tree with scripts/test and stand-ins, each of which writes its words down."""

    def setUp(self):
        super().setUp()
        (self.directory / "scripts").mkdir()
        (self.directory / "bin").mkdir()
        shutil.copy2(SOURCE / "scripts/test", self.directory / "scripts/test")
        for name in QUIET:
            self.stand_in(f"scripts/{name}")
        self.stand_in("scripts/find-python", "echo bin/python")
        for name in ("cmake", "ctest", "python"):
            self.stand_in(f"bin/{name}")

    def stand_in(self, name, body=""):
        path = self.directory / name
        path.write_text(f'#!/bin/sh\necho "{name.partition("/")[2]} $*" >> "{self.directory}/called"\n{body}\n')
        path.chmod(0o755)

    def call(self, *options, expect=0):
        (self.directory / "called").write_text("")
        done = run(self.directory / "scripts/test", *options, expect=expect,
                   env=dict(os.environ, PATH=f"{self.directory / 'bin'}:{os.environ['PATH']}"))
        called = [line.strip() for line in (self.directory / "called").read_text().splitlines()]
        return done, [line for line in called if not line.startswith("find-python")]

    def test_steps_and_their_minutes(self):
        done, called = self.call()
        self.assertEqual([line.split()[0] for line in called],
                         ["install-packages", "format", "cmake", "cmake", "ctest", "python"])
        self.assertEqual(called[1], "format --check")
        self.assertEqual(called[-1], "python tests/python/skipped.py build/tests.xml")
        table = done.stdout.split("minutes  step\n")[1].splitlines()
        self.assertEqual(len(table), 6)
        for line in table:
            self.assertRegex(line, r"^ +\d+\.\d  [a-z ,0-9]+$")
        self.assertIn("in all, of 15", table[-1])

    def test_the_summary_of_the_test_runner_comes_last(self):
        self.stand_in("bin/ctest", f'printf "noise\\n\\n100%% tests passed out of 3\\n\\nlast\\n" > {self.directory}/build/tests.log')
        (self.directory / "build").mkdir(exist_ok=True)
        self.assertTrue(self.call()[0].stdout.endswith("\n100% tests passed out of 3\n\nlast\n"))

    def test_all(self):
        done, called = self.call("--all")
        self.assertEqual(called[0], "install-packages --all")
        self.assertEqual([line.split()[0] for line in called[2:5]], ["sanitize", "fuzz", "clang-reads"])
        self.assertEqual(called[-4:], ["python tests/python/skipped.py build/tests.xml --none-but on a card|^population.cuda$",
                                       "reference", "site", "test-python"])
        self.assertIn("in all, of 35", done.stdout)

    def test_a_step_that_fails_is_the_last_and_its_code_the_scripts(self):
        self.stand_in("bin/ctest", "exit 8")
        done, called = self.call("--all", expect=8)
        self.assertTrue(called[-1].startswith("ctest "))
        self.assertIn("failed: tests (exit code 8)", done.stderr)
        self.assertRegex(done.stdout, r"(?m)^ +\d+\.\d  tests$")

    def test_a_release_build_that_fails(self):
        self.stand_in("bin/cmake", "exit 3")
        self.assertIn("failed: release build (exit code 3)", self.call(expect=3)[0].stderr)

    def test_what_ci_runs(self):
        self.stand_in("scripts/test")
        (self.directory / ".ci").mkdir()
        shutil.copy2(SOURCE / ".ci/run", self.directory / ".ci/run")
        run(self.directory / ".ci/run")
        self.assertEqual((self.directory / "called").read_text(), "test --all\n")

    def test_other_words_are_refused(self):
        self.assertEqual(self.call("--everything", expect=2)[1], [])


class Skipped(DirectoryTest):
    def test_cases_are_counted_whole_and_partial(self):
        self.assertEqual(skipped.skipped(JUNIT), [("flow.a", "it: says so"), ("population.on a card", "no card")])
        with self.assertRaisesRegex(ValueError, "no test was run"):
            skipped.skipped("<testsuite/>")

    def test_what_may_be_skipped(self):
        file = self.directory / "tests.xml"
        file.write_text(JUNIT)
        script = SOURCE / "tests/python/skipped.py"
        said = run(sys.executable, script, file).stdout
        self.assertEqual(said, "2 cases skipped\n  flow.a: it: says so\n  population.on a card: no card\n")
        run(sys.executable, script, file, "--none-but", "card|flow")
        self.assertIn("but 1 were", run(sys.executable, script, file, "--none-but", "on a card", expect=1).stderr)

    def test_a_file_of_cases_names_those_it_skips(self):
        path = self.directory / "some.py"
        path.write_text("import unittest\nclass A(unittest.TestCase):\n  def test_x(self): self.skipTest('no x')\n"
                        "  def test_y(self): pass\n")
        done = run(sys.executable, SOURCE / "tests/python/run_tests.py", path)
        self.assertIn("Skipped: A.test_x: no x\n", done.stdout)
        path.write_text(path.read_text().replace("pass", "self.skipTest('no y')"))
        run(sys.executable, SOURCE / "tests/python/run_tests.py", path, expect=77)
