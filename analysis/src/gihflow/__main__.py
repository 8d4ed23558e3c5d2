"""python3 -m gihflow RUN.h5 -o DIR: draws a run file, or the bands over seeds of a file of many runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from gihflow import findings, simplex  # noqa: F401  simplex registers its figure
from gihflow.bands import bands, caption
from gihflow.ensemble import is_ensemble, read_ensembles
from gihflow.figures import FIGURES
from gihflow.panels import STYLE
from gihflow.run_file import RunFileError, read

GOOD, BAD_INPUT, WRITE_ERROR = 0, 2, 4


def choice(allowed: tuple[str, ...]):
    """An argument type: a comma-separated list of allowed words."""

    def parse(text: str) -> list[str]:
        words = text.split(",")
        for word in words:
            if word not in allowed:
                raise argparse.ArgumentTypeError(f"{word!r} is unknown: must be of {', '.join(allowed)}")
        return words

    return parse


def resolution(text: str) -> int:
    value = int(text) if text.isdecimal() else 0
    if not 50 <= value <= 2400:
        raise argparse.ArgumentTypeError(f"{text!r}: must be an integer from 50 to 2400")
    return value


def pictures(path: str, wanted: list[str], column: bool) -> Iterable[tuple[str, Callable[[], Figure], str]]:
    """Name, drawing and caption of each figure of a file: of a run, or of each point of many runs."""
    if is_ensemble(path):
        ensembles = [one for one in read_ensembles(path) if any(len(stage.t) > 1 for stage in one.stages)]
        if not ensembles:
            raise RunFileError(f"{path}: has no point with replicas that are done, so that there is nothing to draw.")
        return [(f"bands_{one.point}", partial(bands, one, column=column), caption(one)) for one in ensembles]
    run = read(path)
    if not any(len(stage.t) > 1 for stage in run.stages):
        raise RunFileError(f"{path}: has no output time after t = 0 yet, so that there is nothing to draw.")
    return ((name, partial(FIGURES[name], run, column=column), getattr(findings, name)(run)) for name in wanted)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python3 -m gihflow", allow_abbrev=False,
        description="Draws a run file of gihflow train, or the bands over seeds of a file of many runs: figures and "
                    "captions.md, each caption also on stdout.",
        epilog="Exit codes: 0 good, 2 bad input, 4 the figures cannot be written.")
    parser.add_argument("run", metavar="RUN.h5", help="run file that gihflow train wrote, or table of gihflow sweep --collect")
    parser.add_argument("-o", "--output", metavar="DIR", type=Path, default=Path("figures"),
                        help="directory for the figures, made if it is missing (default: figures)")
    parser.add_argument("--figures", metavar="LIST", type=choice(tuple(FIGURES)), default=list(FIGURES),
                        help=f"which figures to draw (default: all of {','.join(FIGURES)})")
    parser.add_argument("--column", action="store_true", help="as wide as one of two columns of a page, not as its text")
    parser.add_argument("--formats", metavar="LIST", type=choice(("pdf", "png", "svg")), default=["pdf", "png"],
                        help="file formats, of pdf, png, svg (default: pdf,png)")
    parser.add_argument("--dpi", type=resolution, default=200, help="resolution of png (default: 200)")
    given = parser.parse_args(arguments)

    try:
        drawn = pictures(given.run, given.figures, given.column)
    except RunFileError as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    if given.output.exists() and not given.output.is_dir():
        print(f"--output {given.output}: is not a directory; must be one, or not exist yet.", file=sys.stderr)
        return BAD_INPUT

    try:
        given.output.mkdir(parents=True, exist_ok=True)
        paragraphs = []
        for name, draw, sentence in drawn:
            figure = draw()
            with matplotlib.rc_context(STYLE):
                for form in given.formats:  # without a date the same run gives the same bytes
                    metadata = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}.get(form)
                    figure.savefig(given.output / f"{name}.{form}", dpi=given.dpi, metadata=metadata)
                    figure.set_layout_engine("none")  # it stays as the first format has found it
            paragraphs.append(f"**{name}.** {sentence}\n")
            print(f"{name}: {sentence}")
        (given.output / "captions.md").write_text("\n".join(paragraphs), encoding="utf-8")
    except OSError as error:
        print(f"{error.filename or given.output}: cannot be written ({error.strerror}).", file=sys.stderr)
        return WRITE_ERROR
    return GOOD


if __name__ == "__main__":
    sys.exit(main())
