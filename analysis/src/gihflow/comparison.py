"""Comparison files of gihflow compare as arrays, and the figure that lays gradient descent over the flow.

    python3 -m gihflow.comparison compare.h5 -o overlay.png
    python3 -m gihflow.comparison compare.h5 --figure sharpness -o sharpness.png
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gihflow.panels import COLUMN, LINES, STYLE, WIDTH, add_caption
from gihflow.findings import listing, number
from gihflow.run_file import RunFileError


@dataclass(frozen=True)
class ComparedStage:
    """One stage. Arrays with a first axis of learning rates are NaN where a run had ended before."""

    trained: str
    duration: float
    order: float | None  # observed, against the flow
    modified_order: float | None
    t: np.ndarray  # [times]
    sharpness: np.ndarray  # largest eigenvalue of the Hessian along the flow [times]
    numbers: dict[str, np.ndarray]  # every dataset of the stage, by name


@dataclass(frozen=True)
class Comparison:
    learning_rates: np.ndarray
    stages: list[ComparedStage]


def read_comparison(path: str | os.PathLike) -> Comparison:
    """Reads a file that gihflow compare wrote. Raises RunFileError for any other."""
    try:
        with h5py.File(path) as file:
            if "learning_rate" not in file:
                raise RunFileError(f"{path}: is not a comparison file; must be one that gihflow compare wrote.")
            stages = []
            while (name := f"stage_{len(stages) + 1}") in file:
                group = file[name]
                order = [group.attrs.get(key) for key in ("order", "modified_order")]
                numbers = {key: data[()] for key, data in group.items()}
                stages.append(ComparedStage(group.attrs["trained"], float(group.attrs["duration"]), *order,
                                            numbers["t"], numbers["sharpness"], numbers))
            return Comparison(file["learning_rate"][()], stages)
    except OSError as error:
        raise RunFileError(f"{path}: cannot be read as HDF5 ({error}).") from error


def overlay(comparison: Comparison, *, column: bool = False) -> Figure:
    """Loss, C_D, distance from the flow (thin: from the modified flow) and the largest eigenvalue of the Hessian
    along the flow against 2/learning rate; one column a stage, the flow in black. As wide as the text of a page, or as one of
    its two columns."""
    with rc_context(STYLE):
        count = len(comparison.stages)
        width = COLUMN if column else max(WIDTH, 2.6 * count) if count > 1 else 4.6
        figure = Figure(figsize=(width, 8.0), layout="constrained")
        panels = figure.subplots(4, count, squeeze=False, sharex="col", sharey="row" if column else False)
        lines = [LINES[1 + k % (len(LINES) - 1)] for k in range(len(comparison.learning_rates))]
        for place, stage in enumerate(comparison.stages):
            loss, normalizer, distance, sharpness = panels[:, place]
            t = stage.t.copy()
            t[0] = t[1] / max(t[-1] / t[1], 1.5) ** 0.1  # t = 0, a little to the left
            loss.set_title(f"{stage.trained} trained")
            loss.plot(t, stage.numbers["flow_loss"], color="k")
            normalizer.plot(t, np.exp(stage.numbers["flow_log_normalizer"]), color="k")
            sharpness.plot(t, stage.sharpness, color="k")
            for k, (rate, (color, dashes)) in enumerate(zip(comparison.learning_rates, lines, strict=True)):
                line = {"color": color, "linestyle": dashes}
                loss.plot(t, stage.numbers["descent_loss"][k], **line)
                normalizer.plot(t, np.exp(stage.numbers["descent_log_normalizer"][k]), **line)
                for name, width in (("distance_all", 1.6), ("modified_distance_all", 0.8)):
                    values = stage.numbers[name][k]
                    distance.plot(t, np.where(values > 0, values, np.nan), linewidth=width, **line)
                sharpness.axhline(2 / rate, linewidth=0.9, **line)
            for axes in panels[:, place]:
                axes.set_xscale("log")
            for axes in (normalizer, distance, sharpness):
                axes.set_yscale("log")
            sharpness.set_xlabel("flow time $t$" if column and count > 1 else "flow time $t$ (first point: 0)")
        for axes, label in zip(panels[:, 0], ("loss (nats)", "$C_D$",
                                              "distance from the flow\n(thin: from the modified flow)",
                                              r"$\lambda_{\max}$ on the flow; $2/\eta$"), strict=True):
            axes.set_ylabel(label)
        keys = [Line2D([], [], color="k", label="flow")]
        keys += [Line2D([], [], color=color, linestyle=dashes, label=rf"descent, $\eta$ = {rate:g}")
                 for rate, (color, dashes) in zip(comparison.learning_rates, lines, strict=True)]
        if column:
            figure.legend(handles=keys, loc="upper center", ncols=2, borderaxespad=0.2)
            figure.get_layout_engine().set(rect=(0, 0, 1, 1 - 0.02 - 0.02 * -(-len(keys) // 2)))
        else:
            panels[0, -1].legend(handles=keys)
        return figure


def leaving_time(stage: ComparedStage, rate: float) -> float | None:
    """First flow time at which the sharpness exceeds 2/rate (3.7), log-linear between output times; None: never."""
    limit = 2 / rate
    above = np.flatnonzero(stage.sharpness > limit)
    if len(above) == 0:
        return None
    k = above[0]
    if k == 0:
        return 0.0
    before, after = np.log(stage.sharpness[k - 1:k + 1])
    return float(stage.t[k - 1] + (np.log(limit) - before) / (after - before) * (stage.t[k] - stage.t[k - 1]))


def sharpness_finding(comparison: Comparison) -> str:
    """Which learning rates stay stable along the flow, and when the others cease to be."""
    parts = []
    for rate in comparison.learning_rates:
        begin, left = 0.0, None
        for stage in comparison.stages:
            time = leaving_time(stage, rate)
            if time is not None:
                left = begin + time
                break
            begin += stage.duration
        words = "throughout" if left is None else "nowhere" if left == 0 else f"until t = {number(left)}"
        parts.append(f"η = {rate:g} {words}")
    return f"Gradient descent is stable along the flow, below λ = 2/η, with {listing(parts)}."


def sharpness(comparison: Comparison, *, column: bool = False) -> Figure:
    """The largest eigenvalue of the Hessian along the flow, and the limit 2/η of each learning rate (3.7): descent is stable
    where the curve is below its line. Stages side by side; in one column of a page one below the other."""
    with rc_context(STYLE):
        count = len(comparison.stages)
        size = (COLUMN, 0.4 + 1.9 * count) if column else (max(COLUMN, 2.2 * count), 2.6)
        figure = Figure(figsize=size, layout="constrained")
        panels = figure.subplots(*((count, 1) if column else (1, count)), squeeze=False, sharey=True).ravel()
        for axes, stage in zip(panels, comparison.stages, strict=True):
            t = stage.t.copy()
            t[0] = t[1] / max(t[-1] / t[1], 1.5) ** 0.1  # t = 0, a little to the left
            axes.plot(t, stage.sharpness, color="k", zorder=5)
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_title(f"{stage.trained} trained")
            axes.set_xlabel("flow time $t$ (first point: 0)")
            for k, rate in enumerate(comparison.learning_rates):
                color, dashes = LINES[1 + k % (len(LINES) - 1)]
                axes.axhline(2 / rate, color=color, linestyle=dashes, linewidth=1.1)
                over = stage.sharpness > 2 / rate
                axes.plot(t[over], stage.sharpness[over], "o", color=color, markersize=3.5 - 0.25 * k, zorder=6 + k)
                if column or axes is panels[-1]:
                    axes.annotate(rf"$\eta$ = {rate:g}", (1, 2 / rate), xycoords=("axes fraction", "data"), xytext=(3, 0),
                                  textcoords="offset points", va="center", fontsize=8, color=color)
        for axes in panels if column else panels[:1]:
            axes.set_ylabel(r"$\lambda_{\max}$; $2/\eta$" if column else r"$\lambda_{\max}$ of the Hessian; $2/\eta$")
        return add_caption(figure, sharpness_finding(comparison))


FIGURES = {"overlay": overlay, "sharpness": sharpness}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m gihflow.comparison", allow_abbrev=False,
                                     description="Draws a comparison file of gihflow compare.")
    parser.add_argument("comparison", metavar="COMPARE.h5", help="file that gihflow compare wrote")
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, default=Path("overlay.png"),
                        help="figure to write: png, pdf or svg (default: overlay.png)")
    parser.add_argument("--figure", choices=FIGURES, default="overlay",
                        help="overlay: all of it; sharpness: the eigenvalue beside 2/learning rate (default: overlay)")
    parser.add_argument("--column", action="store_true", help="as wide as one of two columns of a page")
    given = parser.parse_args(arguments)
    try:
        figure = FIGURES[given.figure](read_comparison(given.comparison), column=given.column)
    except RunFileError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        with rc_context(STYLE):
            figure.savefig(given.output, dpi=130)
    except (OSError, ValueError) as error:
        print(f"{given.output}: cannot be written ({error}).", file=sys.stderr)
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main())
