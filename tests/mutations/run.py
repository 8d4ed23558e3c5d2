"""Does the suite catch ten deliberate faults? Puts each into a copy of the source tree, builds the test programs that
should notice and runs them until one fails. Exit code 1 if a fault is missed or the copy is faulty by itself.

    python3 tests/mutations/run.py [--build DIRECTORY] [NAME...]

The copy stays in DIRECTORY, build-mutations by default, so that the next run builds little.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from faults import FAULTS

SOURCE = Path(__file__).resolve().parents[2]
COPIED = ("CMakeLists.txt", "cmake", "include", "src", "tests")
HOUR = 3600.0


class Broken(Exception):
    """The copy cannot be built, or fails its tests without a fault."""


def write(path, text):
    """Only where it differs: what has not changed is not built again."""
    if not path.exists() or path.read_bytes() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)


def copy_tree(to):
    wanted = set()
    for name in COPIED:
        top = SOURCE / name
        for path in [top] if top.is_file() else [p for p in top.rglob("*") if p.is_file()]:
            if "__pycache__" not in path.parts:
                wanted.add(path.relative_to(SOURCE))
                write(to / path.relative_to(SOURCE), path.read_bytes())
    for name in COPIED:
        for path in [p for p in (to / name).rglob("*") if p.is_file()]:
            if path.relative_to(to) not in wanted:
                path.unlink()


class Copy:
    def __init__(self, directory):
        self.tree, self.build, self.log = directory, directory / "build", directory / "log"
        # ccache then knows the copy's sources from builds of the original.
        self.environment = dict(os.environ, OMP_WAIT_POLICY="passive", CCACHE_BASEDIR=str(directory), CCACHE_NOHASHDIR="1")
        directory.mkdir(parents=True, exist_ok=True)
        self.log.write_text("")
        copy_tree(self.tree)
        ccache = shutil.which("ccache")
        self.call("cmake", "-S", ".", "-B", "build", "-G", "Ninja", "-D", "CMAKE_BUILD_TYPE=Release",
                  "-D", f"GIHFLOW_PYTHON={sys.executable}",
                  *(["-D", f"CMAKE_CXX_COMPILER_LAUNCHER={ccache}"] if ccache else []), must=True)

    def call(self, *command, must=False):
        """Whether it succeeded. What it says goes to the log."""
        with self.log.open("a") as log:
            code = subprocess.run(list(map(str, command)), cwd=self.tree, env=self.environment, stdout=log, stderr=log,
                                  timeout=HOUR).returncode
        if must and code != 0:
            raise Broken(f"{' '.join(map(str, command))}: exit code {code}, see {self.log}")
        return code == 0

    def make(self, programs):
        self.call("cmake", "--build", self.build, "--parallel", os.cpu_count(), "--target", *programs, must=True)

    def passes(self, program):
        return self.call(self.build / "tests" / program, "--abort-after=1")

    def catches(self, fault):
        """The first program that fails with the fault in the copy; None if all pass."""
        path = self.tree / fault.path
        sound = path.read_bytes()
        path.write_text(fault.applied(sound.decode()))
        try:
            for program in fault.programs:
                self.make([program])
                if not self.passes(program):
                    return program
            return None
        finally:
            path.write_bytes(sound)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=SOURCE / "build-mutations", metavar="DIRECTORY")
    parser.add_argument("names", nargs="*", metavar="NAME", help="one of " + ", ".join(f.name for f in FAULTS))
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - {fault.name for fault in FAULTS}:
        parser.error(f"no fault is called {', '.join(sorted(unknown))}")
    faults = [fault for fault in FAULTS if not arguments.names or fault.name in arguments.names]

    try:
        copy = Copy(arguments.build.resolve())
        programs = sorted({program for fault in faults for program in fault.programs})
        copy.make(programs)
        for program in programs:
            if not copy.passes(program):
                raise Broken(f"{program} fails without a fault, see {copy.log}")
        missed = []
        for fault in faults:
            start = time.monotonic()
            program = copy.catches(fault)
            if not program:
                missed.append(fault.name)
            result = f"caught by {program}" if program else "NOT CAUGHT"
            print(f"{fault.name}: {result} ({time.monotonic() - start:.0f} s)", flush=True)
    except (Broken, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(faults) - len(missed)} of {len(faults)} faults caught")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
