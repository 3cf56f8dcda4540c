"""Diffusion through sections and layers, against closed forms and conservation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fem_spe.exact import conduction
from fem_spe.verify.row import Row, compared

CELL = 10e-6  # m, side of the unit cells
D = 2e-11  # m^2/s; any value gives the same relative results


def square_arrays() -> Iterator[Row]:
    """D_eff of square arrays of circles."""
    source = "Perrins et al. 1979"
    for fraction in (0.1, 0.2, 0.3, 0.4, 0.5):
        for contrast in (0.0, 0.01, 50.0):
            exact = conduction.square_array(fraction, contrast)
            value = _relative(fraction, contrast, size=0.04)
            yield compared(
                f"square array, f = {fraction}, s = {contrast:g}", value, exact, 2e-5, source
            )
    for fraction in (0.1, 0.3, 0.5):
        for contrast in (0.0, 0.01, 50.0):
            exact = conduction.square_array(fraction, contrast)
            value = _relative(fraction, contrast, size=0.02)
            name = f"square array, fine mesh, f = {fraction}, s = {contrast:g}"
            yield compared(name, value, exact, 2e-6, source)


def reciprocity() -> Iterator[Row]:
    """Keller: interchanging the phases inverts the relative conductivity."""
    for fraction in (0.2, 0.5):
        product = _relative(fraction, 50.0, 0.04) * _relative(fraction, 1 / 50.0, 0.04)
        yield compared(f"reciprocity, f = {fraction}, s = 50", product, 1.0, 1e-4, "Keller 1964")


def layers() -> Iterator[Row]:
    """Layers in series and in parallel, and a partition coefficient: linear, so exact."""
    thickness = {"matrix": 0.3 * CELL, "coating": 0.7 * CELL}
    first, second, partition = D, 0.1 * D, 3.0
    materials = {
        "matrix": {"diffusivity": first},
        "coating": {"diffusivity": second, "partition": partition},
    }
    heights, values = list(thickness.values()), [first, partition * second]
    for size in ((CELL, CELL), (CELL, CELL, CELL)):
        dimension = len(size)
        thickness_axis = "xyz"[dimension - 1]
        for direction, exact in (
            (thickness_axis, conduction.layers_in_series(heights, values)),
            ("x", conduction.layers_in_parallel(heights, values)),
        ):
            quantities = _run(
                {"kind": "box", "size": size, "layers": thickness}, materials, 0.2, direction
            )
            value = quantities["effective_diffusivity"].value
            name = f"two layers, {dimension}-D, along {direction}"
            yield compared(name, value, exact, 1e-11, "harmonic / arithmetic mean")


def balance() -> Iterator[Row]:
    """In = out, and flux = dissipated energy, on a random section with cut fibres."""
    from fem_spe.case import parse
    from fem_spe.job import run

    for filler in ("impermeable", {"diffusivity": 0.01 * D}):
        case = parse(
            {
                "study": "diffusion",
                "geometry": {
                    "kind": "fiber_section", "arrangement": "random",
                    "size": [6 * CELL, 4 * CELL], "fiber_diameter": 0.5 * CELL,
                    "fiber_fraction": 0.35, "aspect": 2.0, "seed": 7,
                },
                "materials": {"matrix": {"diffusivity": D}, "fiber": filler},
                "output": {"figures": False},
            }
        )  # fmt: skip
        what = "holes" if filler == "impermeable" else "contrast 0.01"
        for name, check in run(case).checks.items():
            title = f"random section, {what}: {name.replace('_', ' ')}"
            yield Row(title, check.value, 0.0, abs(check.value), check.limit, "conservation")


def array(fraction: float) -> dict[str, Any]:
    """The geometry of a square array: one unit cell."""
    return {
        "kind": "fiber_section", "arrangement": "aligned", "size": [CELL, CELL],
        "count": [1, 1], "fiber_fraction": fraction,
    }  # fmt: skip


def _relative(fraction: float, contrast: float, size: float) -> float:
    """D_eff / D_matrix of a square array on cells of `size` times the unit cell."""
    fiber: Any = "impermeable" if contrast == 0 else {"diffusivity": contrast * D}
    materials = {"matrix": {"diffusivity": D}, "fiber": fiber}
    quantities = _run(array(fraction), materials, size, "y")
    return float(quantities["relative_diffusivity"].value)


def _run(
    geometry: dict[str, Any], materials: dict[str, Any], size: float, direction: str
) -> dict[str, Any]:
    from fem_spe.case import parse
    from fem_spe.job import run

    case = parse(
        {
            "study": "diffusion",
            "geometry": geometry,
            "mesh": {"size": size * CELL, "interface_size": size * CELL},
            "materials": materials,
            "diffusion": {"direction": direction},
            "output": {"figures": False},
        }
    )
    return dict(run(case).quantities)
