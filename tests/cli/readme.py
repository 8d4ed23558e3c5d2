"""The README's console blocks are what the program prints: words exactly, numbers to 5 %, certificates, which are printed
with an exponent, to half an order of magnitude."""

import re
import shlex

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
        for same in (("6.26e-10", "8.1e-10"), ("0.00e+00", "0.00e+00"), ("0.00335", "0.00336"), ("0.000338472", "0.000340")):
            self.assertTrue(agree(*same), same)
        for other in (("6.26e-10", "6.26e-09"), ("0.00e+00", "1.00e-12"), ("6.26e-10", "-6.26e-10"), ("0.00335", "0.00435"),
                      ("0.000338472", "0.000238472"), ("2", "3"), ("1.85e-06", "0.00e+00")):
            self.assertFalse(agree(*other), other)

    def test_files_that_are_named_exist(self):
        for target in re.findall(r"\]\(([^)#:]+)\)", (SOURCE / "README.md").read_text()):
            with self.subTest(target):
                self.assertTrue((SOURCE / target).exists())
