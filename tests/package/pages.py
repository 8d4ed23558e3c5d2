"""Lines of Python on the pages run as they stand."""

import contextlib
import importlib.util
import os
import re
import unittest

from gihflow_testing import SOURCE, DirectoryTest, run

PLAN = """stages = ["c:5", "w:5"]
chains = 20
outputs = 4
replicas = 2
[grid]
alpha = [0.1, 0.5]
length = [12, 20]
"""


def blocks(page):
    return re.findall(r"```python\n(.*?)```", (SOURCE / page).read_text(), re.DOTALL)


class Pages(DirectoryTest):
    def test_the_page_of_the_package(self):
        names = {}
        with contextlib.chdir(self.directory):
            for block in blocks("analysis/README.md"):
                libraries = [name for name in ("jax", "scipy", "torch", "xarray") if re.search(rf"\b{name}\b", block)]
                if all(importlib.util.find_spec(name) for name in libraries):
                    with self.subTest(block):
                        exec(compile(block, "analysis/README.md", "exec"), names)
            self.assertTrue(os.path.exists("run.h5") and os.path.exists("loss.pdf"))

    @unittest.skipUnless(all(map(importlib.util.find_spec, ("h5netcdf", "pandas", "xarray"))), "h5netcdf, pandas or xarray is missing")
    def test_a_table_of_runs(self):
        (self.directory / "plan.toml").write_text(PLAN)
        run("gihflow", "sweep", "plan.toml", "-d", "out", "--quiet", cwd=self.directory)
        for name in ("table.csv", "table.h5"):
            run("gihflow", "sweep", "plan.toml", "-d", "out", "--collect", name, "--quiet", cwd=self.directory)
        (block,) = blocks("docs/many-runs.md")
        names = {}
        with contextlib.chdir(self.directory):
            exec(compile(block, "docs/many-runs.md", "exec"), names)
        self.assertEqual(len(names["table"]), 8)
