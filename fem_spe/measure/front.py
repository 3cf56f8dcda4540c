"""The front of a deposit: the line where the order parameter is 1/2, and what tells its shape.

Height over a column: the highest crossing of the front there. What overhangs hides what lies
below it, as it would from a profilometer; pockets of electrolyte below the front do not count.
Columns without a crossing, as where a fibre cuts through the front, have no height: the coverage
is the share of those that have one. R_a = mean |y - mean y| over them (ISO 21920-2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HALF = 0.5
COLUMNS = 2000  # across the width


@dataclass(frozen=True)
class Front:
    """The shape of a front.

    Attributes:
        height: Mean, m.
        top: Highest point, m.
        roughness: R_a, m.
        coverage: Share of the width that has a front.
        length: Of the whole line over the width.
        tips: Peaks that stand out by more than a given height.
    """

    height: float
    top: float
    roughness: float
    coverage: float
    length: float
    tips: int


def contour(
    points: Floats,
    triangles: NDArray[np.int64],
    order: Floats,
    values: Floats | None = None,
    level: float = HALF,
) -> Floats:
    """Where a function that is linear on triangles has the value `level`.

    Args:
        points: Of the mesh, shape (n, 2).
        triangles: Corners, shape (cells, 3).
        order: The function at the points, shape (n,).
        values: Others that are wanted along the line, shape (n, k).
        level: The value sought.

    Returns:
        Straight pieces, shape (pieces, 2, 2 + k): both ends with position and values.
    """
    whole = points if values is None else np.column_stack([points, values])
    above = order[triangles] >= level
    count = above.sum(axis=1)
    cut = (count == 1) | (count == 2)
    corners, above = triangles[cut], above[cut]
    # turn each cut triangle so that its first corner is alone on its side
    alone = np.where(count[cut] == 1, above.argmax(axis=1), (~above).argmax(axis=1))
    rows = np.arange(len(corners))
    apex = corners[rows, alone]
    ends = []
    for turn in (1, 2):
        other = corners[rows, (alone + turn) % 3]
        share = (level - order[apex]) / (order[other] - order[apex])
        ends.append(whole[apex] + share[:, None] * (whole[other] - whole[apex]))
    return np.stack(ends, axis=1)


def heights(pieces: Floats, left: float, right: float, columns: int = COLUMNS) -> Floats:
    """The highest crossing over the middle of each column; NaN where there is none.

    Args:
        pieces: From `contour`.
        left, right: Ends of the width, m.
        columns: Their number.
    """
    found = np.full(columns, -np.inf)
    x = (pieces[:, :, 0] - left) / (right - left) * columns - 0.5  # in columns
    first, last = np.ceil(x.min(axis=1)).astype(int), np.floor(x.max(axis=1)).astype(int)
    first, last = np.maximum(first, 0), np.minimum(last, columns - 1)
    many = np.maximum(last - first + 1, 0)
    piece = np.repeat(np.arange(len(pieces)), many)
    start = np.repeat(np.cumsum(many) - many, many)
    column = first[piece] + np.arange(len(piece)) - start
    width = x[piece, 1] - x[piece, 0]
    share = np.divide(column - x[piece, 0], width, out=np.zeros(len(piece)), where=width != 0)
    y = pieces[:, :, 1]
    crossing = y[piece, 0] + share * (y[piece, 1] - y[piece, 0])
    # a piece that stands upright on a column's middle reaches up to its higher end
    crossing = np.where(width == 0, y[piece].max(axis=1), crossing)
    np.maximum.at(found, column, crossing)
    return np.where(np.isfinite(found), found, np.nan)


def front(pieces: Floats, left: float, right: float, tip: float) -> Front | None:
    """The shape of the front; None where there is none.

    Args:
        pieces: From `contour`.
        left, right: Ends of the width, m.
        tip: Height by which a peak must stand out to count, m.
    """
    if len(pieces) == 0:
        return None
    y = heights(pieces, left, right)
    there = np.isfinite(y)
    if not there.any():
        return None
    mean = float(y[there].mean())
    along = np.linalg.norm(pieces[:, 1, :2] - pieces[:, 0, :2], axis=1).sum()
    peaks, _ = scipy.signal.find_peaks(y[there], prominence=tip)
    return Front(
        mean,
        float(pieces[:, :, 1].max()),
        float(np.abs(y[there] - mean).mean()),
        float(there.mean()),
        float(along / (right - left)),
        len(peaks),
    )
