"""python3 -m gihflow.verification VERIFY.h5 -o DIR: one figure per phase of what gihflow verify measured.

Each shows points of a trajectory of the flow on the predicted curve; docs/schema.md describes the file.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gihflow.panels import COLUMN, STYLE, WIDTH, add_caption, line_style
from gihflow.run_file import RunFileError, plain

GOOD, BAD_INPUT, WRITE_ERROR = 0, 2, 4


@dataclass(frozen=True)
class Curve:
    """Points of a trajectory on a predicted curve, all arrays of one length."""

    phase: str
    name: str  # of the quantity, "log_odds_slope"
    subject: dict[str, str]  # what it is of: set, other, head
    setting: str  # what was integrated, "parents {1,2}"
    x: np.ndarray
    measured: np.ndarray
    predicted: np.ndarray


@dataclass(frozen=True)
class Verification:
    path: str
    passed: bool
    rows: list[dict[str, Any]]  # attributes of each comparison, in the order of the table
    curves: list[Curve]
    departures: list[dict[str, Any]]


def _attributes(group: h5py.Group) -> dict[str, Any]:
    return {key: plain(value) for key, value in group.attrs.items()}


def _numbered(group: h5py.Group) -> list[h5py.Group]:
    return [group[name] for name in sorted(group, key=lambda name: int(name.rpartition("_")[2]))]


def _curve(group: h5py.Group) -> Curve:
    known = _attributes(group)
    subject = {key: known[key] for key in ("set", "other", "head", "lag") if key in known}
    return Curve(known["phase"], known["name"], subject, known["setting"], group["x"][:], group["measured"][:],
                 group["predicted"][:])


def read(path: str | os.PathLike) -> Verification:
    """Reads a file of gihflow verify. Raises RunFileError if it is missing, damaged or something else."""
    path = os.fspath(path)
    if not os.path.isfile(path):
        raise RunFileError(f"{path}: no such file; must be a file that gihflow verify wrote.")
    try:
        with h5py.File(path, "r") as file:
            return Verification(
                path=path,
                passed=bool(file.attrs["passed"]),
                rows=[_attributes(group) for group in _numbered(file["comparisons"])],
                curves=[_curve(group) for group in _numbered(file["curves"])],
                departures=[_attributes(group) for group in _numbered(file["departures"])])
    except (OSError, RuntimeError, KeyError, ValueError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).strip("'\"").split()) or type(error).__name__
        raise RunFileError(f"{path}: is not a file that gihflow verify wrote ({reason}).") from error


def _panels(verification: Verification, name: str) -> dict[str, list[Curve]]:
    """Curves of one quantity by their setting."""
    panels: dict[str, list[Curve]] = {}
    for curve in verification.curves:
        if curve.name == name:
            panels.setdefault(curve.setting, []).append(curve)
    return panels


def _pair(axes: Axes, k: int, x_measured: np.ndarray, y_measured: np.ndarray, x_predicted: np.ndarray,
          y_predicted: np.ndarray, label: str, points: int = 16) -> None:
    """The predicted curve as a line, and about `points` of the measured points as circles on it."""
    color, dashes = line_style(k)
    axes.plot(x_predicted, y_predicted, color=color, linestyle=dashes, label=label)
    if axes.get_xscale() == "log":
        chosen = np.unique(np.linspace(0, len(x_measured) - 1, points).round().astype(int))
    else:  # output times are spaced evenly in log t
        chosen = np.unique(np.searchsorted(x_measured, np.linspace(x_measured[0], x_measured[-1], points)))
    axes.plot(x_measured[chosen], y_measured[chosen], "o", color=color, markersize=4,
              markerfacecolor="white", markeredgewidth=1.0)


def _worst(rows: list[dict[str, Any]], phase: str) -> str:
    """What the rows of a phase say, in one sentence."""
    rows = [row for row in rows if row["phase"] == phase]
    passed = sum(bool(row["passed"]) for row in rows)
    numbers = [row for row in rows if np.isfinite(row["predicted"]) and row["predicted"] != 0]
    sentence = f"{passed} of {len(rows)} comparisons pass."
    if numbers:
        worst = max(numbers, key=lambda row: row["difference"] / row["tolerance"])
        sentence += (f" Nearest to its tolerance of {100 * worst['tolerance']:.3g}\N{NO-BREAK SPACE}%: {worst['quantity']}, "
                     f"off by {100 * worst['difference']:.2g}\N{NO-BREAK SPACE}%.")
    return sentence


def _figure(count: int, column: bool) -> tuple[Figure, list[Axes]]:
    """So many panels side by side over the width of a page's text, or one below the other in one of its two columns."""
    figure = Figure(figsize=(COLUMN, 2.6 * count) if column else (WIDTH, 3.0), layout="constrained")
    return figure, list(np.atleast_1d(figure.subplots(count, 1) if column else figure.subplots(1, count)))


def _marks(axes: Axes, handles: list[Line2D], **options) -> None:
    circle = Line2D([], [], linestyle="", marker="o", markersize=4, markerfacecolor="white", color="black",
                    label="measured")
    axes.legend(handles=[*handles, circle], **options)


def selection(verification: Verification, column: bool = False) -> Figure:
    """Stage I: log odds of every set against the one that takes over, on the straight lines of (7.1)."""
    panels = _panels(verification, "log_odds_slope")
    figure, axes = _figure(len(panels), column)
    for place, (setting, curves) in zip(axes, panels.items()):
        for k, curve in enumerate(curves):
            _pair(place, k, curve.x, curve.measured, curve.x, curve.predicted, curve.subject["set"], 9)
        place.set_title(setting + (", infinite context" if "parents" in setting else ""))
        place.set_xlabel("flow time $t$")
        place.set_ylabel(f"$\\log(p_S/p_{{S^*}})$, $S^*$ = {curves[0].subject['other']}")
        _marks(place, place.get_legend_handles_labels()[0], loc="lower left", ncols=2)
    return figure


