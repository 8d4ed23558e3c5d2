"""One drawing function per figure; each takes a Run and returns a matplotlib figure with its finding below it, as wide as the
text of a page or, with column=True, as one of its two columns.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.scale import FuncScale
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from gihflow import findings
from gihflow.panels import COLUMN, LINES, OTHERS, STYLE, WIDTH, Row, add_caption, column_height, curve, key, line_style, new_figure, \
    not_trained, table, title
from gihflow.run_file import Run, Stage

FIGURES: dict[str, Callable[..., Figure]] = {}  # by name, in the order in which they are drawn


def drawing(finding: Callable[[Run], str]) -> Callable:
    """Registers a figure under the name of its function, with the style and with its finding below it."""

    def register(draw: Callable[..., Figure]) -> Callable[..., Figure]:
        @functools.wraps(draw)
        def drawn(run: Run, *choices, column: bool = False) -> Figure:
            with rc_context(STYLE):
                return add_caption(draw(run, *choices, column=column), finding(run, *choices))

        FIGURES[draw.__name__] = drawn
        return drawn

    return register


def _begun(run: Run) -> list[Stage]:
    return [stage for stage in run.stages if len(stage.t) > 1]


# --- what the panels show, shared by the figures and the overview ---------------------------------------------------


def _titles(run: Run, stages: list[Stage], column: bool) -> list[str]:
    return [title(stage, len(run.stages), column and len(stages) > 1) for stage in stages]


def _row_of_panels(run: Run, stages: list[Stage], height: float, row: Row, column: bool, *, titles: list[str] | None = None,
                   with_origin: bool = True) -> Figure:
    """A quantity over some stages; `height` is that of a figure of text width."""
    panel = 1.6 if len(stages) == 1 else 1.3
    size = (COLUMN, column_height([row], panel)) if column else (max(WIDTH, 2.2 * len(stages)), height)
    figure = new_figure(*size)
    table(figure, stages, titles or _titles(run, stages, column), [row], column=column, with_origin=with_origin, panel=panel)
    return figure


# --- what the panels show, shared by the figures and the overview ---------------------------------------------------


class _Weights:
    """p_S(t): up to seven sets in lines of their own, the heaviest on average first, the others in thin grey."""

    def __init__(self, run: Run):
        order = np.argsort(-np.nanmean(np.concatenate([stage.p for stage in findings.training(run, "c")]), axis=0))
        self.named = [int(subset) for subset in order[:len(LINES)]]
        self.rest = [int(subset) for subset in order[len(LINES):]]
        self.keys = [key(*line, findings.set_name(run.subsets[subset])) for line, subset in zip(LINES, self.named)]
        if self.rest:
            self.keys.append(key(*OTHERS, f"{len(self.rest)} others", 0.8))

    def draw(self, axes: Axes, stage: Stage) -> None:
        for subset in self.rest:
            curve(axes, stage, stage.p[:, subset], *OTHERS, width=0.8, order=2, start=False)
        for rank, subset in reversed(list(enumerate(self.named))):
            curve(axes, stage, stage.p[:, subset], *LINES[rank], width=2.2 if rank == 0 else 1.4, order=10 - rank)
        axes.set_ylim(-0.02, 1.02)


class _OwnLag:
    """Weight of each head on its own lag, on an axis on which 1/t towards weight 1 is a straight line."""

    def __init__(self, run: Run):
        self.run = run
        heads = range(run.lag.shape[0])
        lags = [int(run.lag[head, findings.watched_component(run, head)]) for head in heads]
        own = all(lag == head + 1 for head, lag in enumerate(lags))
        self.keys = [
            key(*line_style(head), f"head {head + 1}" + ("" if own else f", lag {lags[head]}")) for head in heads
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
            curve(axes, stage, findings.watched_weight(self.run, stage, head), *line_style(head), width=1.8,
                   order=10 - head % len(LINES))


def _draw_scale(axes: Axes, stage: Stage) -> None:
    curve(axes, stage, stage.a, *LINES[0], width=2.0)


class _Losses:
    """Training and validation loss, and the lines they are held against."""

    def __init__(self, run: Run):
        training, validation = (LINES[2][0], "-"), (LINES[0][0], (0, (5, 1.5)))
        self.curves = [("loss", training)]
        self.keys = [key(*training, "training")]
        if all(stage.validation_loss is not None for stage in run.stages):
            self.curves.append(("validation_loss", validation))
            self.keys.append(key(*validation, "validation"))
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
                    self.keys.append(key(color, dashes, f"{name}: {value:.4f}", 1.1))

    def draw(self, axes: Axes, stage: Stage) -> None:
        for value, color, dashes in self.lines:
            axes.axhline(value, color=color, linestyle=dashes, linewidth=1.1, zorder=2)
        for name, line in self.curves:
            curve(axes, stage, getattr(stage, name), *line, order=4)
        axes.margins(y=0.12)


# --- figures -----------------------------------------------------------------------------------------------------


@drawing(findings.overview)
def overview(run: Run, *, column: bool = False) -> Figure:
    """All phases on one page: a column a stage, a row a quantity."""
    stages = _begun(run)
    weights_shown, own_lag, losses = _Weights(run), _OwnLag(run), _Losses(run)
    fixed = [not_trained()] if any(set(stage.trained) != set("cwa") for stage in stages) else []
    rows = [
        Row("weight $p_S$", "c", weights_shown.draw, weights_shown.keys, "heads in $S$"),
        Row("own-lag attention" if np.all(run.own_component >= 0) else "attention to the lag", "w", own_lag.draw, own_lag.keys),
        Row("scale $a$", "a", _draw_scale, fixed),
        Row("loss (nats)", None, losses.draw, losses.keys),
    ]
    figure = new_figure(*((COLUMN, column_height(rows, 1.0)) if column else (max(WIDTH, 1.6 + 1.9 * len(stages)), 6.6)))
    table(figure, stages, _titles(run, stages, column), rows, column=column)
    return figure


@drawing(findings.weights)
def weights(run: Run, *, column: bool = False) -> Figure:
    """p_S(t) for each set S of heads (2.2), in the stages that train c."""
    shown = _Weights(run)
    return _row_of_panels(run, findings.training(run, "c"), 2.7, Row("weight $p_S$", "c", shown.draw, shown.keys, "heads in $S$"), column)


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
def attention(run: Run, *, column: bool = False) -> Figure:
    """First attention of each head over lags at start and end (2.1), and the weight on its own lag in between."""
    stages = findings.training(run, "w")
    shown = _OwnLag(run)
    heads, lags = run.lag.shape[0], run.lag.max()
    row = Row("weight on own lag" if np.all(run.own_component >= 0) else "weight on the lag", "w", shown.draw, shown.keys)
    if column:
        above, below = 2.2 if heads <= 4 else 2.8, column_height([row], 1.5)
        figure = new_figure(COLUMN, above + below)
        left, right = figure.subfigures(2, 1, height_ratios=[above, below])
    else:
        figure = new_figure(max(WIDTH, 3.2 + 2.2 * len(stages)), 2.3 if heads <= 4 else 3.4)
        left, right = figure.subfigures(1, 2, width_ratios=[3.2, figure.get_size_inches()[0] - 3.2])
    maps = left.subplots(1, 2, sharey=True)
    image = None
    for axes, stage, output, name in ((maps[0], stages[0], 0, "start"), (maps[1], stages[-1], -1, "end")):
        image = _heat_map(axes, run, stage.attention[output])
        axes.set_title(f"{name}, $t$ = {findings.number(stage.t[output])}")
        axes.set_xlabel("lag")
    maps[0].set_ylabel("head")
    if not (lags <= 4 and heads <= 6):
        left.colorbar(image, ax=maps, orientation="horizontal", fraction=0.06, label="attention")
    table(right, stages, _titles(run, stages, column), [row], column=column, panel=1.5)
    return figure


@drawing(findings.scale)
def scale(run: Run, *, column: bool = False) -> Figure:
    """a(t), the scale of the second attention (2.3), in the stages that train it."""
    return _row_of_panels(run, findings.training(run, "a"), 2.5, Row("scale $a$" if column else "scale of second attention $a$", "a", _draw_scale), column)


@drawing(findings.loss)
def loss(run: Run, *, column: bool = False) -> Figure:
    """Training and validation loss (2.4) with GIH's own loss, the posterior predictor's and the entropy floor."""
    shown = _Losses(run)
    name = shown.curves[-1][0]  # the flat panels of a shared axis hide small changes: they are written out
    titles = []
    for stage, words in zip(_begun(run), _titles(run, _begun(run), column)):
        change = getattr(stage, name)[-1] - getattr(stage, name)[0]
        whose = "" if column and len(_begun(run)) > 1 else f"{shown.keys[len(shown.curves) - 1].get_label()} "
        titles.append(f"{words}\n{whose}{'+' if change > 0 else ''}{findings.number(change)}")
    return _row_of_panels(run, _begun(run), 2.9, Row("loss (nats)", None, shown.draw, shown.keys), column, titles=titles)


@drawing(findings.energy)
def energy(run: Run, *, column: bool = False) -> Figure:
    """Energy residual (3.5) over the loss drop of the stage, by size and sign."""
    positive, negative = LINES[2][0], LINES[1][0]

    def draw(axes: Axes, stage: Stage) -> None:
        relative = findings.relative_residual(stage)
        axes.set_yscale("log")
        if relative is None:
            said = "loss does not change" if np.isfinite(stage.loss).all() else "loss is not finite"
            axes.text(0.5, 0.5, said.replace(" ", "\n") if column else said, transform=axes.transAxes, ha="center", va="center")
            return
        size = np.where(relative == 0, np.nan, np.abs(relative))
        axes.plot(stage.t[1:], size[1:], color="0.75", linewidth=0.7, zorder=2)
        for sign, color, marker, face in ((1, positive, "^", positive), (-1, negative, "v", "white")):
            here = np.sign(relative) == sign
            here[0] = False
            axes.plot(stage.t[here], size[here], linestyle="none", marker=marker, markersize=3, markeredgewidth=0.7,
                      color=color, markerfacecolor=face, zorder=3)

    keys = [
        Line2D([], [], linestyle="none", marker="^", markersize=4, color=positive, label="positive"),
        Line2D([], [], linestyle="none", marker="v", markersize=4, color=negative, markerfacecolor="white",
               label="negative"),
    ]
    row = Row("|residual| / drop" if column else "|energy residual| / loss drop", None, draw, keys, "residual")
    return _row_of_panels(run, _begun(run), 2.7, row, column, with_origin=False)
