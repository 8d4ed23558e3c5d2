"""The deliberate faults of tests/mutations still find their places, and their tests: what has moved on is noticed here, in a
second."""

import re
import sys
import unittest

from gihflow_testing import SOURCE

sys.path.insert(0, str(SOURCE / "tests/mutations"))
from faults import FAULTS, Fault  # noqa: E402


def exists(check):
    """Whether there is such a check: a file of cases, or a case of a room's program."""
    if check.endswith(".py"):
        return (SOURCE / "tests" / check).is_file()
    program, _, case = check.partition(": ")
    room = SOURCE / "tests" / program.removeprefix("test_")
    # A long name is in pieces, with quotes and line ends between them.
    texts = (re.sub(r'"\s*"', "", path.read_text()) for path in room.glob("*.cpp"))
    return room.is_dir() and any(re.search(rf'TEST_CASE\(\s*"[^"]*{re.escape(case)}', text) for text in texts)


class Faults(unittest.TestCase):
    def test_every_fault_applies(self):
        self.assertEqual(len({fault.name for fault in FAULTS}), len(FAULTS))
        for fault in FAULTS:
            with self.subTest(fault.name):
                text = (SOURCE / fault.path).read_text()
                self.assertNotEqual(fault.applied(text), text)
                self.assertTrue(fault.checks)
                for check in fault.checks:
                    self.assertTrue(exists(check), check)

    def test_checks_that_exist(self):
        self.assertTrue(exists("test_base: compiler and flags are"))
        self.assertTrue(exists("cli/diff.py"))
        for check in ("test_base: the build sings", "cli/nothing.py", "test_nothing"):
            self.assertFalse(exists(check), check)

    def test_a_place_that_is_gone_or_doubled_is_refused(self):
        fault = Fault("sign", "src/x.cpp", "a - b", "a + b", ())
        self.assertEqual(fault.applied("x = a - b;"), "x = a + b;")
        for text in ("x = a-b;", "a - b, a - b"):
            with self.assertRaisesRegex(ValueError, r"fault sign: in src/x\.cpp its place occurs [02] times"):
                fault.applied(text)
