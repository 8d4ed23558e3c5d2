"""What the functions of the package return: numbers as NumPy arrays, tables that print themselves."""

from __future__ import annotations

import html
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gihflow.findings import number, set_name


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Columns of text, the first flush left."""
    lines = [list(head), *([shown(entry) for entry in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join("  ".join(entry.ljust(width) if column == 0 else entry.rjust(width)
                               for column, (entry, width) in enumerate(zip(line, widths))).rstrip() for line in lines)


def shown(entry: Any) -> str:
    if isinstance(entry, (bool, np.bool_)):
        return "PASS" if entry else "FAIL"
    if isinstance(entry, (float, np.floating)):
        return "" if np.isnan(entry) else number(float(entry))
    return str(entry)


def with_error(value: float, error: float) -> str:
    return f"{value:.5f} ± {error:.5f}"


class Table:
    """Prints itself as a table, in notebooks as HTML."""

    def _caption(self) -> str:
        raise NotImplementedError

    def _table(self) -> tuple[Sequence[str], list[Sequence[Any]]]:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{self._caption()}\n{table(*self._table())}"

    def _repr_html_(self) -> str:
        head, rows = self._table()
        cells = "".join(f"<th>{html.escape(name)}</th>" for name in head)
        body = "".join("<tr>" + "".join(f"<td>{html.escape(shown(entry))}</td>" for entry in row) + "</tr>" for row in rows)
        return (f"<table><caption>{html.escape(self._caption())}</caption><thead><tr>{cells}</tr></thead>"
                f"<tbody>{body}</tbody></table>")


@dataclass(frozen=True, repr=False)
class Ranking(Table):
    """Sets of lags with what they tell of the next token: (6.1), (6.2), means over chains with standard errors."""

    vocabulary: int
    chains: int
    sets: tuple[tuple[int, ...], ...]  # of lags, by size, then lexicographically
    modified: np.ndarray  # [sets]
    modified_standard_error: np.ndarray
    chi_square: np.ndarray
    chi_square_standard_error: np.ndarray
    order: np.ndarray  # [sets], indices by decreasing modified information
    place: np.ndarray  # [sets], by modified information, from 1; sets that tell equally much share one
    place_by_chi_square: np.ndarray
    uniformity: np.ndarray  # [sets], d^|S| modified/standard: 1 where all windows are equally likely (6.4)
    information_set: tuple[int, ...]  # S* (6.3)
    gap: float  # to the runner-up; NaN without one
    gap_standard_error: float
    gap_z: float
    runner_up: tuple[int, ...] | None
    selected: tuple[int, ...] | None  # what training from the usual start selects, (7.4); None where that takes too long
    critical_logit: float | None  # own logits above it make S* win; None where none does

    def lags_in_other_places(self) -> list[tuple[int, ...]]:
        """Sets that the two informations put in different places, by decreasing modified information."""
        return [self.sets[s] for s in self.order if self.place[s] != self.place_by_chi_square[s]]

    def _caption(self) -> str:
        return (f"Ranking over {self.chains:,} chains: information set {set_name(self.information_set)}, "
                f"gap {with_error(self.gap, self.gap_standard_error)}"
                + (f"; training selects {set_name(self.selected)}" if self.selected not in (None, self.information_set) else ""))

    def _table(self):
        rows = [(set_name(self.sets[s]), with_error(self.modified[s], self.modified_standard_error[s]),
                 with_error(self.chi_square[s], self.chi_square_standard_error[s]), int(self.place_by_chi_square[s]),
                 self.uniformity[s]) for s in self.order]
        return ("set", "modified", "standard", "no. by standard", "d^|S| modified/standard"), rows


@dataclass(frozen=True)
class Prediction:
    """A quantity as theory predicts it: in the sharp regime, and for the setting as it is trained. A set is text."""

    name: str
    phase: str  # "all", "I", "II", "III", "limit"
    label: str
    subject: dict[str, str]
    units: str
    sharp: float | str
    trained: float | str
    regime: str
    measured: float = float("nan")  # of departures in `verify`


class Predictions(Table, Sequence):
    """Predictions of theory for a setting, in the order of the stages; by index, or by name."""

    def __init__(self, rows: Sequence[dict[str, Any]]):
        self.rows = tuple(Prediction(**row) for row in rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key):
        if isinstance(key, str):
            return [row for row in self.rows if row.name == key]
        return self.rows[key]

    def _caption(self) -> str:
        return f"{len(self)} predictions"

    def _table(self):
        return (("prediction", "stage", "units", "sharp", "as trained"),
                [(p.label, p.phase, p.units, p.sharp, p.trained) for p in self.rows])


@dataclass(frozen=True)
class VerificationRow:
    """One prediction beside one measurement; a set is text."""

    name: str
    phase: str
    label: str
    subject: dict[str, str]
    setting: str
    units: str
    predicted: float | str
    measured: float | str
    difference: float
    tolerance: float
    passed: bool
    regime: str


@dataclass(frozen=True)
class Curve:
    """Measured points of the flow on a predicted curve."""

    name: str
    subject: dict[str, str]
    setting: str
    x_name: str
    y_name: str
    x: np.ndarray
    measured: np.ndarray
    predicted: np.ndarray


@dataclass(frozen=True, repr=False)
class Verification(Table):
    """Predictions of theory beside measurements of the flow."""

    rows: tuple[VerificationRow, ...]
    curves: tuple[Curve, ...]
    departures: Predictions  # of the given setting, with what was measured
    passed: bool

    def __post_init__(self):
        for name, kind in (("rows", VerificationRow), ("curves", Curve)):
            object.__setattr__(self, name, tuple(kind(**entry) for entry in getattr(self, name)))
        object.__setattr__(self, "departures", Predictions(self.departures))

    def _caption(self) -> str:
        return f"{sum(row.passed for row in self.rows)} of {len(self.rows)} rows pass: {shown(self.passed)}"

    def _table(self):
        return (("quantity", "stage", "predicted", "measured", "difference", "tolerance", "verdict"),
                [(r.label, r.phase, r.predicted, r.measured, r.difference, r.tolerance, r.passed) for r in self.rows])


@dataclass(frozen=True)
class CheckPoint:
    """Distances (8.2) on fresh chains of one length and prior; alpha is None with given kernels."""

    length: int
    alpha: float | None
    to_information_set: dict[str, float]
    to_leading_set: dict[str, float]
    passed: bool
    missing: tuple[str, ...]  # of "selector", "copier", "classifier"


@dataclass(frozen=True, repr=False)
class Check(Table):
    """Whether a run has become the generalised induction head of its information set."""

    information_set: tuple[int, ...]  # lags
    leading_set: tuple[int, ...]
    tolerance: float
    chains: int
    points: tuple[CheckPoint, ...]
    passed: bool

    def __post_init__(self):
        object.__setattr__(self, "points", tuple(CheckPoint(**point) for point in self.points))

    def _caption(self) -> str:
        return (f"{shown(self.passed)}: total variation to GIH({set_name(self.information_set)}), tolerance "
                f"{number(self.tolerance)}, {self.chains:,} chains a row; leading set {set_name(self.leading_set)}")

    def _table(self):
        rows = []
        for p in self.points:
            d = p.to_information_set
            rows.append((p.length, "–" if p.alpha is None else p.alpha,
                         with_error(d["total_variation"], d["total_variation_standard_error"]), d["kl"],
                         f"{d['argmax_agreement']:.4f}", ", ".join(p.missing), p.passed))
        return ("length", "alpha", "total variation", "KL", "argmax", "missing", "verdict"), rows


@dataclass(frozen=True)
class NumberDifference:
    """How numbers of one name differ."""

    name: str
    entries: int
    different: int  # entries with other bits
    absolute: float  # largest difference
    relative: float
    ulp: int


@dataclass(frozen=True)
class AuditedQuantity(NumberDifference):
    """Recorded numbers beside those that were computed again."""

    first_output: int | None  # the first that differs, from 0


@dataclass(frozen=True)
class Audit:
    """A stretch of a stage, from one state that the run keeps to the next, computed again."""

    number: int  # of the stretch, from 1
    stage: int  # from 1
    begin: float  # flow time in the stage
    end: float
    steps: int
    rhs_evaluations: int
    outputs: int
    quantities: tuple[AuditedQuantity, ...]
    failure: str  # why numbers could not be compared; else empty
    passed: bool

    def __post_init__(self):
        object.__setattr__(self, "quantities", tuple(AuditedQuantity(**entry) for entry in self.quantities))


@dataclass(frozen=True, repr=False)
class AuditReport(Table):
    """Whether what a run recorded comes out again, bit for bit."""

    stretches: int  # that the run has
    audits: tuple[Audit, ...]  # of those that were asked for
    passed: bool

    def __post_init__(self):
        object.__setattr__(self, "audits", tuple(Audit(**entry) for entry in self.audits))

    def _caption(self) -> str:
        return f"{shown(self.passed)}: {len(self.audits)} of {self.stretches} stretches computed again"

    def _table(self):
        rows = [(f"{a.number} of {self.stretches}", a.stage, a.begin, a.end, a.steps, a.outputs,
                 a.failure or ", ".join(q.name for q in a.quantities if q.different) or "none", a.passed) for a in self.audits]
        return ("stretch", "stage", "from t", "to t", "steps", "outputs", "other bits in", "verdict"), rows


@dataclass(frozen=True)
class DatasetDifference(NumberDifference):
    """How a dataset of two files differs. An output is its stage from 1, its index from 0 and its flow time."""

    incomparable: str  # why it cannot be compared number by number; else empty
    first_output: tuple[int, int, float] | None  # of a stage, the first that differs


@dataclass(frozen=True, repr=False)
class Difference(Table):
    """How two files differ; what says how a run was made, its config and program, is told apart."""

    equal: bool  # all numbers and attributes bit for bit
    datasets: tuple[DatasetDifference, ...]  # all, those that agree too
    attributes: tuple[tuple[str, str, str], ...]  # name, of the first file, of the second; those that differ
    config: tuple[tuple[str, str, str], ...]
    program: tuple[tuple[str, str, str], ...]
    first_output: tuple[int, int, float] | None

    def __post_init__(self):
        object.__setattr__(self, "datasets", tuple(DatasetDifference(**entry) for entry in self.datasets))

    def _differing(self) -> list[DatasetDifference]:
        return [dataset for dataset in self.datasets if dataset.different or dataset.incomparable]

    def _caption(self) -> str:
        words = "".join(f"\n{name}: {a or '-'} and {b or '-'}" for name, a, b in (*self.attributes, *self.config, *self.program))
        if self.equal:
            return f"Equal bit for bit: {len(self.datasets)} datasets{words}"
        return f"{len(self._differing())} of {len(self.datasets)} datasets differ{words}"

    def _table(self):
        return (("dataset", "numbers", "different", "absolute", "relative", "ULP"),
                [(d.name, d.entries, d.incomparable or d.different, d.absolute, d.relative, d.ulp) for d in self._differing()])


class Page:
    """A page of runs for a browser, whole in itself; a notebook shows it in a frame."""

    def __init__(self, text: str):
        self.html = text

    def save(self, path: str | os.PathLike[str]) -> None:
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.html)

    def __repr__(self) -> str:
        return f"Page of {len(self.html.encode()):,} bytes; save(path) writes it, a notebook shows it"

    def _repr_html_(self) -> str:
        return f'<iframe srcdoc="{html.escape(self.html)}" style="width: 100%; height: 50em; border: 0"></iframe>'


@dataclass(frozen=True, repr=False)
class Comparison(Table):
    """Gradient descent beside the flow, stage by stage; arrays under the names of docs/schema.md."""

    tokens_hash: str
    stages: tuple[dict[str, Any], ...]

    def _caption(self) -> str:
        return "Distance of gradient descent to the flow at the end of each stage"

    def _table(self):
        rows = [(f"{number} {stage['trained']}", rate["learning_rate"], rate["to_flow"]["all"][-1], rate["outcome"],
                 "" if stage["order_to_flow"] is None else f"{stage['order_to_flow']:.3f}")
                for number, stage in enumerate(self.stages, 1) for rate in stage["rates"] if len(rate["to_flow"]["all"])]
        return ("stage", "learning rate", "distance", "outcome", "order"), rows


@dataclass(frozen=True, repr=False)
class Sample:
    """Sequences that were drawn."""

    tokens: np.ndarray  # [N, L+1] uint16, the label last
    targets: np.ndarray | None  # [N, d], the law that the loss is taken against; None: the label itself
    vocabulary: int
    parents: tuple[int, ...]  # lags
    tokens_hash: str

    def __repr__(self) -> str:
        n, length = self.tokens.shape
        return f"Sample of {n:,} sequences of {length - 1} tokens and a label, vocabulary {self.vocabulary}, parents {self.parents}"

    def __iter__(self) -> Iterator[np.ndarray | None]:
        return iter((self.tokens, self.targets))


@dataclass(frozen=True, repr=False)
class Evaluation(Table):
    """Loss and gradient at a point, as flat vectors over the blocks."""

    loss: float  # nats
    loss_standard_error: float
    at: np.ndarray
    gradient: np.ndarray
    gradient_standard_error: np.ndarray
    blocks: tuple[tuple[str, str, tuple[int, ...]], ...]  # letter, meaning, shape
    engine: str

    def _caption(self) -> str:
        return f"loss {with_error(self.loss, self.loss_standard_error)} nats, engine {self.engine}"

    def _table(self):
        rows, begin = [], 0
        for letter, _, shape in self.blocks:
            for index in np.ndindex(shape):
                place = f"[{', '.join(map(str, index))}]" if index else ""
                rows.append((letter + place, self.at[begin], self.gradient[begin], self.gradient_standard_error[begin]))
                begin += 1
        return ("parameter", "at", "gradient", "standard error"), rows
