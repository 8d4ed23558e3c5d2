"""The notebooks run from the first cell to the last, and hold no output of an earlier time."""

import importlib.util
import unittest

from gihflow_testing import SOURCE, DirectoryTest

NOTEBOOKS = sorted((SOURCE / "analysis/notebooks").glob("*.ipynb"))


@unittest.skipUnless(importlib.util.find_spec("nbclient") and importlib.util.find_spec("jax"),
                     "nbclient and JAX are not installed")
class Notebooks(DirectoryTest):
    def test_they_run(self):
        import nbformat
        from nbclient import NotebookClient

        self.assertEqual(len(NOTEBOOKS), 3)
        for path in NOTEBOOKS:
            with self.subTest(path.name):
                notebook = nbformat.read(path, as_version=4)
                cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
                self.assertTrue(all(not cell.outputs and cell.execution_count is None for cell in cells))
                NotebookClient(notebook, timeout=300, kernel_name="python3",
                               resources={"metadata": {"path": str(self.directory)}}).execute()
                pictures = [output for cell in cells for output in cell.outputs if "image/png" in output.get("data", {})]
                self.assertGreaterEqual(len(pictures), 1)
                said = [output for cell in cells for output in cell.outputs if output.output_type == "stream"
                        and "Warning" in output.text]
                self.assertEqual(said, [])
