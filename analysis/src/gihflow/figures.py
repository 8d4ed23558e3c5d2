"""One drawing function per figure; each takes a Run and returns a matplotlib figure with its finding below it.

Stages stand side by side, each with its own logarithmic axis of the time since its start. What has to be told apart
differs in line style as well as in colour, so that grey print keeps it.
"""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Callable

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.path import Path
from matplotlib.scale import FuncScale
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from gihflow import findings
from gihflow.run_file import Run, Stage, blocks_of

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
WIDTH = 7.2  # inches: the text width of a page
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

FIGURES: dict[str, Callable[[Run], Figure]] = {}  # by name, in the order in which they are drawn


def drawing(finding: Callable[[Run], str]) -> Callable:
    """Registers a figure under the name of its function, with the style and with its finding below it."""

    def register(draw: Callable[[Run], Figure]) -> Callable[[Run], Figure]:
        @functools.wraps(draw)
        def drawn(run: Run, *choices) -> Figure:
            with rc_context(STYLE):
                return add_caption(draw(run, *choices), finding(run, *choices))

        FIGURES[draw.__name__] = drawn
        return drawn

    return register


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


def _title(run: Run, stage: Stage) -> str:
    trained = findings.listing(blocks_of(stage.trained))
    name = f"Stage {findings.roman(stage.number)}: " if len(run.stages) > 1 else ""
    return f"{name}{trained} trained"


def _begun(run: Run) -> list[Stage]:
    return [stage for stage in run.stages if len(stage.t) > 1]


def _origin(stage: Stage) -> float:
    """Where t = 0 stands on the logarithmic axis: a little to the left of the first positive output time."""
    first, last = stage.t[1], stage.t[-1]
    return first / max(last / first, 1.5) ** 0.15


def _time_axis(axes: Axes, stage: Stage, *, label: bool = True, with_origin: bool = True) -> None:
    """A logarithmic axis with few labels, and a place for t = 0 of its own, cut off by a break."""
    first, last = stage.t[1], stage.t[-1]
    origin = _origin(stage) if with_origin else first
    axes.set_xscale("log")
    axes.set_xlim(origin, last * 1.02)
    low, high = np.log10(first), np.log10(last)
    if high - low > 1:
        step = max(1, round((high - low) / 4))
        ticks = [10.0**k for k in range(int(np.ceil(low - 1e-9)), int(np.floor(high + 1e-9)) + 1, step)]
        names = [f"$10^{{{round(np.log10(tick))}}}$" if abs(np.log10(tick)) > 1.5 else f"{tick:g}" for tick in ticks]
    else:
        ticks = [tick for tick in LogLocator(subs=(1, 2, 5)).tick_values(first, last) if first <= tick <= last]
        names = [findings.number(tick) for tick in ticks]
    if with_origin:
        ticks, names = [origin, *ticks], ["0", *names]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FixedFormatter(names))
    minor = [digit * 10.0**k for k in range(int(np.floor(low)), int(np.ceil(high))) for digit in (2, 4, 6, 8)]
    if high - low > 5:
        minor = [10.0**k for k in range(int(np.ceil(low)), int(np.floor(high)) + 1)]
    axes.xaxis.set_minor_locator(FixedLocator([tick for tick in minor if first <= tick <= last]))
    axes.xaxis.set_minor_formatter(NullFormatter())
    if origin < first:
        for path, color, thickness in ((Path([(-0.5, -1), (0.5, 1)]), "white", 4), (BREAK, "black", 0.7)):
            axes.plot([np.sqrt(origin * first)], [0], marker=path, markersize=7, color=color, markeredgewidth=thickness,
                      transform=axes.get_xaxis_transform(), clip_on=False, zorder=20)
    if label:
        axes.set_xlabel("flow time $t$ in the stage")


def _curve(axes: Axes, stage: Stage, values: np.ndarray, color: str, dashes, *, width: float = 1.6, order: int = 3,
           start: bool = True) -> None:
    """A line over the positive times, joined by a thin one to an open circle for the value at t = 0."""
    axes.plot(stage.t[1:], values[1:], color=color, linestyle=dashes, linewidth=width, zorder=order)
    if start:
        origin = _origin(stage)
        axes.plot([origin, stage.t[1]], values[:2], color=color, linewidth=0.6, zorder=order)
        axes.plot([origin], values[:1], marker="o", markersize=3.5, markerfacecolor="white", markeredgecolor=color,
                  markeredgewidth=0.9, linestyle="none", clip_on=False, zorder=order + 5)


