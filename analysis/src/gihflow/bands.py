"""Trajectories over seeds: the median, and the bands that hold half and nine tenths of the runs."""

from __future__ import annotations

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from gihflow import findings
from gihflow.ensemble import Ensemble, EnsembleStage
from gihflow.panels import COLUMN, LINES, STYLE, WIDTH, Row, add_caption, column_height, curve, key, new_figure, not_trained, origin, \
    table, title

MOST_SETS = 4  # with bands of their own
BANDS = ((0.05, 0.95, 0.18), (0.25, 0.75, 0.32))  # levels and opacity
LEAST_SHARE = 0.02  # of a weight at its largest, to be drawn


def _level(ensemble: Ensemble, level: float) -> int:
    return int(np.argmin(np.abs(ensemble.levels - level)))


def _band(axes: Axes, ensemble: Ensemble, stage: EnsembleStage, quantiles: np.ndarray, color: str, dashes, order: int) -> None:
    """A median with its bands; `quantiles` is [levels, times]."""
    t = np.concatenate([[origin(stage)], stage.t[1:]])
    for low, high, opacity in BANDS:
        axes.fill_between(t, quantiles[_level(ensemble, low)], quantiles[_level(ensemble, high)], color=color, alpha=opacity,
                          linewidth=0, zorder=order)
    curve(axes, stage, quantiles[_level(ensemble, 0.5)], color, dashes, width=1.4, order=order + 1)


def leading_sets(ensemble: Ensemble) -> list[int]:
    """Indices of the sets whose mean weight is largest on average over the output times, the heaviest first: at most
    MOST_SETS, without those that never have a share."""
    weights = np.concatenate([stage.mean["p"] for stage in ensemble.stages])
    order = np.argsort(-weights.mean(axis=0), kind="stable")
    return [int(s) for s in order if weights[:, s].max() >= LEAST_SHARE][:MOST_SETS]


def caption(ensemble: Ensemble) -> str:
    """What the bands say at the end of the last stage, in one sentence."""
    stage = ensemble.stages[-1]
    runs = int(stage.replicas[-1])
    top = leading_sets(ensemble)[0]

    def interval(values: np.ndarray) -> str:
        low, high = (values[_level(ensemble, level)] for level in (0.05, 0.95))
        return f"{findings.number(low)} to {findings.number(high)}"

    loss, error = stage.mean["loss"][-1], stage.standard_error("loss")[-1]
    setting = ", ".join(f"{name} {value}" for name, value in ensemble.options.items())
    return (f"{runs} seeds{' of ' + setting if setting else ''}: at the end nine tenths of them have a loss of "
            f"{interval(stage.quantiles['loss'][:, -1])} nats, a of {interval(stage.quantiles['a'][:, -1])} and "
            f"p of {findings.set_name(ensemble.subsets[top])} of {interval(stage.quantiles['p'][:, -1, top])}; "
            f"the mean loss is {loss:.5f}, with a Monte Carlo error of {error:.1g}.")


def bands(ensemble: Ensemble, *, column: bool = False) -> Figure:
    """Weights, scale and loss over flow time: a column a stage, a row a quantity. Medians are lines; dark bands hold the
    middle half of the seeds, light ones nine tenths. As wide as the text of a page, or as one of its two columns."""
    stages = [stage for stage in ensemble.stages if len(stage.t) > 1]
    sets = leading_sets(ensemble)
    validated = all("validation_loss" in stage.mean for stage in stages)
    losses = [("loss", LINES[2][0], "-", "training")]
    if validated:
        losses.append(("validation_loss", LINES[1][0], (0, (5, 1.5)), "validation"))

    def weights(axes: Axes, stage: EnsembleStage) -> None:
        for rank, subset in enumerate(sets):
            _band(axes, ensemble, stage, stage.quantiles["p"][:, :, subset], *LINES[rank], 10 - 2 * rank)
        axes.set_ylim(-0.02, 1.02)

    def scale(axes: Axes, stage: EnsembleStage) -> None:
        _band(axes, ensemble, stage, stage.quantiles["a"], *LINES[0], 4)

    def loss(axes: Axes, stage: EnsembleStage) -> None:
        for place, (name, color, dashes, _) in enumerate(losses):
            _band(axes, ensemble, stage, stage.quantiles[name], color, dashes, 4 + 2 * place)

    shades = [Patch(facecolor="black", alpha=opacity, linewidth=0, label=label)
              for (_, _, opacity), label in zip(BANDS, ("nine tenths of the seeds", "half of them"))]
    fixed = [not_trained()] if any("a" not in stage.trained for stage in stages) else []
    rows = [
        Row("weight $p_S$", "c", weights,
            [key(*LINES[rank], findings.set_name(ensemble.subsets[subset])) for rank, subset in enumerate(sets)], "heads in $S$"),
        Row("scale $a$", "a", scale, [key(*LINES[0], "median"), *shades, *fixed]),
        Row("loss (nats)", None, loss, [key(color, dashes, label) for _, color, dashes, label in losses]),
    ]
    with rc_context(STYLE):
        figure = new_figure(*((COLUMN, column_height(rows, 1.0)) if column else (max(WIDTH, 1.8 + 1.9 * len(stages)), 5.2)))
        table(figure, stages, [title(stage, len(ensemble.stages), column and len(stages) > 1) for stage in stages], rows, column=column)
        return add_caption(figure, caption(ensemble))
