"""Thin layers of the first phase between the top of a box and the second phase: finer cells.

Where the structure is pressed from above, such a film is squeezed, and a single cell across it
gives way as no film does. Cells about the rest of the interface stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fem_spe.meshing.implicit.octree import Grid, Mask
from fem_spe.meshing.sizes import Spot

_MOST_POINTS = 3e7  # of the grid on which the distance is known: no more levels than that


def levels_below(values: NDArray[np.float32], lattice: Grid, spots: Sequence[Spot]) -> int:
    """How often cubes of `lattice` are to be halved for the thinnest film under the spots.

    Args:
        values: Signed distance at the lattice's points, m.
        lattice: With the cubes that the interface has elsewhere.
        spots: Of which some want films resolved.
    """
    x, y = (np.linspace(0.0, lattice.size[k], values.shape[k]) for k in range(2))
    below = 0
    for spot in spots:
        near = np.hypot(x[:, None] - spot.place[0], y[None, :] - spot.place[1]) <= spot.radius
        film = values[:, :, -1][near]
        thinnest = film[film > 0].min(initial=np.inf)
        for level in range(below, spot.film):
            fits = 8.0 ** (level + 1) * values.size <= _MOST_POINTS
            if fits and thinnest < spot.across * lattice.edges[-1] / 2**level:
                below = level + 1
    return below


def in_films(values: NDArray[np.float32], lattice: Grid, spots: Sequence[Spot]) -> list[Mask]:
    """Per level from 1 to `lattice.below`, the cubes that are too large for their film.

    Between top and second phase the distances to both add up to no less than the film's
    thickness.

    Args:
        values: Signed distance at the lattice's points, m.
        lattice: With levels below that of the interface.
        spots: As in `levels_below`.
    """
    divided = []
    for level in range(1, lattice.below + 1):
        edges = lattice.edges * 2**level
        step = 2**level
        middle = values[step :: 2 * step, step :: 2 * step, step :: 2 * step]
        mask = np.zeros(middle.shape, dtype=bool)
        x, y, z = ((np.arange(n) + 0.5) * e for n, e in zip(middle.shape, edges, strict=True))
        film = lattice.size[-1] - z + np.abs(middle)
        reach = float(np.linalg.norm(edges)) / 2
        for spot in spots:
            if spot.film > lattice.below - level:
                aside = np.hypot(x[:, None] - spot.place[0], y[None, :] - spot.place[1])
                thin = (middle > -reach) & (film <= spot.across * edges[-1])
                mask |= thin & (aside <= spot.radius)[:, :, None]
        divided.append(mask)
    return divided
