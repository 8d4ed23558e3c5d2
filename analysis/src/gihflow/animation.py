"""The overview of a run in motion, for talks: its curves are drawn as the slider of flow time goes on.

    python3 -m gihflow.animation run.h5 -o run.gif        # or run.mp4, with ffmpeg
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.animation import FFMpegWriter, PillowWriter
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from gihflow.figures import overview
from gihflow.panels import STYLE
from gihflow.run_file import Run, RunFileError, read

WRITERS = {".gif": PillowWriter, ".mp4": FFMpegWriter}
VEIL = 0.93  # how much of what is to come is hidden
HELD = 1.5  # seconds for which the end stays


def frames(run: Run, count: int, dpi: float) -> Iterator[np.ndarray]:
    """[height, width, 3] pictures of the overview, uint8: at the k-th of `count` the run has come to that share of its
    outputs. What is to come is veiled, and a line stands where the run is. The last one is the whole overview."""
    with rc_context(STYLE):
        figure = overview(run)
        figure.set_dpi(dpi)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
    whole = np.asarray(canvas.buffer_rgba())[..., :3].copy()
    height, width = (side - side % 2 for side in whole.shape[:2])  # films want even sides
    whole = whole[:height, :width]
    begun = [stage for stage in run.stages if len(stage.t) > 1]
    panels = [axes for axes in figure.axes if axes.get_xscale() == "log"]
    columns = [panels[k::len(begun)] for k in range(len(begun))]
    outputs = [(k, i) for k, stage in enumerate(begun) for i in range(len(stage.t))]
    for frame in range(count):
        now, i = outputs[round(frame / max(count - 1, 1) * (len(outputs) - 1))]
        picture = whole.copy()
        if frame < count - 1:
            for k in range(now, len(begun)):
                for axes in columns[k]:
                    box = axes.get_window_extent()
                    left = box.x0 - 6  # with the circle at t = 0
                    if k == now and i > 0:
                        left = axes.transData.transform((begun[k].t[i], 0.5))[0] if begun[k].t[i] > 0 else left
                    top, bottom = round(height - box.y1) - 4, round(height - box.y0) + 4
                    begin, end = max(0, round(left)), min(width, round(box.x1) + 6)
                    picture[top:bottom, begin:end] = VEIL * 255 + (1 - VEIL) * picture[top:bottom, begin:end]
                    if k == now:
                        picture[top:bottom, begin:begin + 2] = 60
        yield picture


def animate(run: Run, path: Path, seconds: float = 10.0, rate: int = 15, dpi: float = 110) -> None:
    """Writes the film. ValueError for a name that ends in neither .gif nor .mp4, or where ffmpeg is missing."""
    writer_of = WRITERS.get(path.suffix)
    if writer_of is None:
        raise ValueError(f"{path}: must end in {' or '.join(WRITERS)}")
    if not writer_of.isAvailable():
        raise ValueError(f"{path}: needs ffmpeg, which is not installed; a name that ends in .gif does not")
    pictures = frames(run, max(2, round(seconds * rate)), dpi)
    picture = next(pictures)
    film = Figure(figsize=(picture.shape[1] / dpi, picture.shape[0] / dpi), dpi=dpi)
    FigureCanvasAgg(film)
    shown = film.figimage(picture)
    writer = writer_of(fps=rate)
    with writer.saving(film, str(path), dpi):
        writer.grab_frame()
        for picture in pictures:
            shown.set_data(picture)
            writer.grab_frame()
        for _ in range(round(HELD * rate)):
            writer.grab_frame()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m gihflow.animation", allow_abbrev=False,
                                     description="Makes a film of a run: its overview, drawn as flow time goes on.")
    parser.add_argument("run", metavar="RUN.h5", help="run file that gihflow train wrote")
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, default=Path("run.gif"),
                        help="film to write: gif, or mp4 where ffmpeg is installed (default: run.gif)")
    parser.add_argument("--seconds", metavar="S", type=float, default=10.0, help="how long the run takes (default: 10)")
    parser.add_argument("--rate", metavar="N", type=int, default=15, help="pictures a second (default: 15)")
    parser.add_argument("--dpi", metavar="N", type=int, default=110, help="resolution (default: 110)")
    given = parser.parse_args(arguments)
    if not (0 < given.seconds <= 600 and 1 <= given.rate <= 60 and 50 <= given.dpi <= 600):
        parser.error("--seconds must be above 0 and at most 600, --rate from 1 to 60, --dpi from 50 to 600")
    try:
        run = read(given.run)
        if not any(len(stage.t) > 1 for stage in run.stages):
            raise RunFileError(f"{given.run}: has no output time after t = 0 yet, so that there is nothing to draw.")
        animate(run, given.output, given.seconds, given.rate, given.dpi)
    except (RunFileError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{given.output}: cannot be written ({error.strerror}).", file=sys.stderr)
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main())
