#!/usr/bin/env python3
"""Draws docs/images/architecture.svg: the rooms, and the way of one number from the prior to a file.

    docs/images/architecture.py > docs/images/architecture.svg
"""

import re
from xml.sax.saxutils import escape

# room, what lives there; what the number is there, what makes it so; None: it passes by, and what the room does then.
# _{…} is a subscript.
ROOMS = (
    ("base", "random streams, errors, threads", "64 random bits", "of (seed, purpose, chain): base/random"),
    ("chain", "prior, kernels, sequences", "a row π(·|z), then tokens x_{1} … x_{L+1}", "draw_kernel (1.1), sample_prior (1.2)"),
    ("information", "chi-square informations", None, "ranks parent sets on the same kernels (6.2)"),
    ("model", "conventions, parameters", "p_{S} = c_{S}²/C_{D}, the weight of a set S of heads", "initial_parameters, (2.2)"),
    ("population", "statistics; loss and gradient", "counts of (window, token), then g_{S} = −∂L/∂p_{S}", "make_objective §4, gradient (3.1)"),
    ("flow", "coordinates, integrators, descent", "dθ_{S}/dt = 4/C_{D} (g_{S} − Σ p g), a step, a Snapshot", "train_flow (3.1)–(3.5)"),
    ("theory", "predictions, baselines, verification", None, "says when p_{S} should take over, measures when it did (7.1)"),
    ("record", "HDF5 files, written whole", "/stage_1/p [times, subsets] in run.h5", "write_run, docs/schema.md"),
    ("run", "settings, commands as functions", None, "one call that makes all of this: train(setting)"),
    ("cli", "the program", None, "the same as a command: gihflow train -o run.h5"),
)
WIDTH, ROW, TOP, LEFT, MIDDLE = 820, 58, 58, 20, 340
BLUE, GREY, INK = "#2f6db5", "#8a8f98", "#1d2430"


def text(x, y, words, size=14, fill=INK, more=""):
    words = re.sub(r"_\{(.*?)\}([^_]*)", r'<tspan dy="4" font-size="75%">\1</tspan><tspan dy="-4">\2</tspan>', escape(words))
    return f'<text x="{x}" y="{y}" font-size="{size}" fill="{fill}" {more}>{words}</text>'


def picture():
    height = TOP + ROW * len(ROOMS) + 14
    mono = 'font-family="DejaVu Sans Mono, monospace"'
    yield (f'<svg xml:space="preserve" xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
           'font-family="DejaVu Sans, Arial, sans-serif">')
    yield (f'<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
           f'<path d="M0 0 L8 4 L0 8 z" fill="{BLUE}"/></marker></defs>')
    yield f'<rect width="{WIDTH}" height="{height}" fill="white"/>'
    yield text(LEFT, 24, "Rooms", 16, more='font-weight="bold"')
    yield text(LEFT, 43, "each includes only rooms above it", 12, GREY)
    yield text(MIDDLE + 24, 24, "The way of one number", 16, more='font-weight="bold"')
    yield text(MIDDLE + 24, 43, "what it is, and what makes it so", 12, GREY)
    on_way = [i for i, row in enumerate(ROOMS) if row[2]]
    for i, (name, holds, number, how) in enumerate(ROOMS):
        y = TOP + ROW * i
        yield f'<rect x="{LEFT}" y="{y}" width="280" height="{ROW - 10}" rx="6" fill="#f3f5f8" stroke="#c9ced6"/>'
        yield text(LEFT + 14, y + 20, name, 15, more=f'font-weight="bold" {mono}')
        yield text(LEFT + 14, y + 38, holds, 12)
        middle = y + (ROW - 10) / 2
        if number:
            yield f'<circle cx="{MIDDLE}" cy="{middle}" r="6" fill="{BLUE}"/>'
            yield text(MIDDLE + 24, y + 20, number, 15)
            yield text(MIDDLE + 24, y + 38, how, 12, GREY, mono)
        else:
            yield text(MIDDLE + 44, y + 29, how, 13, GREY, 'font-style="italic"')
    for i, j in zip(on_way, on_way[1:]):
        top, bottom = (TOP + ROW * k + (ROW - 10) / 2 for k in (i, j))
        yield (f'<line x1="{MIDDLE}" y1="{top + 6}" x2="{MIDDLE}" y2="{bottom - 8}" stroke="{BLUE}" stroke-width="2" '
               'marker-end="url(#head)"/>')
    yield "</svg>"


if __name__ == "__main__":
    print("\n".join(picture()))
