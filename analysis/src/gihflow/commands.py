"""The commands of the program as functions: options are keyword arguments, results objects that print themselves."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from gihflow import _core, results
from gihflow.arguments import Options, config_path, path_named, takes_options
from gihflow.ensemble import Ensemble, EnsembleStage
from gihflow.progress import Listener
from gihflow.run_file import Run

A_RUN = "a Run or the path of its file"


def call(function: Callable, finish: Callable, name: str, options: dict[str, Any], config, progress: bool, *before, **more):
    """Calls a function of the compiled module. What ends it early, Ctrl-C above all, carries what it has come to."""
    values, inputs = Options(name).split(options)
    config = config_path(config)
    with Listener(progress) as listener:
        try:
            return finish(function(*before, values, config, inputs, listener, **more))
        except BaseException as raised:
            if hasattr(raised, "unfinished"):
                core, raised.result = raised.unfinished, None
                del raised.unfinished
                if core is not None:
                    raised.result = finish(core)
            raise


@takes_options
def train(*, config: str | os.PathLike[str] | None = None, progress: bool = True, **options) -> Run:
    """Trains the two-attention-layer transformer by gradient flow, or descent, through a schedule of stages.

    Without options it is the three-stage experiment of the paper. Times are flow times, losses are in nats. Without `output`
    nothing is written; what a file would hold is what the run returned has, bit for bit.

    Ctrl-C ends after the current step: the KeyboardInterrupt has the run so far as its `result`, None where no training had
    begun, and `output` holds it too. ValueError has one line for each fault of the options.
    """
    return call(_core.train, lambda core: Run.trained(core, path_of(options)), "train", options, config, progress, "train")


REPLICATED = Options("train", without=("output", "force", "resume", "checkpoint_every", "max_wall"))


@functools.partial(takes_options, options=REPLICATED)
def train_replicas(replicas: int, *, config: str | os.PathLike[str] | None = None, progress: bool = True, **options) -> Ensemble:
    """Trains runs that differ in their seed alone, one after the other, from the given seed on: their means, standard
    deviations and quantiles at every output time, as `gihflow train --replicas` records them, and the runs.

    Ctrl-C ends it; the `result` of the KeyboardInterrupt is the ensemble of the runs that were done, None without one.
    """
    if isinstance(replicas, bool) or not isinstance(replicas, (int, np.integer)) or replicas < 1:
        raise ValueError(f"replicas {replicas}: must be an integer of at least 1")
    REPLICATED.split(options)  # whose names are right before anything is trained
    runs: list[Run] = []
    try:
        while len(runs) < replicas:
            seed = {"seed": runs[0].attributes["seed"] + len(runs)} if runs else {}
            runs.append(train(config=config, progress=progress, **{**options, **seed}))
    except BaseException as raised:
        raised.result = ensemble_of(runs) if runs else None
        raise
    return ensemble_of(runs)


def ensemble_of(runs: list[Run]) -> Ensemble:
    stages = [EnsembleStage(number=number, **stage) for number, stage in enumerate(_core.ensemble([run.core for run in runs]), 1)]
    return Ensemble(path=None, point=1, options={}, levels=np.array(_core.quantile_levels), subsets=runs[0].subsets, stages=stages,
                    runs=tuple(runs))


def path_of(options: dict[str, Any]) -> str | None:
    path = options.get("resume") or options.get("output")
    return None if path is None else os.fspath(path)


def resume(run: Run, progress: bool, options: dict[str, Any]) -> Run:
    """Continues a run in memory."""
    return call(_core.train, lambda core: Run.trained(core, None), "train", options, None, progress, "train",
                resumed=run.core)


@takes_options
def evaluate(*, config: str | os.PathLike[str] | None = None, progress: bool = True, **options) -> results.Evaluation:
    """Loss (2.4) and gradient with their Monte Carlo standard errors, at given parameters or at the initial point."""
    return call(_core.evaluate, lambda core: results.Evaluation(**core), "evaluate", options, config, progress)


@takes_options
def rank(*, config: str | os.PathLike[str] | None = None, progress: bool = True, **options) -> results.Ranking:
    """Ranks every set of lags by its modified chi-square mutual information (6.2), exact for each chain."""
    return call(_core.rank, lambda core: results.Ranking(**core), "rank", options, config, progress)


@takes_options
def predict(*, config: str | os.PathLike[str] | None = None, progress: bool = True, **options) -> results.Predictions:
    """What theory predicts for the training that a setting describes, each with the regime in which it is exact."""
    return call(_core.predict, results.Predictions, "predict", options, config, progress)


@takes_options
def verify(*, config: str | os.PathLike[str] | None = None, progress: bool = True, **options) -> results.Verification:
    """Runs the flow where the predictions of theory are sharp, and holds them against what it does."""
    return call(_core.verify, lambda core: results.Verification(**core), "verify", options, config, progress)


@takes_options
def check(run: Run | str | os.PathLike[str], *, config: str | os.PathLike[str] | None = None, progress: bool = True,
          **options) -> results.Check:
    """Has a run become the generalised induction head of its information set? On fresh chains, by total variation."""
    return call(_core.check, lambda core: results.Check(**core), "check", options, config, progress, held(run))


@takes_options
def audit(run: Run | str | os.PathLike[str], *, config: str | os.PathLike[str] | None = None, progress: bool = True,
          **options) -> results.AuditReport:
    """Computes stretches of a recorded run again, by default one at random, and compares bits."""
    return call(_core.audit, lambda core: results.AuditReport(**core), "audit", options, config, progress, held(run))


@takes_options
def report(*runs: Run | str | os.PathLike[str], config: str | os.PathLike[str] | None = None, progress: bool = True,
           **options) -> results.Page:
    """A page that shows runs side by side over flow time, or a table of many runs, which is given alone; in notebooks it shows
    itself. Nothing is written without `output`.
    """
    if not runs:
        raise TypeError("report() needs a run, or the path of its file")
    named = [(run_name(run, number), held(run)) for number, run in enumerate(runs, 1)]
    return call(_core.report, results.Page, "report", options, config, progress, named)


def diff(a: Run | str | os.PathLike[str], b: Run | str | os.PathLike[str]) -> results.Difference:
    """Where two files differ, of runs or of any other kind, by how much, and since which output. A run stands for its file."""
    paths = [run.path if isinstance(run, Run) else path_named(name, run, A_RUN) for name, run in (("a", a), ("b", b))]
    if None in paths:
        raise ValueError("diff() compares files: save a run that is in memory alone")
    return results.Difference(**_core.diff(*paths))


def held(run: Run | str | os.PathLike[str]) -> Any:
    """A run as the compiled module takes it: in memory where it is, else its path."""
    return run.core or run.path if isinstance(run, Run) else path_named("run", run, A_RUN)


def run_name(run: Run | str | os.PathLike[str], number: int) -> str:
    return (run.path or f"run {number}") if isinstance(run, Run) else path_named("run", run, A_RUN)


@takes_options
def compare(*, config: str | os.PathLike[str] | None = None, progress: bool = True, **options) -> results.Comparison:
    """Gradient descent of several learning rates beside the flow, on the same chains from the same start."""
    return call(_core.compare, lambda core: results.Comparison(**core), "compare", options, config, progress)


@takes_options
def sample(*, config: str | os.PathLike[str] | None = None, progress: bool = True, **options) -> results.Sample:
    """Draws chains and one sequence from each; its arrays are what train(data=...) and Objective(data=...) take."""
    return call(_core.sample, lambda core: results.Sample(**core), "sample", options, config, progress)
