"""Each formula number that the code cites is in docs/theory.md, which numbers its formulas without gap or repetition."""

import re
import unittest
from collections import Counter

from gihflow_testing import SOURCE, files

THEORY = SOURCE / "docs" / "theory.md"
NUMBER = r"[1-9]\.[1-9][0-9]?"
# (3.4), (3.4)–(3.6), (4.1–4.5), (1.2, 1.4); a call such as pow(2.5) is none.
CITATION = re.compile(rf"(?<![\w>\]])\(({NUMBER}(?:\s*(?:,|–|-|and)\s*{NUMBER})*)\)")


def cited(text):
    return [number for group in CITATION.findall(text) for number in re.findall(NUMBER, group)]


def defined():
    """A formula is defined where a paragraph begins with its number in bold: **(3.4) Title.**"""
    return re.findall(rf"^\*\*\(({NUMBER})\)", THEORY.read_text(), re.MULTILINE)


class Formulas(unittest.TestCase):
    def test_cited_formulas_exist(self):
        known = set(defined())
        paths = files("include", "src", "tests", "analysis", "experiments", "docs",
                      suffixes={".hpp", ".cpp", ".cu", ".cuh", ".py", ".md"})
        paths.append((SOURCE / "README.md").relative_to(SOURCE))
        missing, count = [], 0
        for path in paths:
            if path.name == "formulas.py" or not (SOURCE / path).exists():
                continue
            for number in cited((SOURCE / path).read_text()):
                count += 1
                if number not in known:
                    missing.append(f"{path} cites ({number}), which docs/theory.md does not define")
        self.assertEqual(missing, [], "\n" + "\n".join(missing))
        self.assertGreater(count, 10)

    def test_numbers_have_no_gap_and_no_double(self):
        numbers = defined()
        doubles = [number for number, times in Counter(numbers).items() if times > 1]
        self.assertEqual(doubles, [])
        sections = {}
        for number in numbers:
            section, _, item = number.partition(".")
            sections.setdefault(section, []).append(int(item))
        for section, items in sections.items():
            self.assertEqual(items, list(range(1, len(items) + 1)), f"section {section}, in order")

    def test_what_counts_as_a_citation(self):
        self.assertEqual(cited("by (3.4)–(3.6), (4.1–4.5) and (1.2, 1.4)"),
                         ["3.4", "3.6", "4.1", "4.5", "1.2", "1.4"])
        self.assertEqual(cited("pow(2.5) f<double>(1.5) (0.1) (10.5) (2.50x)"), [])
