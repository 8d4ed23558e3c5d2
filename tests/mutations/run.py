"""Does the suite catch deliberate faults? Each is put into one source, which is compiled and linked with the rest of a
release build into the test programs that should notice, and these run until one fails. Exit code 1 if a fault is missed.

    python3 tests/mutations/run.py [--build DIRECTORY] [NAME...]

DIRECTORY, build by default, is a release build in which all is made. Faults, logs and programs go to build-mutations.
"""

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from faults import FAULTS

SOURCE = Path(__file__).resolve().parents[2]
PATIENCE = 600.0  # seconds for one program: a fault may keep a loop from ending


class Broken(Exception):
    """The build is not complete, a fault does not compile, or a check fails without a fault."""


def quick(words):
    """A compile command with less optimisation, without dependency files; warnings, which depend on it, stop nothing."""
    result, words = [], iter(words)
    for word in words:
        if word in ("-MF", "-MT"):
            next(words)
        elif word not in ("-MD", "-Werror"):
            result.append(word)
    return [*result, "-O1"]


class Build:
    """What a finished release build knows: how each object is compiled, and how each program is linked."""

    def __init__(self, directory):
        self.directory = directory
        try:
            entries = json.loads((directory / "compile_commands.json").read_text())
        except OSError as error:
            raise Broken(f"no release build: {error}") from None
        self.commands = {}  # object: words
        for entry in entries:
            words = shlex.split(entry["command"])
            if Path(entry["file"]).is_relative_to(SOURCE / "src") and "-o" in words:
                self.commands[words[words.index("-o") + 1]] = (Path(entry["file"]), words)
        self.deps = None

    def ninja(self, *words):
        done = subprocess.run(["ninja", "-C", self.directory, *words], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Broken(f"ninja {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def objects(self, path):
        """Objects made of a source, or of all sources that include a header."""
        own = [name for name, (file, _) in self.commands.items() if file == SOURCE / path]
        if own:
            return own
        if self.deps is None:
            self.deps, name = {}, None
            for line in self.ninja("-t", "deps").splitlines():
                if line.startswith("    "):
                    self.deps.setdefault(os.path.normpath(self.directory / line.strip()), set()).add(name)
                elif line:
                    name = line.partition(":")[0]
        return sorted(self.deps.get(str(SOURCE / path), set()) & self.commands.keys())

    def link(self, program):
        """Words of the link command of a program, its path in the build directory first."""
        for line in reversed(self.ninja("-t", "commands", program).splitlines()):
            for part in line.split(" && "):
                words = shlex.split(part)
                if "-o" in words and words[words.index("-o") + 1] == program:
                    return words
        raise Broken(f"ninja does not say how {program} is linked")


class Trial:
    """One fault, or none: its objects and programs in a directory of its own."""

    def __init__(self, build, directory):
        self.build, self.directory = build, directory
        self.objects = {}
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        self.log = directory / "log"
        self.log.write_text("")

    def call(self, words, directory, **environment):
        with self.log.open("a") as log:
            log.write(f"$ {shlex.join(map(str, words))}\n")
            log.flush()
            try:
                return subprocess.run(list(map(str, words)), cwd=directory, stdout=log, stderr=log, timeout=PATIENCE,
                                      env=dict(os.environ, **environment),
                                      stdin=subprocess.DEVNULL, check=False).returncode
            except subprocess.TimeoutExpired:
                return "no end"

    def make(self, words):
        if self.call(words, self.build.directory) != 0:
            raise Broken(f"{self.log} says what could not be made")

    def put(self, fault):
        """Compiles what a fault changes. A copy of the changed file is found before the one in the tree."""
        copy = self.directory / fault.path
        copy.parent.mkdir(parents=True)
        copy.write_text(fault.applied((SOURCE / fault.path).read_text()))
        objects = self.build.objects(fault.path)
        if not objects:
            raise Broken(f"fault {fault.name}: nothing in {self.build.directory} is made of {fault.path}")
        for number, name in enumerate(objects):
            file, words = self.build.commands[name]
            self.objects[name] = self.directory / f"{number}.o"
            words = [str(copy) if word == str(file) and file == SOURCE / fault.path else word for word in words]
            words[words.index("-o") + 1] = str(self.objects[name])
            first = next(i for i, word in enumerate(words) if i > 0 and word.startswith("-"))
            words[first:first] = [f"-I{self.directory / 'src'}", f"-I{self.directory / 'include'}"]
            self.make(quick(words))

    def program(self, name):
        """A program with the fault in it; the build's own without one."""
        if not self.objects:
            return self.build.directory / name
        made = self.directory / Path(name).name
        if not made.exists():
            words = self.build.link(name)
            words[words.index("-o") + 1] = str(made)
            library = next(i for i, word in enumerate(words) if word.endswith("libgihflow.a"))
            new = [str(path) for object, path in self.objects.items() if object not in words]
            words[library:library] = new  # found before the library's own
            self.make([str(self.objects.get(word, word)) for word in words])
        return made

    def passes(self, check):
        """Whether a check passes: "test_flow", "test_flow: part of a case's name", "cli/diff.py"."""
        if check.endswith(".py"):
            return self.call([sys.executable, "-B", SOURCE / "tests/python/run_tests.py", SOURCE / "tests" / check],
                             self.directory, GIHFLOW=str(self.program("bin/gihflow")), GIHFLOW_SOURCE=str(SOURCE),
                             GIHFLOW_BUILD=str(self.build.directory), GIHFLOW_BUILD_TYPE="Release",
                             PYTHONPATH=f"{SOURCE / 'tests/python'}:{SOURCE / 'analysis/src'}") == 0
        program, _, case = check.partition(": ")
        chosen = ["--test-case=*" + case.replace(",", "\\,") + "*"] if case else []  # a comma parts two names
        program = self.program(f"tests/{program}")
        passed = self.call([program, "--abort-after=1", "--no-colors", *chosen], self.directory) == 0
        if passed and re.search(r"test cases: *0 ", self.log.read_text()):
            raise Broken(f"{check}: no case has such a name, see {self.log}")
        return passed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=SOURCE / "build", metavar="DIRECTORY")
    parser.add_argument("names", nargs="*", metavar="NAME", help="one of " + ", ".join(f.name for f in FAULTS))
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - {fault.name for fault in FAULTS}:
        parser.error(f"no fault is called {', '.join(sorted(unknown))}")
    faults = [fault for fault in FAULTS if not arguments.names or fault.name in arguments.names]
    trials = SOURCE / "build-mutations"

    def sound(check):
        trial = Trial(build, trials / f"sound {check.replace('/', ' ')}")
        return None if trial.passes(check) else f"{check} fails without a fault, see {trial.log}"

    def caught(fault):
        start = time.monotonic()
        trial = Trial(build, trials / fault.name)
        trial.put(fault)
        by = next((check for check in fault.checks if not trial.passes(check)), None)
        print(f"{fault.name}: {f'caught by {by}' if by else 'NOT CAUGHT'} ({time.monotonic() - start:.0f} s)", flush=True)
        if by:
            shutil.rmtree(trial.directory)
        return by

    try:
        build = Build(arguments.build.resolve())
        for fault in faults:
            build.objects(fault.path)  # before there are several threads
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            checks = sorted({check for fault in faults for check in fault.checks})
            if failed := [said for said in pool.map(sound, checks) if said]:
                raise Broken("\n".join(failed))
            missed = [fault for fault, by in zip(faults, pool.map(caught, faults)) if not by]
    except (Broken, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(faults) - len(missed)} of {len(faults)} faults caught")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
