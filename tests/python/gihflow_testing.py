"""What the scripted tests share: where things are, how to run the program, a directory to write to.

ctest sets the environment. By hand, from the root of the repository:

    GIHFLOW=build/bin/gihflow GIHFLOW_SOURCE=. GIHFLOW_BUILD=build PYTHONPATH=tests/python:analysis/src \\
        python3 tests/python/run_tests.py tests/project/rooms.py
"""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

SOURCE = Path(os.environ["GIHFLOW_SOURCE"]).resolve()
BUILD = Path(os.environ["GIHFLOW_BUILD"]).resolve()
PROGRAM = Path(os.environ["GIHFLOW"]).resolve()

# In the order in which data flows: a room includes itself and those before it.
ROOMS = (
    "base", "chain", "information", "model", "population", "flow", "theory", "record", "run", "cli",
)


def run(*command, expect=0, timeout=600, **options):
    """Runs a command, the program itself where the first word is "gihflow", and returns its CompletedProcess with
    text in stdout and stderr. Any exit code but `expect` is an AssertionError that shows both; None accepts all."""
    words = [str(word) for word in command]
    if words[0] == "gihflow":
        words[0] = str(PROGRAM)
    done = subprocess.run(words, capture_output=True, text=True, timeout=timeout, **options)
    if expect is not None and done.returncode != expect:
        raise AssertionError(
            f"exit code {done.returncode} instead of {expect}: {' '.join(words)}\n"
            f"--- stdout\n{done.stdout}\n--- stderr\n{done.stderr}"
        )
    return done


def files(*folders, suffixes):
    """All files below the given folders of the source tree with one of the suffixes, as paths relative to it."""
    return sorted(
        path.relative_to(SOURCE)
        for folder in folders
        for path in (SOURCE / folder).rglob("*")
        if path.suffix in suffixes and path.is_file()
    )


def cmake_cache(name, default=None):
    """The value of a variable in the build tree's CMake cache; `default`, if there is one, where it has none."""
    for line in (BUILD / "CMakeCache.txt").read_text().splitlines():
        key, equals, value = line.partition("=")
        if equals and key.partition(":")[0] == name:
            return value
    if default is not None:
        return default
    raise KeyError(f"{name} is not in the CMake cache")


def contents(path, without=("execution",)):
    """Every dataset and attribute of an HDF5 file as {name: bytes or value}, but for some groups."""
    import h5py
    import numpy as np

    found = {}

    def visit(name, item):
        if name.split("/")[0] in without:
            return
        for key, value in item.attrs.items():
            if key not in ("DIMENSION_LIST", "REFERENCE_LIST"):
                found[f"{name}@{key}"] = value.tobytes() if isinstance(value, np.ndarray) else value
        if isinstance(item, h5py.Dataset):
            values = item[()]
            found[name] = (item.dtype.str, item.shape, values.tolist() if item.dtype.hasobject else values.tobytes())

    with h5py.File(path) as file:
        visit("", file)
        file.visititems(visit)
    return found


class DirectoryTest(unittest.TestCase):
    """A test case with an empty directory of its own, self.directory, removed after each test."""

    def setUp(self):
        super().setUp()
        directory = tempfile.TemporaryDirectory(prefix="gihflow_")
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
