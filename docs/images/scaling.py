"""Draws scaling.svg of docs/scaling.md: what the model says of a gradient's time, and what was measured.

    python3 docs/images/scaling.py
"""

from pathlib import Path

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot as plt

CHAINS_OF_PART = 65_536
NEAR, FAR = 0.50e-3, 0.56e-3  # seconds of a part on one core: while its statistics stay in cache, and from memory
CACHE = 4  # parts of a core that stay there
NODE = 390  # bytes of a sum in an answer
BANDWIDTH = 0.5e9  # bytes a second into the first process
MESSAGE = 2e-6  # seconds, a request and an answer of one process, over a network

MEASURED = (  # chains, processes, seconds
    (65_536, 1, 0.530e-3), (131_072, 1, 1.025e-3), (131_072, 2, 0.521e-3), (262_144, 1, 1.926e-3),
    (262_144, 2, 0.956e-3), (1_048_576, 1, 9.226e-3), (1_048_576, 2, 4.266e-3),
)


def nodes(first, end, parts):
    """Sums that stand for the parts [first, end): whole subtrees of the tree over all parts."""
    count = 0
    while first < end:
        step = 1
        while first % (2 * step) == 0 and min(first + 2 * step, parts) <= end and first + step < parts:
            step *= 2
        first += step
        count += 1
    return count


def answers(parts, processes):
    """Sums that the first process receives."""
    begin = [-(-parts * rank // processes) for rank in range(processes + 1)]
    return sum(nodes(begin[rank], begin[rank + 1], parts) for rank in range(1, processes))


def seconds(chains, processes):
    """Time of a gradient on so many processes of one core."""
    parts = -(-chains // CHAINS_OF_PART)
    own = -(-parts // processes)
    work = own * (NEAR if own <= CACHE else FAR)
    others = answers(parts, processes) * NODE / BANDWIDTH + (processes - 1) * MESSAGE
    return work + others


def draw(path):
    matplotlib.rcParams["svg.hashsalt"] = "scaling"
    figure, axes = plt.subplots(figsize=[5.5, 3.6], layout="constrained")
    processes = [2**k for k in range(11)]
    for number, chains in enumerate((10**6, 10**7, 10**8, 10**9)):
        axes.loglog(processes, [seconds(chains, count) for count in processes], color=f"C{number}",
                    label=f"$10^{len(str(chains)) - 1}$ chains")
    axes.loglog([count for _, count, _ in MEASURED], [time for _, _, time in MEASURED], "k.", label="measured")
    axes.set(xlabel="processes of one core", ylabel="seconds of a gradient")
    axes.legend()
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    for chains, count, time in MEASURED:
        print(f"{chains} chains, {count} processes: {1e3 * time:.2f} ms, model {1e3 * seconds(chains, count):.2f}")
    for chains in (10**6, 10**7, 10**8, 10**9):
        print(chains, f"{answers(-(-chains // CHAINS_OF_PART), 1000)} sums from 1000,", *(f"{count}: {1e3 * seconds(chains, count):.1f} ms" for count in (1, 32, 1000)))
    draw(Path(__file__).with_suffix(".svg"))
