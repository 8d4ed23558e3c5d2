"""What all figures share: style, axes of flow time, curves, legends, tables of panels, and the finding below.

Stages stand side by side, each with its own logarithmic axis of the time since its start. What has to be told apart
differs in line style as well as in colour, so that grey print keeps it. A figure is as wide as the text of a page, with
legends to the right of its panels, or as one of two columns, with legends below them.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.path import Path
from matplotlib.ticker import FixedFormatter, FixedLocator, LogLocator, NullFormatter
from matplotlib.transforms import blended_transform_factory

from gihflow import findings
from gihflow.ensemble import EnsembleStage
from gihflow.run_file import Stage, blocks_of

STYLE = {
    "font.size": 9.0,
    "axes.titlesize": 9.0,
    "axes.labelsize": 9.0,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "legend.fontsize": 8.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "pdf.fonttype": 42,
}
WIDTH, COLUMN = 7.2, 3.4  # inches: the text width of a page, and one of its columns
# Okabe and Ito's colours for the colour-blind, in an order that alternates dark and light, with a dash pattern each
LINES = [
    ("#000000", "-"),
    ("#D55E00", (0, (5, 1.5))),
    ("#0072B2", (0, (1.2, 1.2))),
    ("#009E73", (0, (5, 1.5, 1.2, 1.5))),
    ("#E69F00", (0, (8, 2))),
    ("#56B4E9", (0, (3, 2))),
    ("#CC79A7", (0, (5, 1.5, 1.2, 1.5, 1.2, 1.5))),
]
BREAK = Path([(-0.9, -1), (0.1, 1), (-0.1, -1), (0.9, 1)], [Path.MOVETO, Path.LINETO] * 2)  # two strokes across an axis
OTHERS = ("0.7", "-")
FIXED = "#F0F0F0"  # ground of a panel whose quantity its stage does not train
LEGEND_LINE = 0.16  # inches

AnyStage = Stage | EnsembleStage


def line_style(k: int) -> tuple:
    """Colour and dashes of curve k; no two alike below 49."""
    turn, place = divmod(k, len(LINES))
    return LINES[place][0], LINES[(place + turn) % len(LINES)][1]


def new_figure(width: float, height: float) -> Figure:
    return Figure(figsize=(width, height), layout="constrained")


def add_caption(figure: Figure, sentence: str) -> Figure:
    """Widens the figure downwards by the sentence's lines; everything drawn so far keeps its size."""
    width, height = figure.get_size_inches()
    limit = int(width * 72 / (9.0 * 0.53))  # characters that fit: they are 0.53 as wide as high
    count = len(textwrap.wrap(sentence, limit))
    while len(textwrap.wrap(sentence, limit - 1)) == count and limit > 20:  # lines of equal length
        limit -= 1
    lines = textwrap.wrap(sentence, limit)
    extra = 0.12 + 0.17 * len(lines)
    figure.set_size_inches(width, height + extra)
    figure.get_layout_engine().set(rect=(0, extra / (height + extra), 1, height / (height + extra)))
    figure.text(0.5, 0.06 / (height + extra), "\n".join(lines), ha="center", va="bottom", fontsize=9.0, linespacing=1.25)
    return figure


# --- panels and curves ----------------------------------------------------------------------------------------------


def title(stage: AnyStage, stages: int, narrow: bool = False) -> str:
    """Number and blocks of a stage of so many."""
    if narrow:
        return f"{findings.roman(stage.number)}: {stage.trained}"
    return (f"Stage {findings.roman(stage.number)}: " if stages > 1 else "") + f"{findings.listing(blocks_of(stage.trained))} trained"


def origin(stage: AnyStage) -> float:
    """Where t = 0 stands on the logarithmic axis: a little to the left of the first positive output time."""
    first, last = stage.t[1], stage.t[-1]
    return first / max(last / first, 1.5) ** 0.15


def time_axis(axes: Axes, stage: AnyStage, *, label: bool = True, with_origin: bool = True, narrow: bool = False) -> None:
    """A logarithmic axis with few labels, one or two where it is narrow, and a place for t = 0 of its own, cut off by a break."""
    first, last = stage.t[1], stage.t[-1]
    start = origin(stage) if with_origin else first
    axes.set_xscale("log")
    axes.set_xlim(start, last * 1.02)
    low, high = np.log10(first), np.log10(last)
    if high - low > 1:
        step = max(1, round((high - low) / (1.7 if narrow else 4)))
        ticks = [10.0**k for k in range(int(np.ceil(low - 1e-9)), int(np.floor(high + 1e-9)) + 1, step)]
        names = [f"$10^{{{round(np.log10(tick))}}}$" if abs(np.log10(tick)) > 1.5 else f"{tick:g}" for tick in ticks]
    else:
        ticks = [tick for tick in LogLocator(subs=(1, 2, 5)).tick_values(first, last) if first <= tick <= last]
        names = [findings.number(tick) for tick in ticks]
    if with_origin:
        if narrow:  # no number beside the 0
            far = [np.log(tick / start) > 0.35 * np.log(last / start) for tick in ticks]
            ticks, names = ([entry for entry, there in zip(entries, far) if there] for entries in (ticks, names))
        ticks, names = [start, *ticks], ["0", *names]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FixedFormatter(names))
    minor = [digit * 10.0**k for k in range(int(np.floor(low)), int(np.ceil(high))) for digit in (2, 4, 6, 8)]
    if high - low > (2 if narrow else 5):
        minor = [10.0**k for k in range(int(np.ceil(low)), int(np.floor(high)) + 1)]
    axes.xaxis.set_minor_locator(FixedLocator([tick for tick in minor if first <= tick <= last]))
    axes.xaxis.set_minor_formatter(NullFormatter())
    if start < first:
        for path, color, thickness in ((Path([(-0.5, -1), (0.5, 1)]), "white", 4), (BREAK, "black", 0.7)):
            axes.plot([np.sqrt(start * first)], [0], marker=path, markersize=7, color=color, markeredgewidth=thickness,
                      transform=axes.get_xaxis_transform(), clip_on=False, zorder=20)
    if label:
        axes.set_xlabel("flow time $t$" if narrow else "flow time $t$ in the stage")


