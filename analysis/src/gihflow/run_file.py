"""The reader of run files; docs/schema.md describes their layout.

Dimension letters: H heads, M lags per head, subsets = number of sets S of at most D heads, ordered by size, then
lexicographically; times = output times of a stage. Losses are in nats, times are flow time t.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass, field, fields
from typing import Any

import h5py
import numpy as np

NEWEST_SCHEMA = 2
# the datasets of a stage that figures need besides t, with their axes after the output times: S subsets, H heads, M lags
# per head; others are read as they are
STAGE_DATASETS = {
    "c": "S", "log_c_squared": "S", "p": "S", "w": "HM", "attention": "HM", "a": "", "loss": "", "validation_loss": "",
    "gradient_norm": "", "dissipated": "", "energy_residual": "",
}


BLOCKS = "cwaqkvn"  # letters of all blocks, in the order of files


def blocks_of(trained: str) -> list[str]:
    """Letters of the blocks that move, in the order of files; heads left out."""
    return [block for block in BLOCKS if block in trained]


class RunFileError(ValueError):
    """A file is not a run file, or not whole. The message is one sentence that names the file and the fault."""


@dataclass(frozen=True)
class Stage:
    """One stage of a run. Each of its datasets is an attribute of its name, an array whose first axis is the output time:
    t [times], p [times, subsets] and so on, as docs/schema.md lists them; validation_loss is None without validation
    chains. Values may be infinite or NaN, as a run records them."""

    number: int  # 1-based
    trained: str  # blocks that move, as "cw[1,3]a"
    duration: float  # flow time that the schedule asks for
    outcome: str
    integrator: str
    attributes: dict[str, Any]  # these and all others: counts of steps and evaluations, gauge_drift
    arrays: dict[str, np.ndarray | None]
    descriptions: dict[str, tuple[str, str]] = field(default_factory=dict, repr=False)  # units, meaning of each array

    @classmethod
    def trained_by(cls, number: int, stage: dict[str, Any]) -> Stage:
        """A stage that was trained here."""
        attributes = stage["attributes"]
        arrays = {"validation_loss": None, **stage["columns"]}
        own = {name: attributes[name] for name in ("trained", "duration", "outcome", "integrator")}
        return cls(number=number, attributes=attributes, arrays=arrays, descriptions=stage["descriptions"], **own)

    def __getattr__(self, name: str) -> np.ndarray | None:
        if name == "arrays" or name not in self.arrays:
            raise AttributeError(f"a stage has no {name}")
        return self.arrays[name]

    @property
    def descends(self) -> bool:
        """Whether the stage was trained by discrete steps and not by the flow."""
        return self.integrator in ("gd", "momentum", "adam")


@dataclass(frozen=True)
class Baselines:
    """Lines to hold losses against, (8.1) and (8.3), on one set of chains; standard errors over chains."""

    gih_loss: float  # infinite where epsilon = 0 and GIH excludes a token that occurs
    gih_loss_standard_error: float
    posterior_loss: float | None  # None without a prior
    posterior_loss_standard_error: float | None
    entropy_floor: float
    entropy_floor_standard_error: float
    # (8.4), and of predictors that count; None where they were not recorded
    gih_accuracy: float | None = None
    gih_accuracy_standard_error: float | None = None
    posterior_accuracy: float | None = None
    posterior_accuracy_standard_error: float | None = None
    best_accuracy: float | None = None
    best_accuracy_standard_error: float | None = None
    unigram_loss: float | None = None
    unigram_loss_standard_error: float | None = None
    unigram_accuracy: float | None = None
    unigram_accuracy_standard_error: float | None = None
    bigram_loss: float | None = None
    bigram_loss_standard_error: float | None = None
    bigram_accuracy: float | None = None
    bigram_accuracy_standard_error: float | None = None
    ngram_loss: float | None = None
    ngram_loss_standard_error: float | None = None
    ngram_accuracy: float | None = None
    ngram_accuracy_standard_error: float | None = None


@dataclass(frozen=True, repr=False)
class Run:
    """A training run, read from a file or trained here; what its file holds."""

    path: str | None  # None: in memory alone
    schema_version: int
    outcome: str
    attributes: dict[str, Any]  # of the root: config, seed, git_commit …
    execution: dict[str, Any]  # host, threads, times: what does not determine the numbers
    subsets: list[tuple[int, ...]]  # heads of each set S, counted from 1
    lag: np.ndarray  # [H, M], lag that each component of each head looks at
    stages: list[Stage]
    final: dict[str, np.ndarray]  # c, log_c_squared, c_sign, w, a
    gih_lags: tuple[int, ...]  # S of the GIH(S) in the baselines; empty without them
    training_baselines: Baselines | None
    validation_baselines: Baselines | None
    standard_errors: dict[str, Any]  # of loss and gradient at the end, by name; empty without them
    core: Any = field(default=None, repr=False, compare=False)  # the run in memory of one that was trained here

    @classmethod
    def trained(cls, core: Any, path: str | None) -> Run:
        """What was trained, with the arrays that it was recorded in; `path` is the file that holds it too, if one does."""
        found = core.contents()
        lines = {name: found[name] and Baselines(**found[name]) for name in ("training_baselines", "validation_baselines")}
        return cls(
            path=path, schema_version=found["attributes"]["schema_version"], outcome=found["attributes"]["outcome"],
            attributes=found["attributes"], execution=found["execution"], subsets=list(found["subsets"]),
            lag=found["lag"], stages=[Stage.trained_by(number, stage) for number, stage in enumerate(found["stages"], 1)],
            final=found["final"], gih_lags=found["gih_lags"] or (), standard_errors=found["standard_errors"] or {},
            core=core, **lines)

    def in_memory(self) -> Any:
        """The run as the compiled module has it."""
        if self.core is None:
            raise ValueError(f"{self.path}: was read from a file; give its path")
        return self.core

    def save(self, path: str | os.PathLike[str], force: bool = False) -> None:
        """Writes the run file. ValueError where there is one already and `force` is not given; OSError where that fails."""
        if self.core is not None:
            self.core.save(os.fspath(path), force)
            return
        if os.path.exists(path) and not force:
            raise ValueError(f"{os.fspath(path)}: exists; give force to replace it")
        shutil.copyfile(self.path, path)

    def resume(self, progress: bool = True, **options: Any) -> Run:
        """Continues the run from where it stopped, to the bits of one that never did; `options` are limits and the like, as
        of train(resume=...). One with a file goes on in it, another in memory."""
        from gihflow import commands

        if self.path is not None:
            return commands.train(resume=self.path, progress=progress, **options)
        return commands.resume(self, progress, options)

    def to_xarray(self) -> Any:
        """All stages in one xarray.Dataset: the columns over (time, subset, head, component), named coordinates, and the
        units and meaning of each as its attributes. The attributes of the run are those of the dataset."""
        from gihflow.labelled import dataset

        return dataset(self)

    def __repr__(self) -> str:
        end = self.stages[-1] if self.stages else None
        lines = [f"Run of gihflow: {self.outcome}" + (f", {self.path}" if self.path else ", in memory")]
        for stage in self.stages:
            lines.append(f"  stage {stage.number} {stage.trained}: {stage.outcome}, t = {stage.t[-1]:g} of {stage.duration:g}, "
                         f"{len(stage.t)} times, loss {stage.loss[0]:.6f} → {stage.loss[-1]:.6f}")
        if end is not None:
            leading = int(np.argmax(end.p[-1]))
            members = ",".join(map(str, self.subsets[leading]))
            lines.append(f"  p of {{{members}}} = {end.p[-1, leading]:.6f}, a = {end.a[-1]:.6g}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """The overview figure and what it shows."""
        from gihflow.page import overview

        return overview(self)

    def joined(self, name: str) -> np.ndarray | None:
        """One dataset of all stages in a row, [all times, …]; None if a stage lacks it. For "t" time counts from the
        start of the run: each stage begins where the one before it ended."""
        parts = [getattr(stage, name) for stage in self.stages]
        if any(part is None for part in parts):
            return None
        if name == "t":
            ends = np.cumsum([0.0] + [part[-1] for part in parts[:-1]])
            parts = [part + end for part, end in zip(parts, ends)]
        return np.concatenate(parts)

    @property
    def own_component(self) -> np.ndarray:
        """[H] the component of each head that looks at its own lag (head h: lag h); −1 where its window has none."""
        heads = np.arange(1, self.lag.shape[0] + 1)[:, None]
        return np.where((self.lag == heads).any(axis=1), np.argmax(self.lag == heads, axis=1), -1)


def read(path: str | os.PathLike[str]) -> Run:
    """Reads a run file. Raises RunFileError if it is missing, not a run, damaged, or newer than this package."""
    path = os.fspath(path)
    if not os.path.isfile(path):
        raise RunFileError(f"{path}: no such file; must be a run file that gihflow train wrote.")
    try:
        with h5py.File(path, "r") as file:
            return _Reader(path, file).run()
    except (OSError, RuntimeError, MemoryError, KeyError, UnicodeDecodeError) as error:  # as h5py reports damage
        reason = " ".join(str(error).strip("'\"").split()) or type(error).__name__
        raise RunFileError(f"{path}: cannot be read as HDF5 ({reason}).") from error


def plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, np.generic):
        return value.item()
    return value


class _Reader:
    def __init__(self, path: str, file: h5py.File):
        self.path = path
        self.file = file

    def fail(self, fault: str) -> RunFileError:
        return RunFileError(f"{self.path}: {fault}.")

    def attributes(self, name: str) -> dict[str, Any]:
        return {key: plain(value) for key, value in self.file[name].attrs.items()}

    def attribute(self, name: str, key: str, kind: type) -> Any:
        value = plain(self.file[name].attrs.get(key))
        if kind is float and isinstance(value, int):
            value = float(value)
        if not isinstance(value, kind):
            allowed = {int: "an integer", float: "a number", str: "text"}[kind]
            raise self.fail(f"attribute {key} of {name} is {'missing' if value is None else value}: must be {allowed}")
        return value

    def numbers(self, name: str, shape: tuple[int | None, ...], *, finite: bool = True) -> np.ndarray:
        """A dataset of the given shape, None standing for any length."""
        dataset = self.file.get(name)
        if not isinstance(dataset, h5py.Dataset):
            raise self.fail(f"{name} is missing: must be a dataset")
        if dataset.dtype.kind not in "iuf":
            raise self.fail(f"{name} has type {dataset.dtype}: must be numbers")
        wanted = tuple(actual if size is None else size for size, actual in zip(shape, dataset.shape or ()))
        if dataset.shape is None or len(dataset.shape) != len(shape) or dataset.shape != wanted:
            allowed = ", ".join("any" if size is None else str(size) for size in shape)
            raise self.fail(f"{name} has shape {dataset.shape}: must be ({allowed})")
        values = dataset[()]
        if finite and not np.all(np.isfinite(values)):
            raise self.fail(f"{name} has values that are not finite: must be finite")
        return values

    def run(self) -> Run:
        if "schema_version" not in self.file.attrs or "subsets" not in self.file:
            raise self.fail("is not a run file; must be one that gihflow train wrote")
        version = self.attribute("/", "schema_version", int)
        if not 1 <= version <= NEWEST_SCHEMA:
            raise self.fail(f"schema_version is {version}: must be from 1 to {NEWEST_SCHEMA}, what this package knows")
        members = self.numbers("/subsets", (None, None))
        subsets = [tuple(int(head) + 1 for head in np.flatnonzero(row)) for row in members]
        heads = members.shape[1]
        names = []
        while f"stage_{len(names) + 1}" in self.file:
            names.append(f"/stage_{len(names) + 1}")
        if not names:
            raise self.fail("has no stage: must have a group stage_1")
        window = self.numbers("/stage_1/w", (None, heads, None), finite=False).shape[2]
        if min(len(subsets), heads, window) < 1:
            raise self.fail(f"has {len(subsets)} subsets of {heads} heads with {window} lags: must be at least 1 of each")
        lag = np.tile(np.arange(1, window + 1), (heads, 1))
        if "lag" in self.file:
            lag = self.numbers("/lag", (heads, window)).astype(int)
            if lag.min() < 1:
                raise self.fail(f"/lag has the value {lag.min()}: must be at least 1")
        final = {}
        if "final" in self.file:
            shapes = {"c": (len(subsets),), "log_c_squared": (len(subsets),), "c_sign": (len(subsets),),
                      "w": (heads, window), "a": ()}
            final = {name: self.numbers(f"/final/{name}", shape, finite=False)
                     for name, shape in shapes.items()}
        lines = self.file.get("baselines", {})
        return Run(
            path=self.path,
            schema_version=version,
            outcome=self.attribute("/", "outcome", str),
            attributes=self.attributes("/"),
            execution=self.attributes("/execution") if "execution" in self.file else {},
            subsets=subsets,
            lag=lag,
            stages=[self.stage(name, number, len(subsets), heads, window) for number, name in enumerate(names, 1)],
            final=final,
            gih_lags=tuple(int(r) for r in self.file["baselines"].attrs.get("lags", ())) if lines else (),
            training_baselines=self.baselines("/baselines/training") if "training" in lines else None,
            validation_baselines=self.baselines("/baselines/validation") if "validation" in lines else None,
            standard_errors=self.standard_errors(),
        )

    def stage(self, name: str, number: int, subsets: int, heads: int, window: int) -> Stage:
        t = self.numbers(f"{name}/t", (None,))
        if len(t) == 0 or t[0] != 0 or not np.all(np.diff(t) > 0):
            raise self.fail(f"{name}/t must start at 0 and increase")
        sizes = {"S": subsets, "H": heads, "M": window}
        arrays: dict[str, np.ndarray | None] = {"validation_loss": None, "t": t}
        others = [key for key, item in self.file[name].items() if isinstance(item, h5py.Dataset)]
        for key in dict.fromkeys([*STAGE_DATASETS, *others]):
            if key == "t" or (key == "validation_loss" and key not in others):
                continue
            dataset = self.file[name].get(key)
            axes = [sizes[axis] for axis in STAGE_DATASETS[key]] if key in STAGE_DATASETS else [None] * (dataset.ndim - 1)
            arrays[key] = self.numbers(f"{name}/{key}", (len(t), *axes), finite=False)
        trained = self.attribute(name, "trained", str)
        if not re.fullmatch(rf"(?:[{BLOCKS}](?:\[[0-9,]+\]|(?:\{{[0-9,]*\}})+)?)+", trained):
            raise self.fail(f"attribute trained of {name} is {trained!r}: must be letters of {BLOCKS}, heads in brackets, sets in braces")
        return Stage(number=number, trained=trained, duration=self.attribute(name, "duration", float),
                     outcome=self.attribute(name, "outcome", str),
                     integrator=self.attribute(name, "integrator", str), attributes=self.attributes(name), arrays=arrays,
                     descriptions={key: self.description(f"{name}/{key}") for key in arrays if arrays[key] is not None})

    def description(self, name: str) -> tuple[str, str]:
        attributes = self.attributes(name)
        return str(attributes.get("units", "1")), str(attributes.get("long_name", ""))

    def standard_errors(self) -> dict[str, Any]:
        group = self.file.get("standard_errors", {})
        return {key: plain(dataset[()]) for key, dataset in group.items()}

    def baselines(self, name: str) -> Baselines:
        values = {}
        for field in fields(Baselines):
            may_lack = field.name.startswith("posterior") or field.default is None
            missing = may_lack and field.name not in self.file[name]
            values[field.name] = None if missing else float(self.numbers(f"{name}/{field.name}", (), finite=False))
        return Baselines(**values)
