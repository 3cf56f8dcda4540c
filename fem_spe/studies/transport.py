"""The transport coefficient of each region, from its material."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fem_spe.case import Case
from fem_spe.errors import CaseError
from fem_spe.materials import DiffusivityLaw, Material

REFERENCE = ("matrix", "electrolyte")  # the phases that results are relative to
Form = Literal["diffusivity", "conductivity"]


@dataclass(frozen=True)
class Transport:
    """The coefficient of each region.

    Attributes:
        form: Which property drives: the diffusivity times the partition coefficient where
            every region has a diffusivity, else the conductivity.
        values: Region -> coefficient, m^2/s or S/m, shape (1,) or one per axis; where a law
            holds, its typical size.
        laws: Region -> diffusivity over concentration, without the partition coefficient.
        partition: Region -> concentration there over that in the matrix at equilibrium.
    """

    form: Form
    values: dict[str, NDArray[np.float64]]
    laws: dict[str, DiffusivityLaw] = field(default_factory=dict)
    partition: dict[str, float] = field(default_factory=dict)

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
        CaseError: if the regions share no property, have values for other axes, or none at
            this temperature.
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
    values, laws, partition = {}, {}, {}
    for region, material in materials.items():
        partition[region] = material.partition or 1.0
        try:
            if form == "diffusivity" and material.depends_on_concentration:
                laws[region] = material.law(case.temperature)
                value = np.array([laws[region].typical])
            else:
                value = np.atleast_1d(np.asarray(material.at(form, case.temperature), np.float64))
        except CaseError as error:
            raise CaseError(f"[materials] {region}: {error}") from None
        if form == "diffusivity":
            value = value * partition[region]
        if dimension is not None and len(value) not in (1, dimension):
            raise CaseError(
                f"[materials] {region}: {len(value)} values per axis, but the structure has "
                f"{dimension} axes"
            )
        values[region] = value
    widest = max(len(value) for value in values.values())
    whole = {r: np.broadcast_to(v, max(len(v), widest)) for r, v in values.items()}
    return Transport(form, whole, laws, partition)


def component(value: NDArray[np.float64] | float | tuple[float, ...], axis: int) -> float:
    """The component of a scalar or per-axis value along `axis`."""
    values = np.atleast_1d(np.asarray(value))
    return float(values[axis if len(values) > 1 else 0])
