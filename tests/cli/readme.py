"""Console blocks of the README and of docs/ are what commands print: words exactly, numbers to 5 %, certificates, which are printed
with an exponent, to half an order of magnitude."""

import os
import re
import shlex
import sys

from gihflow_testing import PROGRAM, SOURCE, DirectoryTest, run

NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w.])")
# Counts of steps may move by one, and certificates with them, where exp and log differ in a last digit.
RELATIVE, CERTIFICATE = 0.05, 10**0.5
VARIES = re.compile(r"^[\d.]+ s: ")


def blocks(text):
    """(command, expected lines) of every console block."""
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            yield command, output.rstrip("\n").splitlines()


def agree(x, y):
    """Whether two numbers as they are printed mean the same. Nothing else is like zero."""
    a, b = float(x), float(y)
    if "e" in x or "e" in y:
        return a == b or (a * b > 0 and 1 / CERTIFICATE <= a / b <= CERTIFICATE)
    return abs(a - b) <= RELATIVE * max(abs(a), abs(b))


def difference(expected, found):
    """What is wrong between two lines, or None."""
    if VARIES.match(expected) and VARIES.match(found):
        return None
    if NUMBER.sub("#", expected).split() != NUMBER.sub("#", found).split():
        return f"{expected!r} became {found!r}"
    for x, y in zip(NUMBER.findall(expected), NUMBER.findall(found)):
        if not agree(x, y):
            return f"{x} became {y} in {expected!r}"
    return None


def parts(lines):
    """Runs of lines between those that stand for left-out ones."""
    found = [[]]
    for line in lines:
        found.append([]) if line == "…" else found[-1].append(line)
    return found


def place_of(part, lines, start):
    """The first place from `start` on where the part agrees with the lines; None where there is none."""
    for first in range(start, len(lines) - len(part) + 1):
        if all(difference(x, y) is None for x, y in zip(part, lines[first:])):
            return first
    return None


def disagreement(expected, found):
    """What is wrong between what a page has and what was printed, lines left out at "…"; or None."""
    if "…" not in expected:
        if len(expected) != len(found):
            return "\n".join(found)
        return next(filter(None, (difference(x, y) for x, y in zip(expected, found))), None)
    first, *middle, last = parts(expected)
    for x, y in zip(first, found):
        if difference(x, y):
            return difference(x, y)
    at = len(first)
    for part in middle:
        at = place_of(part, found, at)
        if at is None:
            return f"{part} is not in\n" + "\n".join(found)
        at += len(part)
    if last and place_of(last, found, max(at, len(found) - len(last))) is None:
        return f"{last} is not at the end of\n" + "\n".join(found)
    return None


PAGES = ["README.md", *sorted(str(path.relative_to(SOURCE)) for path in SOURCE.glob("docs/*.md"))]


class Readme(DirectoryTest):
    def test_console_blocks(self):
        """Blocks of a page in their order, in one folder, by the programs of a shell."""
        programs = self.directory / "bin"
        (programs / "build/bin").mkdir(parents=True)
        for place, target in ((programs / "gihflow", PROGRAM), (programs / "python3", sys.executable)):
            place.symlink_to(target)
        environment = dict(os.environ, PATH=f"{programs}:{os.environ['PATH']}")
        with_commands = []
        for page in PAGES:
            folder = self.directory / page.replace("/", "_")
            (folder / "build/bin").mkdir(parents=True)
            (folder / "build/bin/gihflow").symlink_to(PROGRAM)
            for command, expected in blocks((SOURCE / page).read_text()):
                with_commands.append(page)
                with self.subTest(page=page, command=command):
                    self.assertIn(shlex.split(command)[0], ("build/bin/gihflow", "gihflow", "python3"))
                    found = run("sh", "-c", command, cwd=folder, env=environment).stdout.rstrip("\n").splitlines()
                    self.assertIsNone(disagreement(expected, found))
        self.assertLessEqual({"README.md", "docs/first-afternoon.md", "docs/questions.md"}, set(with_commands))

    def test_differences_are_seen(self):
        self.assertIsNone(difference("loss 0.5 after 40 steps", "loss 0.501 after 41 steps"))
        self.assertIsNotNone(difference("loss 0.5", "loss 0.6"))
        self.assertIsNotNone(difference("loss 0.5", "cost 0.5"))
        for same in (("6.26e-10", "8.1e-10"), ("0.00e+00", "0.00e+00"), ("0.00335", "0.00336"), ("0.000338472", "0.000340")):
            self.assertTrue(agree(*same), same)
        for other in (("6.26e-10", "6.26e-09"), ("0.00e+00", "1.00e-12"), ("6.26e-10", "-6.26e-10"), ("0.00335", "0.00435"),
                      ("0.000338472", "0.000238472"), ("2", "3"), ("1.85e-06", "0.00e+00")):
            self.assertFalse(agree(*other), other)

    def test_lines_that_are_left_out(self):
        found = ["a 1", "b 2", "c 3", "d 4"]
        for expected in (["a 1", "…"], ["…", "d 4"], ["…"], ["a 1", "…", "c 3", "…"], ["a 1", "…", "d 4"], found):
            self.assertIsNone(disagreement(expected, found), expected)
        for expected in (["b 2", "…"], ["…", "c 3"], ["a 1", "…", "e 3", "…"], ["a 1", "…", "d 9"], found[:3], ["…", "c 3", "…", "b 2", "…"]):
            self.assertIsNotNone(disagreement(expected, found), expected)

    def test_files_that_are_named_exist(self):
        for page in PAGES:
            for target in re.findall(r"\]\(([^)#:\s]+)\)", (SOURCE / page).read_text()):
                with self.subTest(page=page, target=target):
                    self.assertTrue((SOURCE / page).parent.joinpath(target).exists() or target.startswith("library/"))
