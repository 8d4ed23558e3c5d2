"""Kills training runs at random moments and continues them, until so many kills are counted; what must hold is asserted at
each, what happened is counted.

    python3 tests/python/kill_harness.py --program build/bin/gihflow --kills 200 --seed 1

Every run writes its file after every step, so that moments lie before, within and between writes. After each kill the file
must open and be no older than at the kill before; when the run has come to its end, every dataset and attribute must
have the bits of the run that was never killed, /execution apart.
"""

import argparse
import json
import random
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path

from gihflow_testing import contents

COMMON = ("--chains", "40", "--validation-chains", "10", "--length", "20", "--outputs", "20", "--threads", "1")
CASES = {
    "flow": ("--stages", "c:2000,w:50000,a:5000"),
    "stiff flow": ("--stages", "cwa:40,a:5", "--rtol", "1e-2"),
    "infinite context": ("--stages", "c:100,w:20000,a:50", "--context", "infinite"),
    "descent": ("--stages", "c:30,w:20,a:10", "--method", "gd", "--optimizer", "momentum", "--batch", "13"),
    "fresh chains": ("--stages", "c:30,w:20", "--method", "gd", "--optimizer", "adam", "--batch", "9", "--resample"),
}
STAGES = {name: options[1].count(":") for name, options in CASES.items()}


class Counts(Counter):
    """`kills`, `after_first_checkpoint`, `during_write`, `completed` runs and ("stage", case, k). Nothing is counted as lost:
    a loss ends the harness."""

    def lines(self):
        yield f"{self['kills']} kills, {self['after_first_checkpoint']} of them after the first checkpoint, " \
              f"{self['during_write']} during a write"
        stages = {key[1:]: n for key, n in self.items() if isinstance(key, tuple)}
        yield "by stage: " + ", ".join(f"{case} {stage}: {n}" for (case, stage), n in sorted(stages.items()))
        yield f"{self['completed']} runs came to the end, bit for bit; files lost 0, recorded steps lost 0"


class Harness:
    def __init__(self, program, directory, seed):
        self.program, self.directory = str(program), Path(directory)
        self.random = random.Random(seed)
        self.counts = Counts()
        self.run_file = self.directory / "run.h5"
        self.whole = {}

    def train(self, *options, **keywords):
        return subprocess.Popen([self.program, "train", *options, "--checkpoint-every", "0", "--quiet"],
                                cwd=self.directory, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **keywords)

    def finish(self, process):
        errors = process.communicate(timeout=600)[1]
        assert process.returncode == 0, f"exit code {process.returncode}: {errors}"

    def show(self):
        done = subprocess.run([self.program, "show", "run.h5", "--json"], cwd=self.directory, capture_output=True, text=True)
        assert done.returncode == 0, f"the file does not open: {done.stderr}"
        return json.loads(done.stdout)

    def uninterrupted(self, case):
        """The contents that a run of this case ends with, and the seconds it takes."""
        if case not in self.whole:
            began = time.monotonic()
            self.finish(self.train(*COMMON, *CASES[case], "-o", f"{case}.h5"))
            self.whole[case] = contents(self.directory / f"{case}.h5"), time.monotonic() - began
        return self.whole[case]

    def kill_once(self, process, seconds):
        """Kills the process after so many seconds; half of the time at the next write from then on. Whether it was alive."""
        deadline = time.monotonic() + seconds
        at_write = self.random.random() < 0.5
        partial = self.directory / "run.h5.partial"
        while process.poll() is None:
            now = time.monotonic()
            if now >= deadline and (not at_write or partial.exists() or now >= deadline + 2):
                break
            time.sleep(0.0005 if now >= deadline else min(0.01, deadline - now))
        process.kill()
        process.communicate(timeout=60)
        return process.returncode == -9

    def run_with_kills(self, case, most):
        """One run of a case from its beginning to its end, killed again and again, at most so often."""
        whole, seconds = self.uninterrupted(case)
        for path in self.directory.glob("run.h5*"):
            path.unlink()
        steps = 0  # in the file at the last kill
        patience = seconds / 4  # more of it where the machine has become slow and nothing is done before a kill
        while most > 0:
            begun = self.run_file.exists()
            process = self.train(*(("--resume", "run.h5") if begun else (*COMMON, *CASES[case])))
            if not self.kill_once(process, self.random.uniform(0.0, patience)):
                assert process.returncode == 0, f"exit code {process.returncode}"
                break
            most -= 1
            self.counts["kills"] += 1
            if not self.run_file.exists():
                assert not begun, "the file is gone"
                patience *= 1.2
                continue
            self.counts["after_first_checkpoint"] += 1
            if (self.directory / "run.h5.partial").exists():
                self.counts["during_write"] += 1
            found = self.show()
            now = sum(s["accepted_steps"] + s["rejected_steps"] for s in found["stages"])
            assert now >= steps, f"a checkpoint is lost: {now} steps, and there were {steps}"
            patience = seconds / 4 if now > steps else 1.2 * patience
            steps = now
            self.counts["stage", case, max(1, len(found["stages"]))] += 1
        else:
            self.finish(self.train("--resume", "run.h5") if self.run_file.exists() else
                        self.train(*COMMON, *CASES[case]))
        found = contents(self.run_file)
        if found != whole:
            names = sorted(name for name in {*found, *whole} if found.get(name) != whole.get(name))
            difference = subprocess.run([self.program, "diff", f"{case}.h5", "run.h5"], cwd=self.directory,
                                        capture_output=True, text=True).stdout
            raise AssertionError(f"{case}: other bits than the run that was never killed, in {names}\n{difference}")
        left = sorted(path.name for path in self.directory.glob("run.h5*"))
        assert left == ["run.h5"], left
        self.counts["completed"] += 1

    def missing(self):
        """Stages in which no run was killed yet."""
        return [(case, k) for case, n in STAGES.items() for k in range(1, n + 1) if not self.counts["stage", case, k]]

    def run(self, kills, every_stage=False):
        """So many kills; with every_stage as many more as it takes until no stage is missing, at most as many again."""
        cases = list(CASES)
        while self.counts["kills"] < kills or (every_stage and self.missing() and self.counts["kills"] < 2 * kills):
            left = kills - self.counts["kills"]
            case = cases[self.counts["completed"] % len(cases)] if left > 0 else self.missing()[0][0]
            self.run_with_kills(case, left if left > 0 else 20)
        return self.counts


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--program", default="build/bin/gihflow", type=Path)
    parser.add_argument("--kills", default=200, type=int)
    parser.add_argument("--seed", default=1, type=int)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gihflow_") as directory:
        harness = Harness(arguments.program.resolve(), directory, arguments.seed)
        many = arguments.kills >= 200  # with fewer the shares are left to chance
        counts = harness.run(arguments.kills, every_stage=many)
    for line in counts.lines():
        print(line)
    if many:
        assert counts["after_first_checkpoint"] >= 150, "too few kills after the first checkpoint"
        assert counts["during_write"] > 0, "no kill during a write"
        assert not harness.missing(), f"no kill in {harness.missing()}"


if __name__ == "__main__":
    main()
