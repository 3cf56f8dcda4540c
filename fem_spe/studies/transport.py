"""The transport coefficient of each region, from its material."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fem_spe.case import Case
from fem_spe.errors import CaseError
from fem_spe.materials import Material

REFERENCE = ("matrix", "electrolyte")  # the phases that results are relative to
Form = Literal["diffusivity", "conductivity"]


@dataclass(frozen=True)
class Transport:
    """The coefficient of each region.

    Attributes:
        form: Which property drives: the diffusivity times the partition coefficient where
            every region has a diffusivity, else the conductivity.
        values: Region -> coefficient, m^2/s or S/m, shape (1,) or one per axis.
    """

    form: Form
    values: dict[str, NDArray[np.float64]]

    @property
    def scale(self) -> float:
        """The largest value: forms are assembled relative to it."""
        return float(max(v.max() for v in self.values.values()))

    def relative(self) -> dict[str, NDArray[np.float64]]:
        """The values over `scale`."""
        return {region: value / self.scale for region, value in self.values.items()}

    def reference(self, axis: int) -> float | None:
        """The coefficient of the matrix along `axis`, or of the only region, or None."""
        name = next((r for r in REFERENCE if r in self.values), None)
        if name is None and len(self.values) == 1:
            name = next(iter(self.values))
        return None if name is None else component(self.values[name], axis)

    def flux_unit(self, dimension: int) -> str:
        """Unit of a total flux; in 2-D per metre of depth."""
        units = {"diffusivity": ("mol/m/s", "mol/s"), "conductivity": ("A/m", "A")}
        return units[self.form][dimension - 2]


def transport(case: Case, regions: Iterable[str], dimension: int | None = None) -> Transport:
    """The coefficients at the case's temperature.

    Args:
        case: The case.
        regions: Those that are meshed.
        dimension: Of the structure, where known.

    Raises:
        CaseError: if the regions share no property, or have values for other axes.
    """
    materials: dict[str, Material] = {}
    for region in regions:
        material = case.material(region)
        if material is None:
            raise CaseError(f"[materials] {region} is impermeable, but the mesh contains it")
        materials[region] = material
    if all(m.diffusivity is not None for m in materials.values()):
        form: Form = "diffusivity"
    elif all(m.conductivity is not None for m in materials.values()):
        form = "conductivity"
    else:
        lacking = next(r for r, m in materials.items() if m.diffusivity is None)
        raise CaseError(
            f"[materials] {lacking} has no diffusivity, and not every region has a conductivity; "
            "give all regions one of the two"
        )
    values = {}
    for region, material in materials.items():
        value = np.atleast_1d(np.asarray(material.at(form, case.temperature), dtype=np.float64))
        if form == "diffusivity":
            value = value * (material.partition or 1.0)
        if dimension is not None and len(value) not in (1, dimension):
            raise CaseError(
                f"[materials] {region}: {len(value)} values per axis, but the structure has "
                f"{dimension} axes"
            )
        values[region] = value
    widest = max(len(value) for value in values.values())
    return Transport(form, {r: np.broadcast_to(v, max(len(v), widest)) for r, v in values.items()})


def component(value: NDArray[np.float64] | float | tuple[float, ...], axis: int) -> float:
    """The component of a scalar or per-axis value along `axis`."""
    values = np.atleast_1d(np.asarray(value))
    return float(values[axis if len(values) > 1 else 0])
