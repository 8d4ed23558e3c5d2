"""The deliberate faults of tests/mutations still find their places: a source that has moved on is noticed here, not at night."""

import sys
import unittest

from gihflow_testing import SOURCE

sys.path.insert(0, str(SOURCE / "tests/mutations"))
from faults import FAULTS, Fault  # noqa: E402


class Faults(unittest.TestCase):
    def test_every_fault_applies(self):
        self.assertEqual(len(FAULTS), 10)
        self.assertEqual(len({fault.name for fault in FAULTS}), len(FAULTS))
        for fault in FAULTS:
            with self.subTest(fault.name):
                text = (SOURCE / fault.path).read_text()
                self.assertNotEqual(fault.applied(text), text)
                for program in fault.programs:
                    self.assertTrue((SOURCE / "tests" / program.removeprefix("test_")).is_dir(), program)

    def test_a_place_that_is_gone_or_doubled_is_refused(self):
        fault = Fault("sign", "src/x.cpp", "a - b", "a + b", ())
        self.assertEqual(fault.applied("x = a - b;"), "x = a + b;")
        for text in ("x = a-b;", "a - b, a - b"):
            with self.assertRaisesRegex(ValueError, r"fault sign: in src/x\.cpp its place occurs [02] times"):
                fault.applied(text)
