"""What the program says of its own error, and meshes that it makes finer by themselves."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from fem_spe.exact import conduction
from fem_spe.verify.row import Row, compared
from fem_spe.verify.sections import CELL, D, array

_SOURCE = "Rayleigh's multipoles"


def estimates() -> Iterator[Row]:
    """Richardson's estimate over the true error, and the bounds' over it, on square arrays."""
    for fraction in (0.1, 0.3, 0.5):
        for contrast in (0.0, 0.01, 50.0):
            exact = conduction.square_array(fraction, contrast)
            title = f"f = {fraction}, s = {contrast:g}: estimated / true error"
            study = _run(fraction, contrast, 0.2, study=3)
            yield _effectivity(f"mesh study, {title}", study.error, study.value - exact, 2.0)
            once = _run(fraction, contrast, 0.1)
            # the bound is the sum of the errors from both sides, about twice that of the value
            yield _effectivity(f"bounds, {title}", once.error, once.value - exact, 3.0)


def periodic_cells() -> Iterator[Row]:
    """A unit cell whose opposite sides are one, also where the cell's border cuts the fibre."""
    sides = {name: {"periodic": True} for name in ("left", "bottom")}
    diameter = 2 * CELL * math.sqrt(0.3 / math.pi)
    cut = {
        "kind": "fiber_section", "arrangement": "random", "boundary": "periodic", "aspect": 1.0,
        "size": [CELL, CELL], "fiber_fraction": 0.3, "fiber_diameter": diameter, "seed": 3,
    }  # fmt: skip
    for geometry, what in ((array(0.3), "centred"), (cut, "cut by the border")):
        for contrast in (0.0, 0.01, 50.0):
            value = _run(0.3, contrast, 0.04, geometry=geometry, boundary=sides).value
            exact = conduction.square_array(0.3, contrast)
            yield compared(f"periodic cell, {what}, s = {contrast:g}", value, exact, 2e-5, _SOURCE)


def adapted() -> Iterator[Row]:
    """A gap of 2 % of the diameter: the error that is asked for, and the cells that it takes."""
    gap = 0.02
    fraction = math.pi / 4 / (1 + gap) ** 2
    exact = conduction.square_array(fraction)
    for wanted in (1e-4, 1e-6):
        value = _run(fraction, 0.0, 0.1, adapt=wanted).value
        yield compared(f"adaptive, gap 2 %, error below {wanted:g}", value, exact, wanted, _SOURCE)
    diameter = 0.8 * CELL
    crowded = {
        "kind": "fiber_section", "arrangement": "random", "aspect": 1.0, "seed": 3,
        "size": [5 * CELL, 4 * CELL], "fiber_fraction": 0.45, "fiber_diameter": diameter,
        "min_gap": gap * diameter,
    }  # fmt: skip
    usual, cells = _cells(crowded, 0.0375)
    _, fewer = _cells(crowded, 0.3, adapt=usual)
    name = "adaptive / usual cells at equal error, random, gaps from 2 %"
    yield Row(name, fewer / cells, 0.25, fewer / cells, 0.25, "at most a quarter")


def _effectivity(name: str, estimated: float | None, true: float, most: float) -> Row:
    ratio = (estimated or 0.0) / abs(true)
    off = abs(math.log2(ratio)) if ratio > 0 else math.inf
    return Row(name, ratio, 1.0, off, math.log2(most), f"within a factor {most:g}")


def _run(
    fraction: float,
    contrast: float,
    size: float,
    geometry: dict[str, Any] | None = None,
    boundary: dict[str, Any] | None = None,
    **mesh: float,
) -> Any:
    """D_eff / D_matrix of a square array with its error."""
    fiber: Any = "impermeable" if contrast == 0 else {"diffusivity": contrast * D}
    sizes = {"size": size * CELL, "interface_size": size * CELL}
    result = _solve(geometry or array(fraction), fiber, sizes | mesh, boundary)
    return result.quantities["relative_diffusivity"]


def _cells(geometry: dict[str, Any], size: float, **mesh: float) -> tuple[float, float]:
    """Relative error and number of cells of a random section, interfaces a third of `size`."""
    sizes = {"size": size * CELL, "interface_size": size * CELL / 3}
    result = _solve(geometry, "impermeable", sizes | mesh)
    quantity = result.quantities["relative_diffusivity"]
    return quantity.error / quantity.value, float(result.domain.num_cells)


def _solve(
    geometry: dict[str, Any],
    fiber: Any,
    mesh: dict[str, float],
    boundary: dict[str, Any] | None = None,
) -> Any:
    from fem_spe.case import parse
    from fem_spe.job import run

    case = parse(
        {
            "study": "diffusion",
            "geometry": geometry,
            "mesh": mesh,
            "materials": {"matrix": {"diffusivity": D}, "fiber": fiber},
            "diffusion": {"direction": "y"},
            "boundary": boundary or {},
            "output": {"figures": False},
        }
    )
    return run(case)