def _panels(run: Run, stages: list[Stage], block: str | None, height: float,
            draw: Callable[[Axes, Stage], None], *, with_origin: bool = True) -> tuple[Figure, list[Axes]]:
    """A row of panels, one a stage, with a common vertical axis."""
    figure = new_figure(max(WIDTH, 2.2 * len(stages)), height)
    panels = list(figure.subplots(1, len(stages), sharey=True, squeeze=False)[0])
    for axes, stage in zip(panels, stages):
        _panel(axes, stage, block, draw)
        axes.set_title(_title(run, stage))
        _time_axis(axes, stage, with_origin=with_origin)
    return figure, panels


def _panel(axes: Axes, stage: Stage, block: str | None, draw: Callable[[Axes, Stage], None]) -> None:
    axes.grid(axis="y", color="0.88", linewidth=0.6)
    axes.set_axisbelow(True)
    if block is not None and block not in stage.trained:
        axes.set_facecolor(FIXED)
    draw(axes, stage)


def _legend(axes: Axes, keys: list[Line2D], title: str | None = None) -> None:
    """A legend to the right of a panel, from its top."""
    legend = axes.legend(handles=keys, loc="upper left", bbox_to_anchor=(1.02, 1.04), borderaxespad=0, title=title,
                         handlelength=3, alignment="left")
    legend.get_title().set_fontsize(8.0)


def _key(color: str, dashes, label: str, width: float = 1.6) -> Line2D:
    return Line2D([], [], color=color, linestyle=dashes, linewidth=width, label=label)


# --- what the panels show, shared by the figures and the overview ---------------------------------------------------


class _Weights:
    """p_S(t): up to seven sets in lines of their own, the heaviest on average first, the others in thin grey."""

    def __init__(self, run: Run):
        order = np.argsort(-np.nanmean(np.concatenate([stage.p for stage in findings.training(run, "c")]), axis=0))
        self.named = [int(subset) for subset in order[:len(LINES)]]
        self.rest = [int(subset) for subset in order[len(LINES):]]
        self.keys = [_key(*line, findings.set_name(run.subsets[subset])) for line, subset in zip(LINES, self.named)]
        if self.rest:
            self.keys.append(_key(*OTHERS, f"{len(self.rest)} others", 0.8))

    def draw(self, axes: Axes, stage: Stage) -> None:
        for subset in self.rest:
            _curve(axes, stage, stage.p[:, subset], *OTHERS, width=0.8, order=2, start=False)
        for rank, subset in reversed(list(enumerate(self.named))):
            _curve(axes, stage, stage.p[:, subset], *LINES[rank], width=2.2 if rank == 0 else 1.4, order=10 - rank)
        axes.set_ylim(-0.02, 1.02)


class _OwnLag:
    """Weight of each head on its own lag, on an axis on which 1/t towards weight 1 is a straight line."""

    def __init__(self, run: Run):
        self.run = run
        heads = range(run.lag.shape[0])
        lags = [int(run.lag[head, findings.watched_component(run, head)]) for head in heads]
        own = all(lag == head + 1 for head, lag in enumerate(lags))
        self.keys = [
            _key(*line_style(head), f"head {head + 1}" + ("" if own else f", lag {lags[head]}")) for head in heads
        ]
        watched = [findings.watched_weight(run, stage, head) for stage in _begun(run) for head in heads]
        finite = np.concatenate(watched)
        finite = finite[np.isfinite(finite)] if np.isfinite(finite).any() else np.array([0.5])
        self.least, self.most = float(np.min(finite)), min(float(np.max(finite)), 1 - 1e-12)

    def draw(self, axes: Axes, stage: Stage) -> None:
        def forward(x):
            return -np.log10(np.clip(1 - np.asarray(x), 1e-13, None))

        def backward(y):
            return 1 - 10.0 ** -np.asarray(y)

        axes.set_yscale(FuncScale(axes, (forward, backward)))
        low, high = forward(self.least), forward(self.most)
        room = max(0.1 * (high - low), 0.05)
        axes.set_ylim(backward(max(low - room, 0)), backward(high + room))
        bottom, top = axes.get_ylim()
        nines = [0.0, *(1 - 10.0**-k for k in range(1, 13))]
        between = [1 - share * 10.0**-k for k in range(12) for share in (0.5, 0.2)]
        for ticks in (nines, sorted(nines + between), MaxNLocator(4).tick_values(bottom, top)):
            ticks = [tick for tick in ticks if bottom <= tick <= top]
            if len(ticks) >= 3:
                break
        axes.yaxis.set_major_locator(FixedLocator(ticks))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:.12f}".rstrip("0").rstrip(".")))
        for head in range(self.run.lag.shape[0]):
            _curve(axes, stage, findings.watched_weight(self.run, stage, head), *line_style(head), width=1.8,
                   order=10 - head % len(LINES))


