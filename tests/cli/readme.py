"""The README's console blocks are what the program prints: words exactly, numbers within a tolerance."""

import re
import shlex

from gihflow_testing import PROGRAM, SOURCE, DirectoryTest, run

NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w.])")
# Certificates are of the size of rounding; counts of steps may move by one where exp and log differ in a last digit.
RELATIVE, ABSOLUTE = 0.05, 1e-4
VARIES = re.compile(r"^[\d.]+ s: ")


def blocks(text):
    """(command, expected lines) of every console block."""
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            yield command, output.rstrip("\n").splitlines()


def difference(expected, found):
    """What is wrong between two lines, or None."""
    if VARIES.match(expected) and VARIES.match(found):
        return None
    if NUMBER.sub("#", expected).split() != NUMBER.sub("#", found).split():
        return f"{expected!r} became {found!r}"
    for x, y in zip(NUMBER.findall(expected), NUMBER.findall(found)):
        a, b = float(x), float(y)
        if abs(a - b) > max(RELATIVE * max(abs(a), abs(b)), ABSOLUTE):
            return f"{x} became {y} in {expected!r}"
    return None


class Readme(DirectoryTest):
    def test_console_blocks(self):
        commands = list(blocks((SOURCE / "README.md").read_text()))
        self.assertTrue(commands)
        for command, expected in commands:
            with self.subTest(command):
                program, *arguments = shlex.split(command)
                self.assertEqual(program, "build/bin/gihflow")
                found = run(PROGRAM, *arguments, cwd=self.directory).stdout.rstrip("\n").splitlines()
                self.assertEqual(len(found), len(expected), "\n".join(found))
                for x, y in zip(expected, found):
                    self.assertIsNone(difference(x, y))

    def test_differences_are_seen(self):
        self.assertIsNone(difference("loss 0.5 after 40 steps", "loss 0.501 after 41 steps"))
        self.assertIsNotNone(difference("loss 0.5", "loss 0.6"))
        self.assertIsNotNone(difference("loss 0.5", "cost 0.5"))

    def test_files_that_are_named_exist(self):
        for target in re.findall(r"\]\(([^)#:]+)\)", (SOURCE / "README.md").read_text()):
            with self.subTest(target):
                self.assertTrue((SOURCE / target).exists())
