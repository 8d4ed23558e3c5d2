#!/usr/bin/env python3
"""What a call from Python adds to a gradient: binding.py [--turns K] [--calls C] PROGRAM, where PROGRAM is
build/experiments/benchmarks/benchmark_gradient. Both are timed in turns in one run, on one thread, so that what else the
machine does meets both alike; the best mean of C calls of each counts."""

import argparse
import json
import subprocess
import time

import numpy as np

import gihflow


MEANS = 30  # in a turn: short ones, of which some find the machine quiet


def best_of_program(program: str, calls: int) -> float:
    """Microseconds of a loss and gradient in C++, the best of thirty means of as many calls."""
    said = subprocess.run(
        [program, "--benchmark_filter=^dense/loss_and_gradient/N=9000/threads=1/real_time$", f"--benchmark_repetitions={MEANS}",
         f"--benchmark_min_time={calls * 150e-6}", "--benchmark_format=json"], capture_output=True, text=True, check=True).stdout
    return min(row["real_time"] for row in json.loads(said)["benchmarks"] if row["run_type"] == "iteration")


def best_of_calls(call, calls: int) -> float:
    """The same of a Python call."""
    means = []
    for _ in range(MEANS):
        begun = time.perf_counter()
        for _ in range(calls):
            call()
        means.append((time.perf_counter() - begun) / calls * 1e6)
    return min(means)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--calls", type=int, default=20)
    asked = parser.parse_args()
    objective = gihflow.Objective(chains=9000, threads=1)
    x = objective.pack(a=2.0)  # where benchmark_gradient is
    out = np.empty(objective.size)
    rows = {
        "C++": lambda: best_of_program(asked.program, asked.calls),
        "value_and_gradient(x, out=g)": lambda: best_of_calls(lambda: objective.value_and_gradient(x, out=out), asked.calls),
        "value_and_gradient(x)": lambda: best_of_calls(lambda: objective.value_and_gradient(x), asked.calls),
    }
    times = {name: [] for name in rows}
    for _ in range(asked.turns):
        for name, timed in rows.items():
            times[name].append(timed())
    base = min(times["C++"])
    print(f"{'loss and gradient, 9,000 chains':34}{'best µs':>9}{'median µs':>11}{'more µs':>9}{'ratio':>8}")
    for name, found in times.items():
        print(f"{name:34}{min(found):9.1f}{np.median(found):11.1f}{min(found) - base:9.1f}{min(found) / base:8.3f}")


if __name__ == "__main__":
    main()