def _draw_scale(axes: Axes, stage: Stage) -> None:
    _curve(axes, stage, stage.a, *LINES[0], width=2.0)


class _Losses:
    """Training and validation loss, and the lines they are held against."""

    def __init__(self, run: Run):
        training, validation = (LINES[2][0], "-"), (LINES[0][0], (0, (5, 1.5)))
        self.curves = [("loss", training)]
        self.keys = [_key(*training, "training")]
        if all(stage.validation_loss is not None for stage in run.stages):
            self.curves.append(("validation_loss", validation))
            self.keys.append(_key(*validation, "validation"))
        self.lines = []
        given = findings.baselines(run)
        if given:
            chains, lines = given
            self.keys.append(Line2D([], [], linestyle="none", label=f"on the {chains} chains:"))
            candidates = [
                (f"GIH({findings.set_name(run.gih_lags)})", lines.gih_loss, "#D55E00", "-"),
                ("posterior predictor", lines.posterior_loss, "#009E73", (0, (5, 1.5, 1.2, 1.5))),
                ("entropy floor", lines.entropy_floor, "0.35", (0, (1.2, 1.2))),
            ]
            for name, value, color, dashes in candidates:
                if value is not None and np.isfinite(value):
                    self.lines.append((value, color, dashes))
                    self.keys.append(_key(color, dashes, f"{name}: {value:.4f}", 1.1))

    def draw(self, axes: Axes, stage: Stage) -> None:
        for value, color, dashes in self.lines:
            axes.axhline(value, color=color, linestyle=dashes, linewidth=1.1, zorder=2)
        for name, line in self.curves:
            _curve(axes, stage, getattr(stage, name), *line, order=4)
        axes.margins(y=0.12)


# --- figures -----------------------------------------------------------------------------------------------------


@drawing(findings.overview)
def overview(run: Run) -> Figure:
    """All phases on one page: a column a stage, a row a quantity."""
    stages = _begun(run)
    weights_shown, own_lag, losses = _Weights(run), _OwnLag(run), _Losses(run)
    fixed = []
    if any(set(stage.trained) != set("cwa") for stage in stages):
        fixed = [Patch(facecolor=FIXED, edgecolor="0.6", linewidth=0.5, label="not trained")]
    rows = [
        ("weight $p_S$", "c", weights_shown.draw, weights_shown.keys, "heads in $S$"),
        ("own-lag attention" if np.all(run.own_component >= 0) else "attention to the lag", "w", own_lag.draw,
         own_lag.keys, None),
        ("scale $a$", "a", _draw_scale, fixed, None),
        ("loss (nats)", None, losses.draw, losses.keys, None),
    ]
    figure = new_figure(max(WIDTH, 1.6 + 1.9 * len(stages)), 6.6)
    table = figure.subplots(len(rows), len(stages), sharex="col", sharey="row", squeeze=False)
    for line, (label, block, draw, keys, title) in zip(table, rows):
        for axes, stage in zip(line, stages):
            _panel(axes, stage, block, draw)
            _time_axis(axes, stage, label=axes in table[-1])
        line[0].set_ylabel(label)
        if keys:
            _legend(line[-1], keys, title)
    for axes, stage in zip(table[0], stages):
        axes.set_title(_title(run, stage))
    figure.align_ylabels(table[:, 0])
    return figure


@drawing(findings.weights)
def weights(run: Run) -> Figure:
    """p_S(t) for each set S of heads (2.2), in the stages that train c."""
    shown = _Weights(run)
    figure, panels = _panels(run, findings.training(run, "c"), "c", 2.7, shown.draw)
    panels[0].set_ylabel("weight $p_S$")
    _legend(panels[-1], shown.keys, "heads in $S$")
    return figure


def _heat_map(axes: Axes, run: Run, attention: np.ndarray):
    """Heads downwards, lags to the right; blank where a head does not see the lag."""
    heads, window = run.lag.shape
    table = np.full((heads, run.lag.max()), np.nan)
    for head in range(heads):
        table[head, run.lag[head] - 1] = attention[head]
    axes.set_facecolor("white")
    image = axes.imshow(table, cmap="Blues", vmin=0, vmax=1, aspect="equal", interpolation="nearest")
    heads, lags = table.shape
    axes.set_xticks(range(lags), [str(lag + 1) for lag in range(lags)])
    axes.set_yticks(range(heads), [str(head + 1) for head in range(heads)])
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if lags <= 4 and heads <= 6:
        for (head, lag), value in np.ndenumerate(table):
            if np.isfinite(value):
                axes.text(lag, head, f"{value:.3f}".removeprefix("0"), ha="center", va="center", fontsize=8,
                          color="white" if value > 0.55 else "black")
    return image


