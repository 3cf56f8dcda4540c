"""The case: what a TOML file may say, validated, frozen, in SI."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fem_spe.case import overrides
from fem_spe.case.messages import explain
from fem_spe.errors import CaseError
from fem_spe.geometry import (
    AlignedSection,
    AlternatingSection,
    Box,
    MeshFile,
    RandomSection,
)
from fem_spe.geometry.faces import Axis
from fem_spe.materials import Material, Special, lookup
from fem_spe.units import LENGTH, REFERENCE_TEMPERATURE, TEMPERATURE, Concentration, MolarFlux


class Table(BaseModel):
    """A table of the case: frozen, no unknown keys, no NaN."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


FiberSectionSpec = Annotated[
    AlignedSection | RandomSection | AlternatingSection, Field(discriminator="arrangement")
]
GeometrySpec = Annotated[Box | FiberSectionSpec | MeshFile, Field(discriminator="kind")]


class Mesh(Table):
    """Sizes of the cells."""

    size: Annotated[float, Field(gt=0), LENGTH] | None = None
    """Away from interfaces, m; default: a twelfth of the smallest box side."""
    interface_size: Annotated[float, Field(gt=0), LENGTH] | None = None
    """At interfaces, m; default: a fifth of the smallest fibre radius."""
    order: Literal[1, 2] | None = None
    """Geometric order of the cells; default: the solver's degree in 2-D, else 1."""


class Boundary(Table):
    """What is prescribed on a face or an interface; nothing means no flux."""

    concentration: Concentration | None = None
    """Fixed concentration, mol/m^3."""
    flux: MolarFlux | None = None
    """Flux into the domain, mol/m^2/s."""

    @model_validator(mode="after")
    def _one(self) -> Boundary:
        if (self.concentration is None) == (self.flux is None):
            raise ValueError("give one of concentration and flux")
        return self


class Diffusion(Table):
    """How diffusion is driven."""

    mode: Literal["steady"] = "steady"
    direction: Axis | None = None
    """Driven by a unit difference between the two faces across this axis; default: the
    thickness, unless [boundary.*] drives."""


class Solver(Table):
    """Finite-element degree and tolerance."""

    degree: Literal[1, 2] | None = None
    """Default 2 in 2-D, 1 in 3-D."""
    rtol: Annotated[float, Field(gt=0, lt=1)] = 1e-12
    """On the reduced residual: free unknowns, boundary values as initial guess."""


class Output(Table):
    """What is written besides numbers."""

    figures: bool = True


class Case(Table):
    """One simulation, from `load` or `parse`."""

    title: str = ""
    study: str
    temperature: Annotated[float, Field(gt=0), TEMPERATURE] = REFERENCE_TEMPERATURE
    geometry: GeometrySpec
    mesh: Mesh = Mesh()
    materials: dict[str, Material | Special | str] = Field(min_length=1)
    boundary: dict[str, Boundary] = Field(default_factory=dict)
    diffusion: Diffusion = Diffusion()
    solver: Solver = Solver()
    output: Output = Output()

    @model_validator(mode="after")
    def _consistent(self) -> Case:
        for region, value in self.materials.items():
            if isinstance(value, str) and value != "impermeable":
                try:
                    lookup(value)
                except CaseError as error:
                    raise CaseError(f"[materials] {region}: {error}") from None
        return self

    def with_(self, **changes: Any) -> Case:
        """A copy with other values, for example `with_(**{"geometry.seed": 3})`.

        Raises:
            CaseError: if the result is not a valid case.
        """
        return validate(overrides.apply(self.to_dict(), changes))

    def to_dict(self) -> dict[str, Any]:
        """Nested dictionaries as TOML gives them, defaults included, values with units."""
        whole = self.model_dump(mode="json", exclude_none=True)
        return {key: value for key, value in whole.items() if value != {}}

    def material(self, region: str) -> Material | None:
        """The material of `region`, or None where it is impermeable.

        Raises:
            CaseError: if [materials] does not name the region.
        """
        if region not in self.materials:
            raise CaseError(
                f"[materials] {region} is missing; give it a material of the table "
                '(fem-spe materials lists them), values, or "impermeable"'
            )
        value = self.materials[region]
        if isinstance(value, Material):
            return value
        return None if value == "impermeable" else lookup(value)


def validate(tree: dict[str, Any], name: str = "case") -> Case:
    """The case that nested dictionaries, as TOML gives them, describe.

    Raises:
        CaseError: one line that names `name`, the key, the value and what would work.
    """
    try:
        return Case.model_validate(tree)
    except ValidationError as error:
        what = explain(error, tree, Case.model_json_schema())
        raise CaseError(f"{name}: {what}") from None
