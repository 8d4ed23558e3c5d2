"""What the peers share: the paper's setting, its data and parameters, the clock, and the comparison with gihflow.

Formula numbers are those of docs/theory.md. Conventions: masked boundary, shared head windows, no head normalisation,
readout `log`. Shapes: N chains, L positions, d tokens, H heads, M lags, S subsets.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

EPSILON = 0.01


@dataclass
class Data:
    tokens: np.ndarray  # [N, L + 1], the last column is x_{L+1}
    targets: np.ndarray  # [N, d], T of (1.4)
    vocabulary: int

    @property
    def chains(self):
        return self.tokens.shape[0]

    @property
    def length(self):
        return self.tokens.shape[1] - 1


def read_data(path):
    """A data file of `gihflow sample`."""
    import h5py

    with h5py.File(path) as file:
        tokens, vocabulary = file["tokens"][:].astype(np.int64), int(file.attrs["vocabulary_size"])
        sampled = "targets" not in file  # labels are then the last tokens
        return Data(tokens, np.eye(vocabulary)[tokens[:, -1]] if sampled else file["targets"][:], vocabulary)


def draw_data(chains, length, vocabulary=3, alpha=0.1, seed=1):
    """Chains of (1.1) and (1.2) with parents {1, 2} and conditional labels, without h5py. The first two tokens are a
    uniform draw followed by 200 steps that are thrown away, near enough to the stationary law for a timing."""
    random = np.random.default_rng(seed)
    kernels = random.dirichlet(np.full(vocabulary, alpha), (chains, vocabulary**2))
    bounds = np.cumsum(kernels, axis=-1)[..., :-1]
    rows = np.arange(chains)
    context = random.integers(vocabulary**2, size=chains)  # x_{l-1} is the more significant digit
    tokens = np.empty((chains, length + 1), np.int64)
    for position in range(-200, length + 1):
        law = context
        token = (random.random((chains, 1)) >= bounds[rows, law]).sum(axis=1)
        if position >= 0:
            tokens[:, position] = token
        context = token * vocabulary + context // vocabulary
    return Data(tokens, kernels[rows, law], vocabulary)


def subsets(heads=3, degree=2):
    """[H]_{≤D} by size, then lexicographically."""
    return [s for size in range(min(degree, heads) + 1) for s in itertools.combinations(range(heads), size)]


def initial_parameters(heads=3, window=3, degree=2, a=0.01):
    w = np.where(np.eye(heads, window, dtype=bool), 3.0, 0.01)
    return np.full(len(subsets(heads, degree)), 0.01), w, np.float64(a)


def some_parameters(heads=3, window=3, degree=2):
    """A point at which nothing is zero, one or flat."""
    random = np.random.default_rng(5)
    c, w, _ = initial_parameters(heads, window, degree)
    return c * random.uniform(0.5, 1.5, c.shape), w + random.normal(0.0, 0.3, w.shape), np.float64(2.0)


def window_counts(data, window):
    """n(Z, e) [N, d^M, d] and q [N] of §4, lag 1 the most significant digit of a window."""
    d, length = data.vocabulary, data.length
    code = np.zeros((data.chains, length + 1 - window), np.int64)  # Z_l for l = M+1 … L+1
    for lag in range(1, window + 1):
        code = code * d + data.tokens[:, window - lag : length + 1 - lag]
    counts = np.zeros((data.chains, d**window * d))
    np.add.at(counts, (np.arange(data.chains)[:, None], code[:, :-1] * d + data.tokens[:, window:length]), 1.0)
    return counts.reshape(data.chains, d**window, d), code[:, -1]


def all_windows(vocabulary, window):
    """Tokens at lags 1 … M of every window, [d^M, M]."""
    return np.array(list(itertools.product(range(vocabulary), repeat=window)))


def gihflow_evaluation(program, data_file, parameters, degree=2):
    """Loss and gradient (c, w, a) from `gihflow evaluate --json`."""
    import h5py

    c, w, a = parameters
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "parameters.h5"
        with h5py.File(path, "w") as file:
            file["c"], file["w"], file["a"] = c, w, a
            file.attrs["degree"] = degree
        command = [program, "evaluate", "--data", data_file, "--parameters", path, "--json", "--quiet"]
        out = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    gradient = out["gradient"]
    return out["loss"], (np.array(gradient["c"]), np.array(gradient["w"]), gradient["a"])


def largest_difference(ours, theirs):
    """Of the loss, and of each block of the gradient relative to the block's largest entry."""
    (loss, gradient), (other_loss, other) = ours, theirs
    differences = [abs(loss - other_loss) / abs(other_loss)]
    for x, y in zip(gradient, other):
        differences.append(float(np.max(np.abs(np.asarray(x) - y)) / np.max(np.abs(y))))
    return max(differences)


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", metavar="FILE", help="data file of `gihflow sample`; without it NumPy draws chains")
    parser.add_argument("--chains", type=int, default=9000, metavar="N")
    parser.add_argument("--length", type=int, default=100, metavar="L")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repeat", type=int, default=7, metavar="K", help="timed repetitions (default 7)")
    parser.add_argument("--gihflow", metavar="PROGRAM", help="compare loss and gradient with this program's, on --data")
    parser.add_argument("--formulation", choices=["positions", "matches", "statistics"], action="append",
                        help="how the loss is written; the default is all three, one after another")
    return parser


def data_of(args):
    return read_data(args.data) if args.data else draw_data(args.chains, args.length)


def report(name, version, device, args, evaluations):
    """Times each formulation's `gradient(c, w, a) -> (loss, (c, w, a))` and prints one JSON object a line. The
    repetitions of the formulations are interleaved, so that a busy moment hits them all."""
    parameters = some_parameters()
    expected = None
    if args.gihflow and args.data:
        expected = gihflow_evaluation(args.gihflow, args.data, parameters)
    seconds = {formulation: [] for formulation in evaluations}
    results = {formulation: gradient(*parameters) for formulation, gradient in evaluations.items()}  # and warm up
    for _ in range(args.repeat):
        for formulation, gradient in evaluations.items():
            # At least 0.2 s of work a repetition.
            calls, start = 0, time.perf_counter()
            while calls == 0 or time.perf_counter() - start < 0.2:
                gradient(*parameters)
                calls += 1
            seconds[formulation].append((time.perf_counter() - start) / calls)
    good = True
    for formulation in evaluations:
        loss, gradient = results[formulation]
        line = {"peer": name, "version": version, "formulation": formulation, "device": device, "dtype": "float64",
                "N": args.chains, "L": args.length, "median_seconds": float(np.median(seconds[formulation])),
                "minimum_seconds": min(seconds[formulation]), "loss": float(loss),
                "gradient": {block: np.asarray(x).tolist() for block, x in zip("cwa", gradient)}}
        if expected:
            line["largest_difference_from_gihflow"] = largest_difference((loss, gradient), expected)
            good &= line["largest_difference_from_gihflow"] < 1e-9
        print(json.dumps(line), flush=True)
    if not good:
        sys.exit("the peer and gihflow disagree")