@drawing(findings.attention)
def attention(run: Run) -> Figure:
    """First attention of each head over lags at start and end (2.1), and the weight on its own lag in between."""
    stages = findings.training(run, "w")
    shown = _OwnLag(run)
    heads, lags = run.lag.shape[0], run.lag.max()
    figure = new_figure(max(WIDTH, 3.2 + 2.2 * len(stages)), 2.3 if heads <= 4 else 3.4)
    left, right = figure.subfigures(1, 2, width_ratios=[3.2, figure.get_size_inches()[0] - 3.2])
    maps = left.subplots(1, 2, sharey=True)
    image = None
    for axes, stage, row, name in ((maps[0], stages[0], 0, "start"), (maps[1], stages[-1], -1, "end")):
        image = _heat_map(axes, run, stage.attention[row])
        axes.set_title(f"{name}, $t$ = {findings.number(stage.t[row])}")
        axes.set_xlabel("lag")
    maps[0].set_ylabel("head")
    if not (lags <= 4 and heads <= 6):
        left.colorbar(image, ax=maps, orientation="horizontal", fraction=0.06, label="attention")
    panels = right.subplots(1, len(stages), sharey=True, squeeze=False)[0]
    for axes, stage in zip(panels, stages):
        _panel(axes, stage, "w", shown.draw)
        axes.set_title(_title(run, stage))
        _time_axis(axes, stage)
    panels[0].set_ylabel("weight on own lag" if np.all(run.own_component >= 0) else "weight on the lag")
    _legend(panels[-1], shown.keys)
    return figure


@drawing(findings.scale)
def scale(run: Run) -> Figure:
    """a(t), the scale of the second attention (2.3), in the stages that train it."""
    figure, panels = _panels(run, findings.training(run, "a"), "a", 2.5, _draw_scale)
    panels[0].set_ylabel("scale of second attention $a$")
    return figure


@drawing(findings.loss)
def loss(run: Run) -> Figure:
    """Training and validation loss (2.4) with GIH's own loss, the posterior predictor's and the entropy floor."""
    shown = _Losses(run)
    figure, panels = _panels(run, _begun(run), None, 2.9, shown.draw)
    panels[0].set_ylabel("loss (nats)")
    name = shown.curves[-1][0]  # the flat panels of a shared axis hide small changes: they are written out
    for axes, stage in zip(panels, _begun(run)):
        change = getattr(stage, name)[-1] - getattr(stage, name)[0]
        axes.set_title(f"{_title(run, stage)}\n{shown.keys[len(shown.curves) - 1].get_label()} "
                       f"{'+' if change > 0 else ''}{findings.number(change)}", linespacing=1.3)
    _legend(panels[-1], shown.keys)
    return figure


@drawing(findings.energy)
def energy(run: Run) -> Figure:
    """Energy residual (3.5) over the loss drop of the stage, by size and sign."""
    positive, negative = LINES[2][0], LINES[1][0]

    def draw(axes: Axes, stage: Stage) -> None:
        relative = findings.relative_residual(stage)
        axes.set_yscale("log")
        if relative is None:
            said = "loss does not change" if np.isfinite(stage.loss).all() else "loss is not finite"
            axes.text(0.5, 0.5, said, transform=axes.transAxes, ha="center", va="center")
            return
        size = np.where(relative == 0, np.nan, np.abs(relative))
        axes.plot(stage.t[1:], size[1:], color="0.75", linewidth=0.7, zorder=2)
        for sign, color, marker, face in ((1, positive, "^", positive), (-1, negative, "v", "white")):
            here = np.sign(relative) == sign
            here[0] = False
            axes.plot(stage.t[here], size[here], linestyle="none", marker=marker, markersize=3, markeredgewidth=0.7,
                      color=color, markerfacecolor=face, zorder=3)

    figure, panels = _panels(run, _begun(run), None, 2.7, draw, with_origin=False)
    panels[0].set_ylabel("|energy residual| / loss drop")
    keys = [
        Line2D([], [], linestyle="none", marker="^", markersize=4, color=positive, label="positive"),
        Line2D([], [], linestyle="none", marker="v", markersize=4, color=negative, markerfacecolor="white",
               label="negative"),
    ]
    _legend(panels[-1], keys, "residual")
    return figure
