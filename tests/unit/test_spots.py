"""Cells about a spot, as under a ball, are halved with all others in a study of meshes."""

from __future__ import annotations

import numpy as np
import pytest

from fem_spe.geometry import Box, FiberNetwork
from fem_spe.meshing import MeshPlan, Sizes, Spot
from fem_spe.meshing.build import mesh_arrays

UM = 1e-6
SMALL, NEAR = 1.0 * UM, 1.5 * UM
SOLID = (8 * UM, 8 * UM, 6 * UM)
STRUCTURES = {
    "rectangle": Box(size=(12 * UM, 8 * UM)),
    "box": Box(size=SOLID),
    "network": FiberNetwork(size=SOLID, fiber_diameter=2 * UM, fiber_count=2, seed=3).build(),
}


@pytest.mark.parametrize("kind", STRUCTURES)
def test_a_study_of_meshes_halves_the_cells_at_a_contact(kind: str) -> None:
    structure = STRUCTURES[kind]
    *base, height = structure.size
    place = (*(0.5 * w for w in base), height)
    sizes = Sizes(3 * UM, 3 * UM if kind != "network" else 0.5 * UM)
    edge = []
    for halvings in (0, 1):
        plan = MeshPlan(structure, sizes, spots=(Spot(place, NEAR, SMALL),), halvings=halvings)
        arrays = mesh_arrays(plan)
        corners = arrays.points[arrays.cells]
        near = corners[np.linalg.norm(corners.mean(axis=1) - np.array(place), axis=1) < NEAR]
        volume = np.abs(np.linalg.det(near[:, 1:] - near[:, :1]))
        edge.append(float(volume.mean()) ** (1 / len(structure.size)))
    assert 0.4 * SMALL < edge[0] < 1.2 * SMALL
    # on a lattice, where zones of one size end is known to a cell
    assert edge[1] == pytest.approx(0.5 * edge[0], rel=0.2)
