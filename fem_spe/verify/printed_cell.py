"""Printed electrolytes against lithium: the flat film's closed forms, balances, symmetry."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from fem_spe.domain import MeshArrays
from fem_spe.exact import electrolyte as exact
from fem_spe.results import Result
from fem_spe.units import FARADAY, GAS_CONSTANT
from fem_spe.verify.row import Row, compared

_UM = 1e-6
_FILM, _C0, _D_CATION, _D_ANION = 75e-6, 1750.0, 3.3e-12, 1.553e-12  # Mu 2024, p-3DSE at 30 degC
_EXCHANGE, _CURRENT = 1.815, 10.0  # A/m^2
_KELVIN = 303.15
_VOLT = GAS_CONSTANT * _KELVIN / FARADAY
_REACTION = {"kinetics": {"exchange_current": _EXCHANGE}}
PILLAR = {
    "kind": "printed", "pattern": "pillar", "base": _FILM, "width": 100 * _UM,
    "height": 150 * _UM, "gap": 200 * _UM,
}  # fmt: skip
_COARSE, _FINE = 10 * _UM, 5 * _UM


def case(geometry: dict[str, Any], size: float, changes: dict[str, Any] | None = None) -> Any:
    """A printed electrolyte at 1 mA/cm2 of its footprint, reactions on both of its sides."""
    from fem_spe.case import parse

    tree = {
        "study": "nernst_planck",
        "temperature": _KELVIN,
        "geometry": geometry,
        "mesh": {"size": size, "interface_size": size},
        "materials": {"electrolyte": {}},
        "species": [
            {"name": "Li+", "charge": 1, "diffusivity": _D_CATION, "concentration": _C0},
            {"name": "TFSI-", "charge": -1, "diffusivity": _D_ANION, "concentration": _C0},
        ],
        "boundary": {
            "bottom": {"current_density": -_CURRENT, **_REACTION},
            "top": {"electrochemical_potential": 0.0, **_REACTION},
        },
        "output": {"figures": False},
    }
    return parse(tree, changes)


def run(geometry: dict[str, Any], size: float, changes: dict[str, Any] | None = None) -> Result:
    """`case`, solved."""
    from fem_spe.job import run as solved

    return solved(case(geometry, size, changes))


def flat_film() -> Iterator[Row]:
    """The flat film in three dimensions against the closed forms of one."""
    film = {"kind": "printed", "pattern": "flat", "base": _FILM, "pitch": 30 * _UM}
    found = run(film, 5 * _UM, {"solver.degree": 2}).quantities
    flux = _CURRENT / FARADAY / exact.limiting_flux(_D_CATION, _C0, _FILM)
    reaction = _VOLT * exact.charge_transfer(_CURRENT, _EXCHANGE)
    bulk = _VOLT * exact.steady_voltage(flux)
    for name, expected in (
        ("min_concentration", _C0 * (1 - flux)),
        ("concentration_drop", 2 * _C0 * flux),
        ("overpotential", bulk + 2 * reaction),
        ("interface_overpotential.bottom", reaction),
        ("bulk_share", bulk / (bulk + 2 * reaction)),
        ("limiting_flux", exact.limiting_flux(_D_CATION, _C0, _FILM)),
    ):
        yield compared(
            f"flat film, {name}", found[name].value, expected, 1e-4, "Newman 2004, ch. 8, 11"
        )


def pillars() -> Iterator[Row]:
    """A pillar: what is asked for passes, and a quarter of it tells what the whole does."""
    quarter = run(PILLAR | {"cell": "quarter"}, _COARSE)
    whole = run(PILLAR, _COARSE)
    image = mirrored(case(PILLAR | {"cell": "quarter"}, _COARSE))
    asked = _CURRENT * (300 * _UM) ** 2
    for name, result, share in (
        ("quarter pillar", quarter, 0.25), ("pillar", whole, 1.0),
    ):  # fmt: skip
        passed = result.quantities["current"].value
        yield compared(f"{name}: current / asked", passed, share * asked, 1e-9, "conservation")
        imbalance = result.checks["current_imbalance"].value
        yield Row(f"{name}: in - out", imbalance, 0.0, imbalance, 1e-9, "conservation")
    names = ("overpotential", "concentration_drop", "current_uniformity")
    for other, result, limit in (("mirrored", image, 1e-6), ("of its own mesh", whole, 1e-3)):
        for name in names:
            yield compared(
                f"pillar {other} and its quarter: {name}",
                result.quantities[name].value,
                quarter.quantities[name].value,
                limit,
                "symmetry",
            )
    fine = run(PILLAR | {"cell": "quarter"}, _FINE)
    for name in ("overpotential", "current_uniformity", "concentration_uniformity", "p999_current"):
        yield compared(
            f"pillar, cells of 10 and 5 um: {name}",
            quarter.quantities[name].value,
            fine.quantities[name].value,
            1e-2,
            "halved cells",
        )


def crossing() -> Iterator[Row]:
    """Two planar cathodes that have taken up the same cross at H (1 - 1/sqrt 3), whatever D."""
    from fem_spe.case import parse
    from fem_spe.job import run as solved

    height, end, flux = 150e-6, "4 h", 1e-5  # Fo of the slower: 2
    profiles = []
    for diffusivity in (3.3e-12, 6.6e-11):
        tree = {
            "study": "diffusion",
            "geometry": {"kind": "box", "size": [height / 20, height]},
            "mesh": {"size": height / 20},
            "materials": {"matrix": {"diffusivity": diffusivity}},
            "diffusion": {"mode": "transient", "initial": 1000.0},
            "time": {"end": end, "rtol": 1e-5},
            "boundary": {"bottom": {"flux": flux}},
            "output": {"figures": False},
        }
        result = solved(parse(tree))
        field = result.fields[next(iter(result.fields))]
        y = field.function_space.tabulate_dof_coordinates()[:, 1]
        profiles.append((y, field.x.array))
    (y, slow), (_, fast) = profiles
    order = np.argsort(y)
    # the difference falls from the side of the flux on
    found = float(np.interp(0.0, (fast - slow)[order], y[order])) / height
    expected = 1.0 - 1.0 / math.sqrt(3.0)
    yield compared("planar cathodes: crossing / H", found, expected, 5e-3, "parabolas of a flux")


def mirrored(quarter: Any) -> Result:
    """The whole cell on the mesh of its quarter, a case, and three mirror images of that."""
    from mpi4py import MPI

    from fem_spe.domain import distribute
    from fem_spe.meshing import MeshPlan, Sizes, mesh_arrays
    from fem_spe.progress import Clock
    from fem_spe.studies import nernst_planck

    part = quarter.geometry
    arrays = mesh_arrays(MeshPlan(part, Sizes(quarter.mesh.size, quarter.mesh.interface_size, 1)))
    for axis in (0, 1):
        arrays = _with_image(arrays, axis, part.size[axis])
    domain, whole = distribute(MPI.COMM_SELF, arrays), quarter.with_(**{"geometry.cell": "unit"})
    return Result(whole, domain, nernst_planck.run(whole, domain, Clock()))


def _with_image(arrays: MeshArrays, axis: int, at: float) -> MeshArrays:
    """A mesh and its mirror image beyond the plane where the coordinate is `at`."""
    number = len(arrays.points)
    shared = np.abs(arrays.points[:, axis] - at) < 1e-9 * at
    image = arrays.points.copy()
    image[:, axis] = 2 * at - image[:, axis]
    of_image = np.where(shared, np.arange(number), number + np.cumsum(~shared) - 1)
    outer = ~shared[arrays.facets].all(axis=1)
    facets, tags = arrays.facets[outer], arrays.facet_tags[outer]
    points = np.concatenate([arrays.points, image[~shared]])
    return replace(
        arrays,
        points=points,
        cells=np.concatenate([arrays.cells, of_image[arrays.cells]]),
        cell_tags=np.tile(arrays.cell_tags, 2),
        facets=np.concatenate([facets, of_image[facets]]),
        facet_tags=np.tile(tags, 2),
        box=tuple(points.max(axis=0)),
    )
