"""The type stubs are those of today's option table, agree with what is at run time, and tell right calls from wrong ones."""

import importlib.util
import subprocess
import sys
import unittest
from pathlib import Path

from gihflow_testing import SOURCE, DirectoryTest, run

import gihflow

RIGHT = """
import gihflow
import numpy as np

run = gihflow.train(alpha=0.5, parents=[1, 2], stages="c:10", output=None)
p: np.ndarray | None = run.stages[0].p
objective = gihflow.Objective(np.zeros((3, 9), int), heads=3)
value, gradient = objective.value_and_gradient(objective.start)
reveal_type(value)
gihflow.check(run, lengths=[64]).passed
gihflow.train(readout="log", data=gihflow.sample(chains=5))
"""
WRONG = ('gihflow.train(alhpa=1)', 'gihflow.train(readout="none")', 'gihflow.train(heads="three")', 'gihflow.check()',
         'gihflow.Objective(spam=1)')


@unittest.skipUnless(importlib.util.find_spec("mypy"), "mypy is not installed")
class Stubs(DirectoryTest):
    def mypy(self, text):
        """What mypy has against a file, with the numbers of its lines."""
        (self.directory / "used.py").write_text(text)
        return subprocess.run([sys.executable, "-m", "mypy", "--no-error-summary", "--cache-dir", self.directory / "cache",
                               "used.py"], cwd=self.directory, capture_output=True, text=True, check=False).stdout

    def test_right_and_wrong_calls(self):
        said = self.mypy(RIGHT + "\n".join(WRONG))
        first = len(RIGHT.splitlines()) + 1
        lines = {int(line.split(":")[1]) for line in said.splitlines() if " error: " in line}
        self.assertEqual(lines, set(range(first, first + len(WRONG))), said)
        self.assertRegex(said, r'Revealed type is "(builtins\.)?float"')

    def test_they_are_up_to_date(self):
        run(sys.executable, SOURCE / "scripts/python-stubs", self.directory)
        for name in ("commands.pyi", "objective.pyi"):
            self.assertEqual((self.directory / name).read_text(), (SOURCE / "analysis/src/gihflow" / name).read_text(), name)

    def test_they_are_installed(self):
        folder = Path(gihflow.__file__).parent
        for name in ("__init__.pyi", "_core.pyi", "commands.pyi", "objective.pyi", "py.typed"):
            self.assertTrue((folder / name).is_file(), name)
