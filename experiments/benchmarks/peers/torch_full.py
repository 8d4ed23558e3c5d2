"""One loss and gradient of the full model in PyTorch, float64, with autograd, beside gihflow's; see README.md.

Theory's definitions (2.5)–(2.8) as a user writes them, vectorised over chains and positions: token scores, own position,
value matrices, layer norm, rectified products of width 0.1, shifted partial windows, readout `softmax`.

    gihflow sample --preset full -o full.h5
    torch_full.py --data full.h5 --gihflow build/bin/gihflow --benchmark build/experiments/benchmarks/benchmark_gradient
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import setting

try:
    import torch
except ImportError:
    print("torch_full: skipped, PyTorch is not installed", file=sys.stderr)
    sys.exit(0)

from torch_peer import feature_kernel  # noqa: E402  (needs PyTorch too)

HEADS, WINDOW, WIDTH = 3, 3, 0.1
BLOCKS = ("c", "w", "a", "query", "key", "value", "gain", "bias")


def some_parameters(d):
    """A point at which nothing is zero, one or flat."""
    random = np.random.default_rng(5)
    c, w, _ = setting.some_parameters(HEADS, WINDOW)
    matrices = [scale * np.eye(d) + random.normal(0.0, 0.3, (HEADS, d, d)) for scale in (0.5, 0.5, 1.0)]
    return (c, w, np.float64(0.7), *matrices, random.uniform(0.8, 1.2, d), random.normal(0.0, 0.1, d))


def loss_of(data):
    d, length = data.vocabulary, data.length
    context = torch.from_numpy(data.tokens[:, :length])
    nothing = torch.full((data.chains, 1), d)
    own = torch.cat([context, nothing], dim=1)  # [N, L + 1], that of the query is not known
    targets = torch.from_numpy(data.targets)
    onehot = torch.eye(d, dtype=torch.float64)[context]  # [N, L, d]
    seen = []  # of each head, tokens at its lags and at the position itself [N, L + 1, M + 1]; d: none
    for h in range(HEADS):
        lagged = [torch.cat([nothing.expand(-1, h + i), own[:, : length + 1 - h - i]], dim=1) for i in range(1, WINDOW + 1)]
        seen.append(torch.stack([*lagged, own], dim=2))
    exists = [torch.cat([tokens[..., :WINDOW] < d, torch.ones_like(tokens[..., WINDOW:], dtype=torch.bool)], dim=2)
              for tokens in seen]
    row = torch.zeros(1, d, dtype=torch.float64)

    def features(h, w, scores, value, gain, bias):
        """u of head h at all positions, [N, L + 1, d]."""
        logits = torch.cat([w[h], torch.full((1,), 1e-6, dtype=torch.float64)])
        logits = logits + torch.nn.functional.pad(scores[h], (0, 1, 0, 1))[own[..., None], seen[h]]
        sigma = torch.softmax(logits.masked_fill(~exists[h], -torch.inf), dim=2)
        v = torch.einsum("nli,nlie->nle", sigma, torch.cat([value[h], row])[seen[h]])
        return torch.nn.functional.layer_norm(v, (d,), gain, bias, eps=1e-5)

    def loss(c, w, a, query, key, value, gain, bias):
        p = c**2 / (c**2).sum()
        scores = query @ key.transpose(1, 2)
        t = []
        for h in range(HEADS):
            u = features(h, w, scores, value, gain, bias)
            z = torch.einsum("nle,ne->nl", u[:, :length], u[:, length])
            t.append((z + torch.sqrt(z**2 + WIDTH**2)) / 2)
        y = torch.einsum("nl,nle->ne", torch.softmax(a * feature_kernel(p, t), dim=1), onehot)
        return -(targets * torch.log_softmax(y, dim=1)).sum(dim=1).mean()

    return loss


def gradient_of(loss):
    def gradient(parameters):
        leaves = [torch.tensor(np.asarray(x), requires_grad=True) for x in parameters]
        value = loss(*leaves)
        return value.item(), [x.numpy() for x in torch.autograd.grad(value, leaves)]

    return gradient


def of_gihflow(program, data_file, parameters):
    """Loss and gradient from `gihflow evaluate --json`."""
    import h5py

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "parameters.h5"
        with h5py.File(path, "w") as file:
            for name, x in zip(BLOCKS, parameters):
                file[name] = x
            file.attrs["degree"] = 2
        command = [program, "evaluate", "--preset", "full", "--rectify-width", str(WIDTH), "--data", data_file,
                   "--parameters", path, "--json", "--quiet"]
        out = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return out["loss"], [np.array(out["gradient"][name]) for name in BLOCKS]


def seconds_of_gihflow(benchmark, threads):
    command = [benchmark, f"--benchmark_filter=full_model/N=9000/threads={threads}/", "--benchmark_format=json",
               "--benchmark_min_time=0.2"]
    runs = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["benchmarks"]
    return runs[0]["real_time"] * 1e-6


def main():
    parser = argparse.ArgumentParser(description="Loss and gradient of the full model in PyTorch")
    parser.add_argument("--data", metavar="FILE", help="data file of `gihflow sample`; without it NumPy draws chains")
    parser.add_argument("--chains", type=int, default=9000, metavar="N")
    parser.add_argument("--length", type=int, default=100, metavar="L")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repeat", type=int, default=5, metavar="K", help="timed repetitions (default 5)")
    parser.add_argument("--gihflow", metavar="PROGRAM", help="compare loss and gradient with this program's, on --data")
    parser.add_argument("--benchmark", metavar="PROGRAM", help="benchmark_gradient, timed in turns with the peer")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    data = setting.data_of(args)
    parameters = some_parameters(data.vocabulary)
    gradient = gradient_of(loss_of(data))
    found = gradient(parameters)  # and warm up
    theirs, ours = [], []
    for _ in range(args.repeat):
        start = time.perf_counter()
        gradient(parameters)
        theirs.append(time.perf_counter() - start)
        if args.benchmark:
            ours.append(seconds_of_gihflow(args.benchmark, args.threads))
    line = {"peer": "torch", "version": torch.__version__, "formulation": "full model", "dtype": "float64",
            "threads": args.threads, "N": data.chains, "L": data.length, "median_seconds": statistics.median(theirs),
            "minimum_seconds": min(theirs), "loss": found[0]}
    if ours:
        line["gihflow_median_seconds"] = statistics.median(ours)
        line["ratio_of_medians"] = statistics.median(theirs) / statistics.median(ours)
    if args.gihflow and args.data:
        line["largest_difference_from_gihflow"] = setting.largest_difference(
            found, of_gihflow(args.gihflow, args.data, parameters))
    print(json.dumps(line))
    if line.get("largest_difference_from_gihflow", 0.0) > 1e-9:
        sys.exit("the peer and gihflow disagree")


if __name__ == "__main__":
    main()