def curve(axes: Axes, stage: AnyStage, values: np.ndarray, color: str, dashes, *, width: float = 1.6, order: int = 3,
          start: bool = True) -> None:
    """A line over the positive times, joined by a thin one to an open circle for the value at t = 0."""
    axes.plot(stage.t[1:], values[1:], color=color, linestyle=dashes, linewidth=width, zorder=order)
    if start:
        begin = origin(stage)
        axes.plot([begin, stage.t[1]], values[:2], color=color, linewidth=0.6, zorder=order)
        axes.plot([begin], values[:1], marker="o", markersize=3.5, markerfacecolor="white", markeredgecolor=color,
                  markeredgewidth=0.9, linestyle="none", clip_on=False, zorder=order + 5)


def key(color: str, dashes, label: str, width: float = 1.6) -> Line2D:
    return Line2D([], [], color=color, linestyle=dashes, linewidth=width, label=label)


def not_trained() -> Patch:
    return Patch(facecolor=FIXED, edgecolor="0.6", linewidth=0.5, label="not trained")


# --- tables of panels -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A quantity over the stages."""

    label: str  # of the vertical axis
    block: str | None  # that a stage must train, lest its ground be grey
    draw: Callable[[Axes, AnyStage], None]
    keys: Sequence[Artist] = ()  # of the legend
    heading: str | None = None  # of the legend


def legend_shape(row: Row, width: float) -> tuple[int, int]:
    """Columns and lines of a row's legend where it is so wide."""
    if not row.keys:
        return 1, 0
    longest = max(len(entry.get_label()) for entry in row.keys)
    columns = max(1, min(len(row.keys), int(width / (0.45 + 0.062 * longest))))
    return columns, -(-len(row.keys) // columns) + (row.heading is not None)


def column_height(rows: Sequence[Row], panel: float) -> float:
    """Inches that a table takes in one column of a page, with panels so high."""
    return sum(panel + 0.08 + LEGEND_LINE * legend_shape(row, COLUMN)[1] for row in rows) + 0.6


def table(figure: FigureBase, stages: Sequence[AnyStage], titles: Sequence[str], rows: Sequence[Row], *, column: bool = False,
          with_origin: bool = True, panel: float = 1.0) -> None:
    """A row a quantity, a column a stage. In one column of a page panels are so many inches high, legends below them."""
    if column:
        lines = [LEGEND_LINE * legend_shape(row, COLUMN)[1] for row in rows]
        grid = figure.add_gridspec(2 * len(rows), len(stages), height_ratios=[x for line in lines for x in (panel, max(line, 0.01))])
        below = [figure.add_subplot(grid[2 * r + 1, 0]) for r in range(len(rows))]
        cells = np.empty((len(rows), len(stages)), dtype=object)
        for r, k in np.ndindex(cells.shape):
            cells[r, k] = figure.add_subplot(grid[2 * r, k], sharex=cells[0, k] if r else None, sharey=cells[r, 0] if k else None)
    else:
        cells = figure.subplots(len(rows), len(stages), sharex="col", sharey="row", squeeze=False)
    for r, row in enumerate(rows):
        for axes, stage in zip(cells[r], stages):
            axes.grid(axis="y", color="0.88", linewidth=0.6)
            axes.set_axisbelow(True)
            if row.block is not None and row.block not in stage.trained:
                axes.set_facecolor(FIXED)
            row.draw(axes, stage)
            time_axis(axes, stage, label=r == len(rows) - 1, with_origin=with_origin, narrow=column and len(stages) > 1)
            if column:
                axes.tick_params(which="both", labelbottom=r == len(rows) - 1, labelleft=axes is cells[r, 0])
        cells[r, 0].set_ylabel(row.label)
        if column:
            below[r].axis("off")
        if row.keys:
            legend_of(below[r] if column else cells[r, -1], row, column)
    for axes, words in zip(cells[0], titles):
        axes.set_title(words, linespacing=1.3)
    if len(rows) > 1:
        figure.align_ylabels(cells[:, 0])


def legend_of(axes: Axes, row: Row, column: bool = False) -> None:
    """A legend to the right of a panel, from its top; in one column of a page in the middle of it, at the height of the axes."""
    place = {"loc": "upper left", "bbox_to_anchor": (1.02, 1.04), "borderaxespad": 0, "alignment": "left"}
    if column:
        middle = blended_transform_factory(axes.figure.transSubfigure, axes.transAxes)
        place = {"loc": "center", "bbox_to_anchor": (0.55, 0.5), "bbox_transform": middle, "ncols": legend_shape(row, COLUMN)[0], "borderaxespad": 0, "borderpad": 0, "labelspacing": 0.25,
                 "columnspacing": 1.0, "handletextpad": 0.5}
    legend = axes.legend(handles=list(row.keys), title=row.heading, handlelength=2.2 if column else 3, **place)
    legend.get_title().set_fontsize(8.0)
    if column:
        legend.set_in_layout(False)
