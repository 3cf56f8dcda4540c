"""One look for all pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import fill
from typing import Any

COLORMAP = "viridis"  # perceptually uniform, readable without colour vision
HOLE = "#d9d9d9"  # fibres that carry nothing
OUTLINE = "#4d4d4d"  # of holes
INTERFACE = "#ff4538"  # of inclusions that conduct: seen on all of the colour map
PATHWAY = "white"
BALL, BALL_EDGE = "#c3c7cc", "#33373c"  # lithium
FIBER_EDGE = "#101010"  # on stresses
WINDOW = "crimson"  # the frame of what is shown larger
DPI = 200
_LETTERS = 13  # of a title, in an inch

_SETTINGS = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.linewidth": 0.6,
    "axes.titlesize": 9,
    "axes.labelsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.direction": "out",
    "ytick.direction": "out",
    "legend.frameon": False,
    "legend.fontsize": 7,
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
}


def wrapped(title: str, inches: float) -> str:
    """`title` in lines that a width of `inches` holds, in the size of titles."""
    return fill(title, max(int(inches * _LETTERS), 10))


@contextmanager
def style() -> Iterator[Any]:
    """`matplotlib.pyplot` with the project's settings for the block."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    with mpl.rc_context(_SETTINGS):
        yield plt
        plt.close("all")
