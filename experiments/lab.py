"""What the experiments share: runs of the program, several at once, and figures in the style of gihflow.panels.

An experiment is a function of a Lab, and its file ends with main(function, __doc__). All of them take

    run [GIHFLOW]      the program to run, `gihflow` on PATH if none is named
    --small            a tenth of a minute, to see that all parts work: its numbers mean nothing
    --output DIR       where figures go, the folder of the experiment if none is named
    --work DIR         keeps what the program wrote there, and reads it again instead of computing it a second time
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "analysis" / "src"))

from gihflow import findings, panels, run_file  # noqa: E402  (found by the line above)
from matplotlib import rc_context  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

LINES, WIDTH = panels.LINES, panels.WIDTH


class Lab:
    def __init__(self, program, small, output, work):
        self.program, self.small, self.output, self.work = program, small, output, work
        self.locks, self.lock = {}, Lock()

    def size(self, full, small):
        """The one or the other number, list or text, as the experiment is run."""
        return small if self.small else full

    def _made(self, words, suffix, make):
        """The file that these words make; of threads that ask for it at once the first makes it, the others wait."""
        path = self.work / (hashlib.sha256(" ".join(words).encode()).hexdigest()[:20] + suffix)
        with self.lock:
            lock = self.locks.setdefault(path, Lock())
        with lock:
            if not path.exists():
                part = path.with_suffix(".new" + suffix)
                make(part)
                part.rename(path)
        return path

    def _call(self, *words):
        done = subprocess.run([self.program, *words, "--threads", "1", "--quiet"], capture_output=True, text=True)
        if done.returncode not in (0, 1):
            raise RuntimeError(f"{' '.join(map(str, words))}\n{done.stderr}")
        return done.stdout

    def train_file(self, options, command="train"):
        """Path of the file that `train` (or another command) writes with these options, a text or words."""
        words = [command, *(options.split() if isinstance(options, str) else map(str, options))]
        return self._made(words, ".h5", lambda path: self._call(*words, "--force", "-o", path))

    def train(self, options):
        """The run (gihflow.run_file.Run) that `train` makes with these options."""
        return run_file.read(self.train_file(options))

    def json(self, *words):
        """What a command prints with --json."""
        words = [str(word) for part in words for word in (part.split() if isinstance(part, str) else [part])]
        path = self._made(words, ".json", lambda path: path.write_text(self._call(*words, "--json")))
        return json.loads(path.read_text())

    def map(self, function, items):
        """[function(item) …], as many at once as there are processors."""
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            return list(pool.map(function, items))

    def save(self, figure, name, finding):
        """Writes a figure, with its finding below it, as PNG."""
        with rc_context(panels.STYLE):
            panels.add_caption(figure, finding).savefig(self.output / name, dpi=150)
        print(f"\n{name}: {finding}", file=sys.stderr)


def lags(text):
    """{1,2} is (1, 2), {} and "none" are ()."""
    return tuple(int(lag) for lag in text.strip("{}").split(",") if lag not in ("", "none"))


def subset_name(heads):
    """(1, 2) is {1,2}."""
    return "{" + ",".join(map(str, heads)) + "}"


def power_of_two(n):
    """256 is 2⁸."""
    return f"2{findings.superscript(int(np.log2(n)))}"


def share(run, heads, p):
    """p of one set of heads, along the first axes of p [..., subsets]; 0 where the model has no such set."""
    return p[..., run.subsets.index(heads)] if heads in run.subsets else np.zeros(p.shape[:-1])


def own_attention(run, stage):
    """[times, H] the attention of each head on its own lag."""
    return stage.attention[:, np.arange(stage.attention.shape[1]), run.own_component]


def spread(values):
    """ "0.1234 ± 0.0012": mean and standard deviation over seeds, the latter with two digits."""
    values = np.asarray(values, dtype=float)
    mean, deviation = values.mean(), values.std(ddof=1) if len(values) > 1 else 0.0
    digits = 4 if deviation == 0 else min(6, max(0, 1 - int(np.floor(np.log10(deviation)))))
    return f"{mean:.{digits}f} ± {deviation:.{digits}f}"


def band(axes, x, values, color, dashes="-", **keywords):
    """Mean over the first axis of values [seeds, x] as a line, one standard deviation to both sides as a band."""
    mean, deviation = np.mean(values, axis=0), np.std(values, axis=0, ddof=1) if len(values) > 1 else 0.0
    axes.fill_between(x, mean - deviation, mean + deviation, color=color, alpha=0.25, linewidth=0)
    return axes.plot(x, mean, color=color, linestyle=dashes, **keywords)[0]


def figure(height, width=WIDTH):
    """An empty figure of the width of a page, in inches."""
    with rc_context(panels.STYLE):
        return Figure(figsize=(width, height), layout="constrained")


def main(experiment, description):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", default="gihflow")
    parser.add_argument("--small", action="store_true", help="a tenth of a minute; its numbers mean nothing")
    parser.add_argument("--output", type=Path, default=Path(sys.argv[0]).resolve().parent)
    parser.add_argument("--work", type=Path, help="keep what the program wrote, and read it again")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, rc_context(panels.STYLE):
        work = given.work or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        experiment(Lab(given.program, given.small, given.output, work))
