"""Console blocks of the README and of docs/ are what commands print: words exactly, numbers to 5 %, certificates, which are printed
with an exponent, to half an order of magnitude. Commands and lines of Python that stand without output run."""

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


# What belongs to an installation, or has a test of its own.
ELSEWHERE = ("scripts/", ".venv/", "python3 -m venv", "cmake --install", "mpirun", "python3 -m gihflow.verification")
# Files of which shell blocks speak, and commands that make small ones.
MADE = {"run.h5": "train --chains 100 --validation-chains 20 --stages c:20,w:20,a:20 --outputs 10",
        "compare.h5": "compare --chains 100 --stages c:4 --learning-rates 1,0.5"}
# What makes plans and commands of pages small.
SMALLER = (('"c:2000", "w:50000", "a:5000"', '"c:5"'), ("replicas = 10 ", "replicas = 2 "), ("20000, 10000", "20, 10"))
SMALL = {"gihflow train": " --chains 50 --validation-chains 0 --stages c:5 --outputs 5",
         "python3 -m gihflow.animation run.h5": " --dpi 50 --rate 2"}


def commands_of(block):
    """The commands of a shell block, without what is said of them."""
    return [line.partition("   #")[0].strip() for line in block.splitlines() if line.strip() and not line.startswith("#")]


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

    def test_commands_without_output(self):
        """Shell blocks, on the files that their pages tell of, made small; those of analysis/README.md too."""
        programs = self.directory / "bin"
        programs.mkdir()
        (programs / "gihflow").symlink_to(PROGRAM)
        (programs / "python3").symlink_to(sys.executable)
        environment = dict(os.environ, PATH=f"{programs}:{os.environ['PATH']}")
        ran = 0
        for page in [*PAGES, "analysis/README.md"]:
            folder = self.directory / page.replace("/", "_")
            folder.mkdir()
            for language, block in re.findall(r"```(sh|toml)\n(.*?)```", (SOURCE / page).read_text(), re.DOTALL):
                if language == "toml":
                    for given, small in SMALLER:
                        block = block.replace(given, small)
                    (folder / re.match(r"# (\S+)\n", block)[1]).write_text(block)
                    continue
                for command in commands_of(block):
                    if command.startswith(ELSEWHERE):
                        continue
                    with self.subTest(page=page, command=command):
                        for name, maker in MADE.items():
                            if name in command.split(" -o ")[0] and not (folder / name).exists():
                                run(PROGRAM, *maker.split(), "--quiet", "-o", name, cwd=folder, expect=None)
                        run("sh", "-c", command + SMALL.get(command.partition(" -")[0], ""), cwd=folder, env=environment)
                        ran += 1
        self.assertGreaterEqual(ran, 12)

    def test_python_that_reads_runs(self):
        """Blocks of Python that need no compiled module."""
        for page, first in (("docs/schema.md", "import h5py"), ("analysis/README.md", "import gihflow\nfrom gihflow import figures")):
            blocks = [block for block in re.findall(r"```python\n(.*?)```", (SOURCE / page).read_text(), re.DOTALL)
                      if block.startswith(first)]
            self.assertEqual(len(blocks), 1)
            with self.subTest(page):
                folder = self.directory / page.replace("/", "_")
                folder.mkdir()
                run(PROGRAM, *MADE["run.h5"].split(), "--quiet", "-o", "run.h5", cwd=folder)
                run(sys.executable, "-B", "-c", blocks[0], cwd=folder)

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
