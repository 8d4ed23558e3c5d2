"""A run as an xarray.Dataset."""

from __future__ import annotations

from typing import Any

import numpy as np

from gihflow.findings import set_name
from gihflow.run_file import Run

AXES = {"subset": "heads of a subset, counted from 1", "head": "head", "component": "component of a head's window"}


def dimensions(run: Run, array: np.ndarray, name: str) -> tuple[str, ...]:
    """Names of the axes of a column, by its shape: (), [subsets] or [H, M] after the times."""
    inner = array.shape[1:]
    if inner == run.lag.shape:
        return ("time", "head", "component")
    if inner == (len(run.subsets),):
        return ("time", "subset")
    return ("time", *(f"{name}_{axis}" for axis in range(1, array.ndim)))


def dataset(run: Run) -> Any:
    try:
        import xarray
    except ImportError as error:
        raise ImportError("Run.to_xarray needs xarray: pip install xarray, or the package python3-xarray") from error
    names = [name for name in run.stages[0].arrays if all(stage.arrays.get(name) is not None for stage in run.stages)]
    columns, descriptions = {}, run.stages[0].descriptions
    for name in names:
        array = np.concatenate([stage.arrays[name] for stage in run.stages])
        units, meaning = descriptions.get(name, ("1", ""))
        columns[name] = (dimensions(run, array, name), array, {"units": units, "long_name": meaning})
    number = np.repeat([stage.number for stage in run.stages], [len(stage.t) for stage in run.stages])
    coordinates = {
        "t": columns.pop("t"),
        "stage": ("time", number, {"long_name": "stage, counted from 1"}),
        "subset": ("subset", [set_name(members) for members in run.subsets], {"long_name": AXES["subset"]}),
        "head": ("head", np.arange(1, run.lag.shape[0] + 1), {"long_name": AXES["head"]}),
        "component": ("component", np.arange(1, run.lag.shape[1] + 1), {"long_name": AXES["component"]}),
        "lag": (("head", "component"), run.lag, {"long_name": "lag that a component looks at"}),
    }
    return xarray.Dataset(columns, coordinates, dict(run.attributes))
