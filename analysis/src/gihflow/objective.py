"""Loss and gradient as functions of flat vectors, for optimisers and integrators of one's own."""

from __future__ import annotations

import inspect
import math
import os
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from gihflow import _core
from gihflow.arguments import Options, config_path
from gihflow.progress import Listener


class Block(NamedTuple):
    """A block of a flat vector: x[slice] reshaped to shape."""

    letter: str  # as in a schedule
    meaning: str
    shape: tuple[int, ...]
    slice: slice


def _laid_out(described) -> tuple[Block, ...]:
    blocks, begin = [], 0
    for letter, meaning, shape in described:
        end = begin + math.prod(shape)
        blocks.append(Block(letter, meaning, shape, slice(begin, end)))
        begin = end
    return tuple(blocks)


class Objective(_core.Objective):
    """The population loss (2.4) over fixed chains as a function of a flat vector x of float64, blocks one after another.

    `blocks` says which: c [subsets] in the order of `/subsets`, w [H, M] row by row, a. `value_and_gradient(x)` is made for
    scipy.optimize.minimize(..., jac=True), `hvp` for its hessp; `start` is the initial point, and -gradient(x) the right side
    of the flow (3.1) in x. Calls release the interpreter's lock and may come from several threads at once.

    Chains are drawn from the prior, or given: `tokens`, integers of any type [N, L+1], with `targets` [N, d] or else the last
    column as labels; `data`, a file or a Sample; `kernels`, a file or an array [N, d**n, d]. ValueError has one line for each
    fault.
    """

    def __init__(self, tokens: ArrayLike | None = None, targets: ArrayLike | None = None, *,
                 config: str | os.PathLike[str] | None = None, progress: bool = False, **options):
        if tokens is not None:
            if options.get("data") is not None:
                raise TypeError("Objective() takes tokens or data, not both")
            options["data"] = tokens
        elif targets is not None:
            raise TypeError("Objective() takes targets beside tokens only")
        values, inputs = Options("Objective").split(options, targets)
        with Listener(progress) as listener:
            super().__init__(values, config_path(config), inputs, listener)
        self.blocks: tuple[Block, ...] = _laid_out(self.described_blocks)

    def pack(self, **blocks: ArrayLike) -> np.ndarray:
        """A flat vector from its blocks by letter; one that is left out is as at the start."""
        x = self.start
        known = {block.letter: block for block in self.blocks}
        for letter, values in blocks.items():
            if letter not in known:
                raise TypeError(f"pack() got {letter!r}: the blocks are {', '.join(known)}")
            array = np.asarray(values, dtype=float)
            if array.shape != known[letter].shape:
                raise ValueError(f"{letter} {list(array.shape)}: must have the shape {list(known[letter].shape)}")
            x[known[letter].slice] = array.ravel()
        return x

    def unpack(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """The blocks of a flat vector by letter: views where x is an array, so that writing to them moves x."""
        x = np.asarray(x)
        if x.shape != (self.size,):
            raise ValueError(f"x {list(x.shape)}: must have the shape [{self.size}]")
        return {block.letter: x[block.slice].reshape(block.shape) for block in self.blocks}

    def __repr__(self) -> str:
        blocks = " | ".join(f"{block.letter} {list(block.shape)}" if block.shape else block.letter for block in self.blocks)
        return (f"Objective of {self.chains:,} chains in {self.size} parameters, {blocks}: {self.engine} engine, "
                f"{self.memory / 2**20:.1f} MiB")


Objective.__doc__ = f"{inspect.cleandoc(Objective.__doc__)}\n{Options('Objective').documentation()}\n"
