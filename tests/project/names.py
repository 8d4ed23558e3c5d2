"""No doctest case is lost on its way to ctest, where a name is an element of a CMake list: a semicolon makes it two tests
that match nothing and pass, and a square bracket left open swallows the names after it."""

import json
import re
import unittest
from collections import Counter

from gihflow_testing import BUILD, SOURCE, cmake_cache, files, run

CASE = re.compile(r'\b(?:TEST_CASE|TEST_CASE_FIXTURE|TEST_CASE_TEMPLATE|SCENARIO)\w*\s*\(\s*(?:\w+\s*,\s*)?((?:"(?:[^"\\]|\\.)*"\s*)+)')
COUNT = re.compile(r"unskipped test cases passing the current filters: (\d+)")


def lost(text):
    return [name for name in CASE.findall(text) if ";" in name or name.count("[") != name.count("]")]


def count(*command):
    return int(COUNT.search(run(*command, "--count").stdout)[1])


class Names(unittest.TestCase):
    def test_no_name_breaks_a_list(self):
        found = {path: lost((SOURCE / path).read_text()) for path in files("tests", suffixes={".cpp"})}
        self.assertEqual({path: names for path, names in found.items() if names}, {})

    def test_catches(self):
        self.assertTrue(lost('TEST_CASE("a; b") {}'))
        self.assertTrue(lost('TEST_CASE_FIXTURE(F,\n  "a" "b;") {}'))
        self.assertTrue(lost('TEST_CASE("floor in [0, 1/d)") {}'))
        self.assertFalse(lost('TEST_CASE("a, [b]") { f(); }'))

    def test_every_case_is_a_test_and_every_test_a_case(self):
        listing = json.loads(run(cmake_cache("CMAKE_CTEST_COMMAND"), "--show-only=json-v1", cwd=BUILD).stdout)
        registered = Counter()
        for test in listing["tests"]:
            command = test.get("command", [])
            if len(command) > 1 and command[1].startswith("--test-case="):
                registered[command[0]] += 1
                self.assertGreaterEqual(count(*command), 1, f"{test['name']} matches no case")
        programs = [path for path in (BUILD / "tests").glob("test_*") if path.is_file() and path.suffix == ""]
        for program in programs:
            self.assertEqual(registered[str(program)], count(program), program)
