"""Runs the unittest cases of one file: run_tests.py FILE. Exit code 77 if every case was skipped; each skipped case is
named on a line for skipped.py.

A file without a single case fails: unittest itself would call that a success.
"""

import importlib.util
import sys
import unittest
from pathlib import Path

SKIPPED = 77


def main(path: Path) -> int:
    spec = importlib.util.spec_from_file_location(f"test_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    count = suite.countTestCases()
    if count == 0:
        print(f"{path} has no test case", file=sys.stderr)
        return 1
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    for case, why in result.skipped:
        print(f"Skipped: {case.id().partition('.')[2]}: {why}", flush=True)
    if not result.wasSuccessful():
        return 1
    return SKIPPED if len(result.skipped) == count else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
