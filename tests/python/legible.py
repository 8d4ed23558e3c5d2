"""What of a figure cannot be read at the size at which it is drawn."""

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

LEAST = 7  # points


def beyond_the_limits(figure):
    """Labels of ticks that are not drawn, since they lie beyond the limits of their axis."""
    return {label for axes in figure.findobj(Axes) for axis in (axes.xaxis, axes.yaxis)
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()) for label in (tick.label1, tick.label2)
            if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())}


def faults(figure, may_cover=False):
    """A line for each text that is too small, cut off or, unless texts may cover each other, covers another."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    width, height = figure.get_size_inches() * figure.dpi
    beyond, boxes, found = beyond_the_limits(figure), [], []
    for text in figure.findobj(lambda artist: isinstance(artist, Text) and artist.get_text() and artist.get_visible()):
        box = text.get_window_extent(canvas.get_renderer())
        if text in beyond or box.width == 0:
            continue
        words = text.get_text()
        if text.get_fontsize() < LEAST:
            found.append(f"{words!r} has {text.get_fontsize()} points")
        if not (-1 <= box.x0 and box.x1 <= width + 1 and -1 <= box.y0 and box.y1 <= height + 1):
            found.append(f"{words!r} is cut off")
        for others, other in boxes:
            across = min(box.x1, other.x1) - max(box.x0, other.x0)
            along = min(box.y1, other.y1) - max(box.y0, other.y0)
            if across > 2 and along > 2 and not may_cover:
                found.append(f"{words!r} covers {others!r}")
        boxes.append((words, box))
    return found
