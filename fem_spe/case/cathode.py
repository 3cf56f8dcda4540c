"""A porous electrode: a region whose whole volume reacts."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from fem_spe.case.electrolyte import Kinetics
from fem_spe.case.table import Table
from fem_spe.units import AREA_PER_VOLUME, CHARGE_PER_VOLUME, CURRENT_DENSITY, VOLTAGE

BRUGGEMAN = 1.5  # of spheres (Bruggeman, Ann. Phys. 416, 1935, 636)


Volt = Annotated[float, VOLTAGE]


class PorousElectrode(Table):
    """A region that takes up cations throughout, by a reaction with a solid of one potential.

    Pores and solid share each point of it. In the pores both ions diffuse and migrate as in the
    electrolyte, their diffusivities times `transport`; the solid conducts electrons perfectly.
    """

    porosity: Annotated[float, Field(gt=0, le=1)]
    """Share of the volume that the electrolyte fills."""
    bruggeman: Annotated[float, Field(ge=1)] | None = None
    """Exponent b of D_eff = D porosity^b; default 1.5."""
    tortuosity: Annotated[float, Field(ge=1)] | None = None
    """In place of it, the factor T of D_eff = D porosity / T."""
    current_density: Annotated[float, Field(gt=0), CURRENT_DENSITY]
    """Taken up in all, per footprint, A/m^2: the electrode is discharged."""
    kinetics: Kinetics | None = None
    """Of the reaction, per area of the solid; without it the current is spread evenly."""
    specific_area: Annotated[float, Field(gt=0), AREA_PER_VOLUME] | None = None
    """Area of the solid that reacts per volume of the region, 1/m."""
    open_circuit: Volt | tuple[Volt, Volt] | None = None
    """Potential of the solid at rest against the cation's metal, V: one value, or those of the
    empty and of the full solid, with a line between them; default 0, so that potentials are
    relative to it."""
    capacity: Annotated[float, Field(gt=0), CHARGE_PER_VOLUME] | None = None
    """Charge that the full solid holds per volume of the region, C/m^3. What is taken up is
    followed in time, and reacts only with the solid's vacant share."""
    lithiation: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Share of the capacity that is taken at the start; default 0."""
    cutoff: Annotated[float, Field(gt=0), VOLTAGE] = 0.5
    """Overpotential at which a discharge ends, V."""

    @model_validator(mode="before")
    @classmethod
    def _default(cls, given: Any) -> Any:
        """The usual exponent where nothing else makes the transport."""
        if isinstance(given, dict) and not {"bruggeman", "tortuosity"} & given.keys():
            return {**given, "bruggeman": BRUGGEMAN}
        return given

    @model_validator(mode="after")
    def _whole(self) -> PorousElectrode:
        if self.bruggeman is not None and self.tortuosity is not None:
            raise ValueError("give one of bruggeman and tortuosity: each makes the other")
        if self.kinetics is None:
            for name in ("specific_area", "open_circuit"):
                if getattr(self, name) is not None:
                    raise ValueError(
                        f"{name} has no meaning where the current is spread evenly; give "
                        "kinetics, or remove it"
                    )
        else:
            self._require_kinetics(self.kinetics)
        if self.capacity is None and self.lithiation is not None:
            raise ValueError("lithiation is a share of the capacity; give capacity too")
        if self.capacity is None and isinstance(self.open_circuit, tuple):
            raise ValueError("open_circuit with two values needs the capacity between them")
        empty, full = self.potentials
        if full > empty:
            raise ValueError(
                f"open_circuit must not rise from empty to full, and does, from {empty:g} V to "
                f"{full:g} V: the solid would fill in one place alone"
            )
        return self

    def _require_kinetics(self, law: Kinetics) -> None:
        if self.specific_area is None:
            raise ValueError('kinetics are per area: give specific_area too, such as "2e5 1/m"')
        if law.double_layer is not None:
            raise ValueError("kinetics: double_layer has no meaning in a volume; remove it")
        if self.capacity is not None and law.law == "linear":
            raise ValueError(
                'kinetics: law = "linear" knows no vacant share; give law = "full", or remove '
                "capacity"
            )

    @property
    def potentials(self) -> tuple[float, float]:
        """At rest, of the empty and of the full solid, V."""
        given = self.open_circuit or 0.0
        return given if isinstance(given, tuple) else (given, given)

    @property
    def transport(self) -> float:
        """D_eff / D."""
        if self.tortuosity is not None:
            return self.porosity / self.tortuosity
        assert self.bruggeman is not None
        return float(self.porosity**self.bruggeman)
