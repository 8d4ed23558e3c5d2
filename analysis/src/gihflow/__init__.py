"""Gradient flow of transformers that learn generalised induction heads.

`train`, `rank`, `predict`, `verify`, `check`, `audit`, `report`, `diff`, `compare`, `sample` and `evaluate` are the commands of the
program: options are keyword arguments, with underscores for dashes. `Objective` is loss and gradient on flat vectors, `read` opens a run file.
`read` and the modules `figures` and `findings` need no compiled module; they serve from the source tree too.
"""

from gihflow.run_file import Baselines, Run, RunFileError, Stage, read

COMPILED = ("train", "train_replicas", "rank", "predict", "verify", "check", "audit", "report", "diff", "compare", "sample", "evaluate")
__all__ = ["Baselines", "Objective", "Run", "RunFileError", "Stage", "read", *COMPILED]


def __getattr__(name: str):
    if name in COMPILED:
        from gihflow import commands

        return getattr(commands, name)
    if name == "Objective":
        from gihflow.objective import Objective

        return Objective
    if name in ("__version__", "git_commit"):
        from gihflow import _core

        return getattr(_core, name)
    raise AttributeError(f"module 'gihflow' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__, "__version__", "git_commit"])
