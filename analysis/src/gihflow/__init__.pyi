from gihflow.commands import audit as audit
from gihflow.commands import check as check
from gihflow.commands import compare as compare
from gihflow.commands import diff as diff
from gihflow.commands import evaluate as evaluate
from gihflow.commands import predict as predict
from gihflow.commands import rank as rank
from gihflow.commands import report as report
from gihflow.commands import sample as sample
from gihflow.commands import train as train
from gihflow.commands import train_replicas as train_replicas
from gihflow.commands import verify as verify
from gihflow.objective import Objective as Objective
from gihflow.run_file import Baselines as Baselines
from gihflow.run_file import Run as Run
from gihflow.run_file import RunFileError as RunFileError
from gihflow.run_file import Stage as Stage
from gihflow.run_file import read as read

__version__: str
git_commit: str
__all__: list[str]
COMPILED: tuple[str, ...]
