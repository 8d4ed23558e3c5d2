"""The way of the weights through the simplex of three sets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Polygon

from gihflow import findings
from gihflow.figures import drawing
from gihflow.panels import COLUMN, new_figure
from gihflow.run_file import Run

CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(3) / 2]])


def path(run: Run, sets: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """[points, 2] places in the triangle of three subsets, by their shares of what the three have together, and [points] the
    time since the start of the run, over the stages that train c. A place without weight on any of the three is left out."""
    p = np.concatenate([stage.p for stage in findings.training(run, "c")])[:, list(sets)]
    begins = np.cumsum([0.0] + [stage.t[-1] for stage in findings.training(run, "c")])
    t = np.concatenate([begin + stage.t for begin, stage in zip(begins, findings.training(run, "c"))])
    together = p.sum(axis=1)
    there = np.isfinite(together) & (together > 0)
    return p[there] / together[there, None] @ CORNERS[:len(sets)], t[there]


def draw_path(axes: Axes, run: Run, sets: Sequence[int]) -> None:
    """The triangle and the path in it, from the open circle at t = 0 to the full one, with a dot at every power of ten."""
    axes.set_aspect("equal")
    axes.axis("off")
    axes.add_patch(Polygon(CORNERS, closed=True, fill=False, edgecolor="0.4", linewidth=0.8))
    for share in (0.25, 0.5, 0.75):  # lines on which one of the three has that share
        for a, b, c in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
            ends = [share * CORNERS[a] + (1 - share) * CORNERS[other] for other in (b, c)]
            axes.plot(*np.transpose(ends), color="0.88", linewidth=0.6, zorder=1)
    for corner, subset, (side, height) in zip(CORNERS, sets, (("right", -0.07), ("left", -0.07), ("center", 0.05))):
        axes.text(corner[0], corner[1] + height, findings.set_name(run.subsets[subset]), ha=side, va="center", fontsize=9,
                  fontweight="bold" if subset == sets[0] else "normal")
    places, t = path(run, sets)
    if len(places) == 0:
        return
    axes.add_collection(LineCollection(np.stack([places[:-1], places[1:]], axis=1), colors="#D55E00", linewidths=2.0, zorder=3))
    positive = t[t > 0]
    if len(positive) > 1:
        last = None
        for power in range(int(np.ceil(np.log10(positive[0]))), int(np.floor(np.log10(t[-1]))) + 1):
            place = np.array([np.interp(10.0**power, t, places[:, k]) for k in (0, 1)])
            if last is not None and np.hypot(*(place - last)) < 0.05:  # it has come to rest: no heap of dots
                continue
            last = place
            axes.plot(*place, "o", color="black", markersize=3, zorder=5)
            axes.annotate(f"t = {findings.number(10.0**power)}", place, xytext=(6, 5), textcoords="offset points", fontsize=7.5,
                          color="0.25", zorder=4, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8})
    axes.plot(*places[0], "o", markersize=5, markerfacecolor="white", markeredgecolor="black", zorder=6, clip_on=False)
    axes.plot(*places[-1], "o", markersize=5.5, color="#D55E00", markeredgecolor="black", zorder=6, clip_on=False)
    axes.set_xlim(-0.12, 1.12)
    axes.set_ylim(-0.14, 0.98)


@drawing(findings.simplex)
def simplex(run: Run, sets: Sequence[int] | None = None, *, column: bool = True) -> Figure:
    """The three heaviest sets as corners, or the three subsets of these numbers, and the way of p between them: always one
    column wide."""
    figure = new_figure(COLUMN, 3.1)
    draw_path(figure.subplots(), run, findings.heaviest(run, 3) if sets is None else sets)
    return figure
