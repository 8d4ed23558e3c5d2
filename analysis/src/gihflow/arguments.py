"""Keyword arguments as options of the program: signatures, docstrings, values."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from typing import Any

import numpy as np

try:
    from gihflow import _core
except ImportError as error:
    raise ImportError(
        "gihflow's compiled module is missing or does not fit this Python: install the package with "
        "`pip install .` in the root of its sources; gihflow.read and the figures work without it") from error

HELD = ("data", "validation_data", "kernels", "parameters")  # files that may be given as arrays instead
AN_ARRAY = "an array"  # what messages call them


def plain(value: Any) -> Any:
    """A value as the compiled module takes it: bool, int, float, str or a list of these."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (np.integer, np.floating)):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if is_path(value):
        return os.fspath(value)
    if isinstance(value, (list, tuple, range)):
        return [plain(entry) for entry in value]
    return value


WORDS = {"flag": "True or False", "integer": "an integer", "real": "a number", "text": "a text", "integers": "integers",
         "reals": "numbers", "words": "texts"}


def checked(row: dict[str, Any], given: Any) -> Any:
    """The same for an option; ValueError where no option can have such a value."""
    value = plain(given)
    entries = value if isinstance(value, list) else [value]
    alike = {float if type(entry) is int else type(entry) for entry in entries}
    text = row["kind"] == "text"
    if len(alike) > 1 or not alike <= {bool, float, str} or (text and alike != {str}):
        raise ValueError(f"{row['name']} {given!r}: must be {' or '.join(row['choices']) or WORDS[row['kind']]}")
    return value


def numbers(name: str, given: Any) -> np.ndarray:
    try:
        return np.ascontiguousarray(given, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} {given!r}: must be an array of numbers") from None


def tokens(name: str, given: Any, vocabulary: Any, parents: Any, targets: Any = None) -> dict[str, Any]:
    """Sequences held in memory: an array [N, L+1], a pair of it and targets [N, d], or a Sample."""
    known = ()
    if hasattr(given, "tokens") and hasattr(given, "targets"):
        given, targets, vocabulary, known = given.tokens, given.targets, given.vocabulary, given.parents
    elif isinstance(given, tuple):
        given, targets = given
    array = np.asarray(given)
    if array.dtype.kind not in "iu" or array.ndim != 2 or array.shape[1] < 2:
        raise ValueError(f"{name} {array.dtype} {list(array.shape)}: must be integers [N, L+1], the label last")
    if array.size and array.min() < 0:
        raise ValueError(f"{name} {array.min()}: must be tokens of at least 0")
    if targets is not None:
        targets = numbers("targets", targets)
        if targets.ndim != 2 or len(targets) != len(array):
            raise ValueError(f"targets {list(targets.shape)}: must be numbers [N, d], a row for each sequence")
    if vocabulary is None:
        vocabulary = targets.shape[1] if targets is not None else max(2, int(array.max(initial=1)) + 1)
    parents = known if parents is None else parents
    return {"tokens": np.ascontiguousarray(array), "targets": targets, "vocabulary": int(vocabulary),
            "parents": [int(lag) for lag in parents]}


def kernels(given: Any, parents: Any) -> dict[str, Any]:
    """Transition kernels held in memory, [N, d**n, d] for n parents."""
    array = numbers("kernels", given)
    if array.ndim != 3:
        raise ValueError(f"kernels {list(array.shape)}: must be numbers [N, d**n, d] for n parents")
    if parents is None:  # as many neighbours as there are digits in a context
        contexts, order = array.shape[1], 0
        while array.shape[2] ** order < contexts:
            order += 1
        parents = range(1, order + 1)
    return {"values": array, "parents": [int(lag) for lag in parents]}


def is_path(given: Any) -> bool:
    return isinstance(given, (str, os.PathLike))


def path_named(name: str, given: Any, allowed: str = "a path") -> str:
    """The argument of this name as a path. TypeError names it where it is something else."""
    if not is_path(given):
        raise TypeError(f"{name} {given!r}: must be {allowed}")
    return os.fspath(given)


def config_path(given: Any) -> str:
    """The argument config as the compiled module takes it."""
    return "" if given is None else path_named("config", given)


class Options:
    """The options of one function."""

    def __init__(self, function: str, without: tuple[str, ...] = ()):
        self.function = function
        self.rows = {row["name"]: row for row in _core.options(function) if row["name"] not in without}

    def split(self, given: dict[str, Any], targets: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """Values of options, those that are None left out, and inputs that are held in memory."""
        values, inputs = {}, {}
        for name, value in given.items():
            if name not in self.rows:
                near = _core.nearest(name, list(self.rows))
                hint = f"; the nearest is {near}" if near else ""
                raise TypeError(f"{self.function}() got an unexpected keyword argument {name!r}{hint}")
            if value is None:
                continue
            if name in HELD and not is_path(value):
                inputs[name], value = self.held(name, value, given, targets), AN_ARRAY
            values[name] = checked(self.rows[name], value)
        return values, inputs

    def held(self, name: str, value: Any, given: dict[str, Any], targets: Any) -> Any:
        if name == "parameters":
            if not hasattr(value, "in_memory"):
                raise ValueError(f"parameters {value!r}: must be a run or the path of a file")
            return value.in_memory()
        if name == "kernels":
            return kernels(value, given.get("parents"))
        return tokens(name, value, given.get("vocabulary"), given.get("parents"), targets)

    def parameters(self) -> list[inspect.Parameter]:
        """Keyword arguments, with the defaults of the option table."""
        return [inspect.Parameter(row["name"], inspect.Parameter.KEYWORD_ONLY, default=row["default"],
                                  annotation=annotation(row)) for row in self.rows.values()]

    def documentation(self) -> str:
        """The options as a docstring lists them."""
        lines, heading = [], None
        for row in self.rows.values():
            if row["heading"] != heading:
                heading = row["heading"]
                lines += ["", heading, "-" * len(heading)]
            default = row["default"] if row["default"] is not None else row["unset"]
            choices = f" ({', '.join(row['choices'])})" if row["choices"] else ""
            lines.append(f"{row['name']}: {row['help']}{choices}. Default: {default}.")
        return "\n".join(lines)


KINDS = {"flag": "bool", "integer": "int", "real": "float", "text": "str | os.PathLike[str]", "integers": "Sequence[int] | str",
         "reals": "Sequence[float] | str", "words": "Sequence[str] | str"}


def annotation(row: dict[str, Any]) -> str:
    """What an argument may be, as the stubs say it."""
    text = f"Literal[{', '.join(map(repr, row['choices']))}]" if row["choices"] else KINDS[row["kind"]]
    if row["name"] in HELD:
        text += {"kernels": " | ArrayLike", "parameters": " | Run"}.get(row["name"], " | ArrayLike | Sample")
    return text if row["default"] is not None else f"{text} | None"


def takes_options(function: Callable, options: Options | None = None) -> Callable:
    """Gives a function that takes **options their names, defaults and documentation."""
    options = options or Options(function.__name__)
    signature = inspect.signature(function)
    own = [parameter for parameter in signature.parameters.values() if parameter.kind != inspect.Parameter.VAR_KEYWORD]
    named = {parameter.name for parameter in own}
    more = [parameter for parameter in options.parameters() if parameter.name not in named]
    function.__signature__ = signature.replace(parameters=own + more)
    function.__doc__ = f"{inspect.cleandoc(function.__doc__)}\n{options.documentation()}\n"
    return function
