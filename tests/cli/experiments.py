"""Each experiment runs from its head to its end at a small size, prints its tables and draws its figures; the gallery has them
all."""

import re
import shutil
import sys
import unittest
from collections import Counter
from itertools import groupby

from gihflow_testing import PROGRAM, SOURCE, DirectoryTest, run

FOLDER = SOURCE / "experiments"
PARTS = ("**Question.**", "```sh", "**Setting.**", "**Expected.**", "**Result.**", "**Certificates.**", "**Runtime.**")
SMALL = sorted(path for path in FOLDER.glob("*/run") if "from lab import" in path.read_text())


def tables(text):
    """Of each table of a text the columns of its header and of its rows."""
    blocks = [list(lines) for is_table, lines in groupby(text.splitlines(), lambda line: line.startswith("|")) if is_table]
    return [[[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines] for lines in blocks]


def kind(header):
    """A header without the numbers that a small run has others of: lengths, times, K, …, and with one column of each of these."""
    sorts = (re.sub(r"= [0-9.,]+$|(?<=^2)[⁰¹²³⁴⁵⁶⁷⁸⁹]+$|(?<=, )[0-9,]+(?= chains$)", "", name) for name in header)
    return tuple(name for name, _ in groupby(sorts))


class Experiments(DirectoryTest):
    def test_small(self):
        self.assertGreater(len(SMALL), 1)
        for path in SMALL:
            with self.subTest(path.parent.name):
                output = self.directory / path.parent.name
                done = run(sys.executable, "-B", path, PROGRAM, "--small", "--output", output, cwd=self.directory)
                printed = tables(done.stdout)
                self.assertGreater(len(printed), 0, "it prints a table")
                self.assertNotIn("nan", done.stdout)
                readme = (path.parent / "README.md").read_text()
                for table in printed + tables(readme):
                    self.assertEqual({len(row) for row in table}, {len(table[0])}, f"columns of the table {table[0]}")
                lacking = Counter(kind(table[0]) for table in printed) - Counter(kind(table[0]) for table in tables(readme))
                self.assertFalse(lacking, "headers of tables that the page does not have")
                drawn = {figure.name for figure in output.glob("*.png")}
                self.assertGreater(len(drawn), 0, "it draws a figure")
                for name in drawn:
                    self.assertTrue((path.parent / name).is_file(), f"{name} is not in the experiment's folder")
                    self.assertIn(f"({name})", readme)

    def test_peer(self):
        """The standard transformer of recall; without PyTorch, which is optional, it says so and writes nothing."""
        done = run(sys.executable, "-B", FOLDER / "recall" / "peer", "--small", "--output", self.directory / "peer.csv", cwd=self.directory)
        if "PyTorch is not installed" in done.stderr:
            self.assertFalse((self.directory / "peer.csv").exists())
            return
        lines = (self.directory / "peer.csv").read_text().splitlines()
        self.assertEqual(lines[0], (FOLDER / "recall" / "peer.csv").read_text().splitlines()[0])
        self.assertEqual(len(lines), 3)

    def test_benchmarks(self):
        """The table of the page is that of the machines that were measured, and the figure is drawn from it."""
        folder = FOLDER / "benchmarks"
        copy = self.directory / "benchmarks"
        shutil.copytree(folder, copy)
        run(sys.executable, "-B", copy / "machine", cwd=self.directory)
        self.assertEqual((copy / "README.md").read_text(), (folder / "README.md").read_text())
        run(sys.executable, "-B", folder / "figure", "--output", self.directory, cwd=self.directory)
        self.assertTrue((self.directory / "gradient.png").is_file())
        self.assertTrue((folder / "gradient.png").is_file())
        self.assertIn("(gradient.png)", (folder / "README.md").read_text())

    def test_gallery(self):
        """One entry for each folder, with a figure that exists; each page has the same parts."""
        gallery = (FOLDER / "README.md").read_text()
        for folder in sorted(path.parent for path in FOLDER.glob("*/README.md")):
            page = (folder / "README.md").read_text()
            for part in PARTS:
                self.assertIn(part, page, f"the page of {folder.name}")
            self.assertIn(f"({folder.name}/README.md)", gallery)
            self.assertIn(f'<img src="{folder.name}/', gallery)
        for link in re.findall(r"\]\(([^)#]+)\)", gallery) + re.findall(r'src="([^"]+)"', gallery):
            if "://" not in link:
                self.assertTrue((FOLDER / link).exists(), link)


if __name__ == "__main__":
    unittest.main()
