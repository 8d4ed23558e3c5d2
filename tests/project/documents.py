"""What documents point to exists, and the picture of the rooms is what its script draws."""

import re
import sys
import unittest

from gihflow_testing import ROOMS, SOURCE, files, run

LINK = re.compile(r"\]\(([^)#:]+)[^):]*\)")
HEADER = re.compile(rf"`((?:{'|'.join(ROOMS)})/\w+\.hpp)`")
PATH = re.compile(r"`((?:src|include|tests|scripts|docs|examples|experiments|analysis|cmake)/[\w./-]+)`")


def missing(path, text):
    """Files that a document names and that are not there."""
    for target in LINK.findall(text):
        if not (SOURCE / path).parent.joinpath(target).exists():
            yield f"{path}: link to {target}"
    for header in HEADER.findall(text):
        if not any((SOURCE / folder / header).exists() for folder in ("include/gihflow", "src")):
            yield f"{path}: {header}"
    for name in PATH.findall(text):
        if not (SOURCE / name).exists():
            yield f"{path}: {name}"


class Documents(unittest.TestCase):
    def test_what_they_name_exists(self):
        paths = [path.relative_to(SOURCE) for path in SOURCE.glob("*.md")]
        paths += files("docs", "experiments", "analysis", suffixes={".md"})
        self.assertGreater(len(paths), 8)
        found = [line for path in paths if path.name != "CHANGELOG.md" for line in missing(path, (SOURCE / path).read_text())]
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_catches(self):
        text = "[x](nowhere.md) [y](https://a.b/c) [z](theory.md#a) `base/nothing.hpp` `base/random.hpp` `src/chain/no.cpp`"
        self.assertEqual(list(missing("docs/x.md", text)),
                         ["docs/x.md: link to nowhere.md", "docs/x.md: base/nothing.hpp", "docs/x.md: src/chain/no.cpp"])

    def test_picture_of_the_rooms(self):
        script = SOURCE / "docs/images/architecture.py"
        drawn = run(sys.executable, "-B", script).stdout
        self.assertEqual((SOURCE / "docs/images/architecture.svg").read_text(), drawn, f"{script} draws another picture")
        self.assertEqual(re.findall(r'font-weight="bold" font-family="DejaVu Sans Mono, monospace">(\w+)<', drawn), list(ROOMS))


if __name__ == "__main__":
    unittest.main()
