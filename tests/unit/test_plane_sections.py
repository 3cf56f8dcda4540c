"""Sections through meshes of tetrahedra are exact."""

from __future__ import annotations

import numpy as np
import pytest

from fem_spe import comm as _comm  # noqa: F401 - what DOLFINx needs before it

# isort: split
from dolfinx import fem
from mpi4py import MPI

from fem_spe.case import parse
from fem_spe.domain import Domain, distribute
from fem_spe.measure.sections import cut, section
from fem_spe.meshing import MeshPlan, Sizes, mesh_arrays

UM = 1e-6
PART = {
    "kind": "printed", "pattern": "pillar", "base": 20 * UM, "width": 30 * UM,
    "height": 40 * UM, "gap": 30 * UM, "facing": "cathode", "cathode": 50 * UM,
}  # fmt: skip


@pytest.fixture(scope="module")
def domain() -> Domain:
    tree = {"study": "structure", "geometry": PART}
    part = parse(tree).geometry
    return distribute(MPI.COMM_WORLD, mesh_arrays(MeshPlan(part, Sizes(12 * UM, 8 * UM, 1))))


@pytest.mark.parametrize("height", [5.0, 20.0, 33.3, 59.9])  # the second lies in a plane of faces
def test_means_of_sections_are_exact(domain: Domain, height: float) -> None:
    space = fem.functionspace(domain.mesh, ("Lagrange", 1))
    u = fem.Function(space)
    u.interpolate(lambda x: x[0] / UM + 3 * x[2] / UM)
    found = section(domain, height * UM, {"u": u})
    assert sum(found.area.values()) == pytest.approx((60 * UM) ** 2, rel=1e-9)
    if height > 20.0:
        assert found.area["electrolyte"] == pytest.approx((30 * UM) ** 2, rel=1e-9)
    whole = dict.fromkeys(domain.regions, 1.0)
    assert found.mean("u", whole) == pytest.approx(30.0 + 3 * height, rel=1e-9)


def test_a_section_that_misses_a_region_has_no_mean_there(domain: Domain) -> None:
    u = fem.Function(fem.functionspace(domain.mesh, ("DG", 0)))
    assert np.isnan(section(domain, 5 * UM, {"u": u}).mean("u", {"cathode": 1.0}))


def test_a_plane_along_the_pillars_has_the_area_of_the_box(domain: Domain) -> None:
    assert cut(domain, 29 * UM, axis=1).areas.sum() == pytest.approx(60 * 70 * UM**2, rel=1e-9)
