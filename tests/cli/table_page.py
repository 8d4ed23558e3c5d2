"""The page of a table of many runs: its numbers are the file's, its cells means over members, its table sorts."""

import shutil
import tempfile
import unittest
from pathlib import Path

import h5py
import numpy as np

from browser import complaints, open_browser, requested, show
from gihflow_testing import DirectoryTest, run

PLAN = """replicas = 3
stages = ["c:200", "w:2000", "a:500"]
length = 30
validation-chains = 20
outputs = 5
fresh-chains = 50
[grid]
alpha = [0.05, 0.5, 5]
chains = [20, 100]
readout = ["softmax", "log"]
"""


class TablePage(DirectoryTest):
    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory(prefix="gihflow_")
        cls.addClassCleanup(directory.cleanup)
        cls.table = Path(directory.name) / "table.h5"
        cls.table.with_name("plan.toml").write_text(PLAN)
        sweep = ("gihflow", "sweep", "plan.toml", "-d", "out", "--quiet")
        run(*sweep, cwd=directory.name)
        run(*sweep, "--collect", "table.h5", cwd=directory.name)
        run("gihflow", "report", cls.table, "-o", cls.table.with_suffix(".html"), cwd=directory.name)

    def setUp(self):
        super().setUp()
        self.file = h5py.File(self.table)
        self.addCleanup(self.file.close)
        self.browser = open_browser(type(self))
        show(self.browser, self.table.with_suffix(".html"))
        self.addCleanup(lambda: self.assertEqual(complaints(self.browser), []))

    def choose(self, **values):
        for name, value in values.items():
            self.browser.execute_script("const s = document.getElementById(arguments[0]); s.value = arguments[1];"
                                        "s.dispatchEvent(new Event('change'))", name, value)

    def cells(self, script="cell.dataset.value"):
        """What the map has in each cell, by column and row."""
        return dict(self.browser.execute_script(
            f"return [...document.querySelectorAll('[data-cell]')].map(cell => [cell.dataset.cell, {script}])"))

    def column(self, name):
        return self.browser.execute_script(
            "const k = [...document.querySelectorAll('.members th[scope=col]')].findIndex(h => h.dataset.column === arguments[0]);"
            "return [...document.querySelectorAll('.members tbody tr')].map(r => r.children[k].dataset.value || r.children[k].textContent)",
            name)

    def test_cells_are_means_over_members(self):
        alpha, chains = self.file["alpha"][()], self.file["chains"][()]
        readout = self.file["readout"].asstr()[()]
        for name in ("loss", "a", "total_variation", "wall_seconds", "p{1,2}", "w[2,1]"):
            self.choose(quantity=name, across="alpha", down="chains")
            numbers = {"p{1,2}": lambda: self.file["p"][:, 4], "w[2,1]": lambda: self.file["w"][:, 1, 0]}.get(
                name, lambda: self.file[name][()])()
            found = self.cells()
            self.assertEqual(len(found), 6)
            for i, x in enumerate((0.05, 0.5, 5)):
                for j, y in enumerate((20, 100)):
                    members = numbers[(alpha == x) & (chains == y)]
                    self.assertEqual(len(members), 6)
                    np.testing.assert_allclose(float(found[f"{i} {j}"]), members.mean(), rtol=1e-12, err_msg=name)
        self.assertIn("the mean over readout and seed", self.browser.find_element("tag name", "body").text)
        self.choose(quantity="loss", across="readout", down="")
        self.assertEqual({key: float(value) for key, value in self.cells().items()},
                         {f"{i} 0": self.approximately(self.file["loss"][readout == x].mean()) for i, x in enumerate(("log", "softmax"))})
        self.assertEqual(self.cells("cell.dataset.members"), {"0 0": "18", "1 0": "18"})

    def test_a_verdict_is_a_share(self):
        bars = lambda: self.browser.execute_script("return document.querySelectorAll('svg.plot line[stroke]').length")
        self.choose(quantity="loss", across="alpha", down="chains")
        self.assertEqual(bars(), 6)
        self.choose(quantity="passed")
        self.assertEqual(bars(), 0)
        self.assertIn("the share of 1 over readout and seed", self.browser.find_element("tag name", "body").text)

    def approximately(self, number):
        class Near(float):
            def __eq__(self, other):
                return abs(float(self) - other) <= 1e-12 * abs(other)
            __hash__ = float.__hash__
        return Near(number)

    def test_the_table_sorts(self):
        members = self.file["member"].asstr()[()].tolist()
        self.assertEqual(self.column("member"), members)
        losses = self.file["loss"][()]
        for expected in (np.sort(losses), np.sort(losses)[::-1]):
            self.browser.execute_script("document.querySelector('[data-column=loss] button').click()")
            np.testing.assert_array_equal(np.array(self.column("loss"), float), expected)
        self.assertEqual(self.browser.execute_script(
            "return document.querySelector('[data-column=loss]').getAttribute('aria-sort')"), "descending")
        self.assertEqual(self.column("member")[0], members[int(losses.argmax())])
        self.browser.execute_script("document.getElementById('all').click()")
        self.assertEqual([float(x) for x in self.column("rhs_evaluations")],
                         self.file["rhs_evaluations"][()][np.argsort(-losses, kind="stable")].tolist())

    def test_it_says_what_came_out(self):
        said = self.browser.find_element("id", "finding").text
        passed = self.file["passed"][()]
        self.assertIn("36 members: 36 done.", said)
        self.assertIn("alpha (3 values), chains (2 values), readout (2 values) and seed (3 values)", said)
        self.assertIn(f"{int(passed.sum())} of the 36 that were checked have become the induction head", said)
        self.assertIn('readout = ["softmax", "log"]', self.browser.execute_script("return document.body.textContent"))

    def test_it_fits_and_asks_for_nothing(self):
        self.assertEqual({url.partition(":")[0] for url in requested(self.browser)} - {"data"}, {"file"})
        for width in (1600, 900, 400, 320):
            show(self.browser, self.table.with_suffix(".html"), width=width)
            self.assertEqual(self.browser.execute_script("return document.documentElement.scrollWidth"), width)
        text = self.browser.execute_script("return document.body.innerText")
        self.assertNotIn("NaN", text)
        self.assertNotIn("undefined", text)
        nameless = self.browser.execute_script("""
            return [...document.querySelectorAll('button, select, input, svg[role=img], section, [role=group]')].filter(e =>
              !(e.getAttribute('aria-label') || e.textContent.trim() || e.closest('label'))).map(e => e.outerHTML.slice(0, 80))""")
        self.assertEqual(nameless, [])

    def test_what_is_missing_comes_last(self):
        """Members that are not run have no numbers; they are in the table and the cells say how many."""
        shutil.copytree(self.table.parent / "out", self.directory / "out")
        shutil.copy(self.table.parent / "plan.toml", self.directory)
        (self.directory / "out" / "alpha=0.05_chains=20_readout=log_seed=1.h5").unlink()
        run("gihflow", "sweep", "plan.toml", "-d", "out", "--collect", "part.h5", "--quiet", cwd=self.directory)
        run("gihflow", "report", "part.h5", cwd=self.directory)
        show(self.browser, self.directory / "part.html")
        self.assertIn("36 members: 35 done, 1 left.", self.browser.find_element("id", "finding").text.replace("1 left, 35 done", "35 done, 1 left"))
        for _ in range(2):
            self.browser.execute_script("document.querySelector('[data-column=loss] button').click()")
            self.assertEqual(self.column("member")[-1], "alpha=0.05_chains=20_readout=log_seed=1")
            self.assertEqual(self.column("loss")[-1], "NaN")  # shown as a dash
        self.choose(quantity="loss", across="alpha", down="chains")
        self.assertEqual(self.cells("cell.dataset.members")["0 0"], "5")

    def test_replicas_alone(self):
        run("gihflow", "train", "--replicas", "3", "--chains", "20", "--stages", "c:5", "--outputs", "3", "-o", "r.h5", "--quiet",
            cwd=self.directory)
        run("gihflow", "report", "r.h5", cwd=self.directory)
        show(self.browser, self.directory / "r.html")
        self.assertEqual(len(self.cells()), 3)
        with h5py.File(self.directory / "r.h5", "r+") as file:
            del file["loss"]
            file["loss"] = [1.0, 2.0]  # of other rows: not a column
        run("gihflow", "report", "r.h5", "--force", cwd=self.directory)
        show(self.browser, self.directory / "r.html")
        self.assertNotIn("loss", self.browser.execute_script("return columns.map(c => c.name)"))


if __name__ == "__main__":
    unittest.main()
