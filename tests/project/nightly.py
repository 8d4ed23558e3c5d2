"""scripts/nightly: a gate whose tool is missing or fails is a failed gate, named in the table, and the exit code is 1."""

import os
import shutil

from gihflow_testing import SOURCE, DirectoryTest, run

SHELL_TOOLS = ("sh", "dirname", "sed", "python3")


class Nightly(DirectoryTest):
    def nightly(self, *gates, expect, **programs):
        """Where PATH has nothing but what every gate needs and stand-ins, each a line of shell."""
        path = self.directory / "bin"
        path.mkdir(exist_ok=True)
        for name in SHELL_TOOLS:
            (path / name).unlink(missing_ok=True)
            (path / name).symlink_to(shutil.which(name, path=f"/usr/bin:{os.environ['PATH']}"))
        for name, body in programs.items():
            (path / name).write_text(f"#!/bin/sh\n{body}\n")
            (path / name).chmod(0o755)
        return run(path / "python3", SOURCE / "scripts/nightly", "--logs", self.directory / "logs", *gates, expect=expect,
                   env=dict(os.environ, PATH=str(path)))

    def test_a_missing_tool_fails_its_gate(self):
        packages = {"sanitizers": "clang", "threads": r"g\+\+", "valgrind": "valgrind", "tidy": "clang-tidy", "fuzz": "clang",
                    "coverage": "gcovr"}
        done = self.nightly(*packages, expect=1)
        for gate, package in packages.items():
            self.assertRegex(done.stdout, rf"(?m)^{gate}: FAILED, missing .*\(package .*{package}")
            self.assertRegex(done.stdout, rf"(?m)^\| {gate} \| FAILED \| missing ")
        self.assertIn("| valgrind | FAILED |", (self.directory / "logs/table.md").read_text())

    def test_a_tool_that_fails_is_a_failed_gate_and_the_next_is_run(self):
        done = self.nightly("valgrind", "tidy", expect=1, valgrind="exit 0", cmake="echo no space left; exit 3")
        self.assertRegex(done.stdout, r"(?m)^valgrind: FAILED, cmake, exit code 3: no space left ")
        self.assertRegex(done.stdout, r"(?m)^tidy: FAILED, missing clang-tidy ")
        self.assertIn("no space left", (self.directory / "logs/valgrind.log").read_text())

    def test_a_gate_that_passes(self):
        done = self.nightly("valgrind", expect=0, cmake="exit 0", valgrind="echo '==1== ERROR SUMMARY: 0 errors from 0 contexts (x)'")
        self.assertRegex(done.stdout, r"(?m)^valgrind: passed, 0 errors from 0 contexts \(")

    def test_unknown_gates_are_refused(self):
        self.assertIn("no gate is called kill: they are sanitizers,", self.nightly("kill", expect=2).stderr)
