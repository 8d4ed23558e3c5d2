"""Run files of gihflow as arrays, and figures of them.

`read` needs numpy and h5py alone; the modules `figures` and `findings` draw a run and put its result into words.
"""

from gihflow.run_file import Baselines, Run, RunFileError, Stage, read

__all__ = ["Baselines", "Run", "RunFileError", "Stage", "read"]
