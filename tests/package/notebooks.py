"""The notebooks run from the first cell to the last, and hold no output of an earlier time."""

import importlib.util
import json
import subprocess
import sys
import unittest

from gihflow_testing import SOURCE, DirectoryTest

NOTEBOOKS = sorted((SOURCE / "analysis/notebooks").glob("*.ipynb"))
WITH_JAX = {"your_own_optimiser"}


def code_cells(path):
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]


class Notebooks(DirectoryTest):
    def test_they_hold_no_output(self):
        self.assertEqual(len(NOTEBOOKS), 3)
        for path in NOTEBOOKS:
            self.assertTrue(all(not cell["outputs"] and cell["execution_count"] is None for cell in code_cells(path)), path.name)

    @unittest.skipUnless(importlib.util.find_spec("jupyterlab"), "JupyterLab is not installed")
    def test_they_run(self):
        """By the Jupyter that opens them, each in an empty folder."""
        for path in NOTEBOOKS:
            if path.stem in WITH_JAX and not importlib.util.find_spec("jax"):
                continue
            with self.subTest(path.name):
                run = self.directory / path.name
                done = subprocess.run([sys.executable, "-m", "jupyter", "nbconvert", "--to", "notebook", "--execute", path,
                                       "--output", run], cwd=self.directory, capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)
                outputs = [output for cell in code_cells(run) for output in cell["outputs"]]
                self.assertTrue(any("image/png" in output.get("data", {}) for output in outputs))
                said = [output for output in outputs if output["output_type"] == "stream" and "Warning" in "".join(output["text"])]
                self.assertEqual(said, [])
