"""Solids meshed by their distance: diffusion past spheres, against Rayleigh's method."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fem_spe.exact import spheres
from fem_spe.verify.row import Row, compared

CELL = 10e-6  # m, side of the unit cells
D = 2e-11  # m^2/s; any value gives the same relative results
_CONDUCTING = 1e6  # D_sphere / D_matrix: conductors, to 1e-6


@dataclass(frozen=True)
class Octant:
    """An eighth of a unit cell of a simple cubic array: its faces are planes of symmetry.

    Attributes:
        radius: Of the sphere about the origin, m.
    """

    radius: float
    size: tuple[float, float, float] = (CELL / 2, CELL / 2, CELL / 2)
    regions: tuple[str, ...] = ("matrix", "filler")
    periodic: tuple[int, ...] = ()

    @property
    def thinnest(self) -> float:
        """Diameter of the sphere, m."""
        return 2 * self.radius

    @property
    def fraction(self) -> float:
        """Share of the sphere, exact."""
        return math.pi / 6 * self.radius**3 / math.prod(self.size)

    def distance(self, shape: tuple[int, int, int]) -> NDArray[np.float32]:
        """Signed distance to the sphere, m."""
        square = np.zeros(shape)
        for axis, (length, count) in enumerate(zip(self.size, shape, strict=True)):
            place = np.linspace(0.0, length, count)
            square += place.reshape([-1 if k == axis else 1 for k in range(3)]) ** 2
        return (np.sqrt(square) - self.radius).astype(np.float32)


def cubic_arrays() -> Iterator[Row]:
    """D_eff of simple cubic arrays of spheres."""
    for fraction in (0.1, 0.2, 0.3, 0.4):
        with meshed(fraction, cells=10) as file:
            for contrast in (0.0, 1e-6, 10.0, math.inf):
                exact = spheres.simple_cubic(fraction, contrast)
                value = relative_diffusivity(file, min(contrast, _CONDUCTING))
                yield compared(
                    f"cubic array of spheres, f = {fraction}, s = {contrast:g}",
                    *(value, exact, 1e-3, "McPhedran & McKenzie 1978"),
                )


@contextmanager
def meshed(fraction: float, cells: int) -> Iterator[Path]:
    """The mesh of an eighth of a unit cell, with `cells` of the finest along its side."""
    from fem_spe.meshing import MeshPlan, Sizes, mesh_arrays

    octant = Octant(CELL * (3 * fraction / (4 * math.pi)) ** (1 / 3))
    fine = octant.size[0] / cells
    with TemporaryDirectory() as folder:
        file = Path(folder) / "octant.msh"
        mesh_arrays(MeshPlan(octant, Sizes(2 * fine, fine)), file)
        yield file


def relative_diffusivity(file: Path, contrast: float, degree: int = 2) -> float:
    """D_eff / D_matrix of an array on the mesh of `meshed`."""
    from fem_spe.case import parse
    from fem_spe.job import run

    filler: Any = "impermeable" if contrast == 0 else {"diffusivity": contrast * D}
    case = parse(
        {
            "study": "diffusion",
            "geometry": {"kind": "mesh_file", "file": str(file)},
            "materials": {"matrix": {"diffusivity": D}, "filler": filler},
            "diffusion": {"direction": "z"},
            "solver": {"degree": degree},
            "output": {"figures": False},
        }
    )
    return float(run(case).quantities["relative_diffusivity"].value)
