# Written by scripts/python-stubs from the option table.
import os
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from gihflow import _core
from gihflow.ensemble import Ensemble
from gihflow.results import AuditReport, Check, Comparison, Difference, Evaluation, Page, Predictions, Ranking, Sample, Verification
from gihflow.run_file import Run

class Block(NamedTuple):
    letter: ForwardRef('str')
    meaning: ForwardRef('str')
    shape: ForwardRef('tuple[int, ...]')
    slice: ForwardRef('slice')

class Objective(_core.Objective):
    blocks: tuple[Block, ...]
    def __init__(
        self,
        tokens: ArrayLike | None = None,
        targets: ArrayLike | None = None,
        *,
        config: str | os.PathLike[str] | None = None,
        progress: bool = False,
        task: Literal['chain', 'recall'] = 'chain',
        vocabulary: int = 3,
        parents: Sequence[int] | str = (1, 2),
        prior: str | os.PathLike[str] = 'dirichlet',
        alpha: float = 0.1,
        floor: float = 0.0,
        initial_law: str | os.PathLike[str] = 'stationary',
        query: Literal['chain', 'uniform'] = 'chain',
        labels: Literal['conditional', 'sampled', 'posterior'] = 'conditional',
        length: int = 100,
        chains: int = 9000,
        data: str | os.PathLike[str] | ArrayLike | Sample | None = None,
        kernels: str | os.PathLike[str] | ArrayLike | None = None,
        text: str | os.PathLike[str] | None = None,
        text_as: Literal['kernels', 'passages'] = 'kernels',
        passage: int = 0,
        parameters: str | os.PathLike[str] | Run | None = None,
        preset: Literal['paper', 'reference', 'full'] | None = None,
        context: Literal['finite', 'infinite'] = 'finite',
        window: int = 3,
        lags: Sequence[int] | str | None = None,
        head_lags: str | os.PathLike[str] | None = None,
        heads: int = 3,
        degree: int = 2,
        boundary: Literal['masked', 'partial'] = 'masked',
        head_windows: Literal['shared', 'shifted'] = 'shared',
        head_normalization: Literal['none', 'l2', 'layer', 'rms'] = 'none',
        scores: Literal['positions', 'tokens'] = 'positions',
        own_position: bool = False,
        values: Literal['identity', 'matrix'] = 'identity',
        rectify: bool = False,
        rectify_width: float | None = None,
        readout: Literal['log', 'softmax'] = 'log',
        positions: Literal['last', 'all'] = 'last',
        epsilon: float = 0.01,
        w_own: float = 3.0,
        w_other: float = 0.01,
        c_init: float = 0.01,
        a_init: float = 0.01,
        qk_init: float = 0.001,
        value_init: float = 0.001,
        engine: Literal['auto', 'dense', 'sparse', 'reference'] = 'auto',
        device: Literal['auto', 'cpu', 'cuda'] = 'auto',
        threads: int | None = None,
        seed: int = 1,
    ) -> None: ...
    def pack(self, **blocks: ArrayLike) -> np.ndarray: ...
    def unpack(self, x: np.ndarray) -> dict[str, np.ndarray]: ...
