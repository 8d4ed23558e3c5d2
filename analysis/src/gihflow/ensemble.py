"""Many runs in one file, as `gihflow sweep --collect` and `gihflow train --replicas` write it, or trained here by
`gihflow.train_replicas`: bands over seeds.

The table of such a file opens in xarray and, from CSV, in pandas; docs/schema.md describes it. Here is what it says of
trajectories: at every output time of a stage, the mean, the standard deviation and quantiles over runs that differ in
their seed alone.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import h5py
import numpy as np

from gihflow.run_file import Run, RunFileError


@dataclass(frozen=True)
class EnsembleStage:
    """A stage over replicas. Arrays begin with the output time: mean["p"] is [times, subsets], quantiles["p"]
    [levels, times, subsets]."""

    number: int  # 1-based
    trained: str
    duration: float
    t: np.ndarray
    replicas: np.ndarray  # [times], runs that recorded it
    mean: dict[str, np.ndarray]
    deviation: dict[str, np.ndarray]  # NaN of one run
    quantiles: dict[str, np.ndarray]

    def standard_error(self, name: str) -> np.ndarray:
        """Monte Carlo error of the mean: deviation / sqrt(replicas)."""
        values = self.deviation[name]
        return values / np.sqrt(self.replicas).reshape(-1, *[1] * (values.ndim - 1))


@dataclass(frozen=True, repr=False)
class Ensemble:
    """Runs that differ in their seed alone."""

    path: str | None  # None: in memory
    point: int  # from 1, as in the column `point` of the table
    options: dict[str, Any]  # that the plan sweeps, but for the seed
    levels: np.ndarray  # of the quantiles
    subsets: list[tuple[int, ...]]  # heads of each set, counted from 1
    stages: list[EnsembleStage]
    runs: tuple[Run, ...] = field(default=(), repr=False)  # where they were trained here

    def __repr__(self) -> str:
        lines = [f"Ensemble of gihflow: {self.stages[0].replicas[0] if self.stages else 0} runs"
                 + (f", {self.path}, point {self.point}" if self.path else ", in memory")]
        for stage in self.stages:
            loss, error = stage.mean["loss"], stage.standard_error("loss")
            lines.append(f"  stage {stage.number} {stage.trained}: t = {stage.t[-1]:g} of {stage.duration:g}, loss "
                         f"{loss[0]:.6f} ± {error[0]:.6f} → {loss[-1]:.6f} ± {error[-1]:.6f} (standard errors over seeds)")
        return "\n".join(lines)


def _stage(group: h5py.Group, number: int) -> EnsembleStage:
    def columns(suffix: str) -> dict[str, np.ndarray]:
        return {name.removesuffix(suffix): group[name][()] for name in group if name.endswith(suffix)}

    return EnsembleStage(number=number, trained=group.attrs["trained"], duration=float(group.attrs["duration"]),
                         t=group["t"][()], replicas=group["replicas"][()], mean=columns("_mean"),
                         deviation=columns("_deviation"), quantiles=columns("_quantile"))


def is_ensemble(path: str | os.PathLike) -> bool:
    """Whether a file holds many runs."""
    try:
        with h5py.File(path) as file:
            return "plan" in file.attrs and "row" in file
    except OSError:
        return False


def read_ensembles(path: str | os.PathLike) -> list[Ensemble]:
    """Every point of which runs were done, in the order of the plan; none of a plan without replicas. Raises RunFileError
    for a file of another kind."""
    if not is_ensemble(path):
        raise RunFileError(f"{path}: is not a file of many runs; must be one that gihflow sweep --collect wrote.")
    found = []
    with h5py.File(path) as file:
        names = sorted((name for name in file if name.startswith("point_")), key=lambda name: int(name[6:]))
        for name in names:
            group = file[name]
            members = group["subsets"][()] if "subsets" in group else file["subsets"][()]
            stages = [key for key in group if key.startswith("stage_")]
            found.append(Ensemble(
                path=str(path), point=int(name[6:]), options=dict(group.attrs), levels=group["stage_1/quantile"][()],
                subsets=[tuple(int(h) + 1 for h in np.flatnonzero(row)) for row in members],
                stages=[_stage(group[f"stage_{k + 1}"], k + 1) for k in range(len(stages))]))
    return found