def concentration(verification: Verification, column: bool = False) -> Figure:
    """Stage II: attention that each head keeps off its lag, on the reduced flow and its 1/t asymptote (7.2)."""
    panels, limits = _panels(verification, "unattended"), _panels(verification, "concentration_limit")
    figure, axes = _figure(len(panels), column)
    for place, (setting, curves) in zip(axes, panels.items()):
        place.set(xscale="log", yscale="log")
        for k, (curve, limit) in enumerate(zip(curves, limits[setting])):
            shown = limit.predicted < 1
            place.plot(limit.x[shown], limit.predicted[shown], color="0.6", linewidth=0.9, linestyle=(0, (1, 1)),
                       label="$\\propto 1/t$" if k == 0 else None)
            _pair(place, k, curve.x, curve.measured, curve.x, curve.predicted, f"head {curve.subject['head']}")
        place.set(title=setting, xlabel="flow time $t$", ylabel="$1-\\sigma$ on the own lag")
        _marks(place, place.get_legend_handles_labels()[0], loc="lower left")
    return figure


def growth(verification: Verification, column: bool = False) -> Figure:
    """Stage III: a over flow time on the exact law (7.3) in infinite context, and towards its plateau in a finite one."""
    finite = _panels(verification, "plateau")
    figure, axes = _figure(1 + bool(finite), column)
    axes[0].set(xscale="log")
    for k, (setting, curves) in enumerate(_panels(verification, "growth_time").items()):  # x is a, the ordinate flow time
        label = setting.replace("epsilon", "$\\varepsilon$ =").replace("alpha", "$\\alpha$ =")
        _pair(axes[0], k, curves[0].measured, curves[0].x, curves[0].predicted, curves[0].x, label)
    axes[0].set(title="infinite context", xlabel="flow time $t$", ylabel="$a$")
    if column:  # room for the legend
        axes[0].set_xlim(left=1e-3 * axes[0].get_xlim()[0])
    _marks(axes[0], axes[0].get_legend_handles_labels()[0], loc="upper left")
    for setting, (curve,) in finite.items():
        axes[1].plot(curve.x, curve.predicted, color="0.4", linestyle=(0, (4, 2)), label="predicted plateau $a^*$")
        axes[1].plot(curve.x[::6], curve.measured[::6], "o", color="black", markersize=4, markerfacecolor="white")
        axes[1].set(xscale="log", title=setting, xlabel="flow time $t$", ylabel="$a$")
        _marks(axes[1], axes[1].get_legend_handles_labels()[0], loc="lower right")
    return figure


def recall(verification: Verification, column: bool = False) -> Figure:
    """Recall: exp(-a), which falls on a straight line until a jumps (8.7), and a on the closed form (8.8)."""
    ((setting, (curve,)),) = _panels(verification, "recall_time").items()  # x is a, the ordinate flow time
    (plateau,) = (row for row in verification.rows if row["name"] == "recall_plateau")
    figure, (left, right) = _figure(2, column)
    falling = np.exp(-curve.x)
    left.plot([0, plateau["predicted"]], [falling[0], 0], color="0.4", linestyle=(0, (4, 2)), label="straight line (8.7)")
    shown = curve.measured < 2 * plateau["predicted"]
    _pair(left, 0, curve.measured[shown], falling[shown], curve.predicted[shown], falling[shown], "closed form (8.8)")
    left.set(title=setting, xlabel="flow time $t$", ylabel="$e^{-a}$")
    _marks(left, left.get_legend_handles_labels()[0], loc="upper right")
    right.set(xscale="log", title=setting, xlabel="flow time $t$", ylabel="$a$")
    _pair(right, 0, curve.measured, curve.x, curve.predicted, curve.x, "closed form (8.8)")
    _marks(right, right.get_legend_handles_labels()[0], loc="upper left")
    return figure


FIGURES = {"selection": (selection, "I"), "concentration": (concentration, "II"), "growth": (growth, "III"), "recall": (recall, "recall")}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python3 -m gihflow.verification", allow_abbrev=False,
        description="Draws a file of gihflow verify: selection (I), concentration (II), growth (III) and recall, as PDF and PNG.",
        epilog="Exit codes: 0 good, 2 bad input, 4 the figures cannot be written.")
    parser.add_argument("file", metavar="VERIFY.h5", help="file that gihflow verify wrote")
    parser.add_argument("-o", "--output", metavar="DIR", type=Path, default=Path("figures"),
                        help="directory for the figures, made if it is missing (default: figures)")
    parser.add_argument("--column", action="store_true", help="as wide as one of two columns of a page, not as its text")
    given = parser.parse_args(arguments)
    try:
        verification = read(given.file)
    except RunFileError as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    try:
        given.output.mkdir(parents=True, exist_ok=True)
        for name, (draw, phase) in FIGURES.items():
            if not any(curve.phase == phase for curve in verification.curves):
                continue
            sentence = _worst(verification.rows, phase)
            with rc_context(STYLE):
                figure = add_caption(draw(verification, given.column), sentence)
                for form in ("pdf", "png"):
                    figure.savefig(given.output / f"{name}.{form}", dpi=200,
                                   metadata={"CreationDate": None} if form == "pdf" else None)
                    figure.set_layout_engine("none")
            print(f"{name}: {sentence}")
    except OSError as error:
        print(f"{error.filename or given.output}: cannot be written ({error.strerror}).", file=sys.stderr)
        return WRITE_ERROR
    return GOOD


if __name__ == "__main__":
    sys.exit(main())
