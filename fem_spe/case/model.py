"""The case: what a TOML file may say, validated, frozen, in SI."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fem_spe.case import overrides
from fem_spe.case.messages import explain
from fem_spe.case.probe import Probes
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
from fem_spe.units import (
    CONSUMPTION,
    DURATION,
    LENGTH,
    REACTION_RATE,
    REFERENCE_TEMPERATURE,
    TEMPERATURE,
    Concentration,
    MolarFlux,
)


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
    study: Annotated[int, Field(ge=3, le=6)] | None = None
    """Solve on so many meshes, each halving the sizes of the one before: the values are those of
    the finest, with the order and the error that all of them show."""
    adapt: Annotated[float, Field(ge=1e-9, lt=1)] | None = None
    """Mesh anew, finer where the error comes from, until the relative error of the effective
    coefficient is below this."""

    @model_validator(mode="after")
    def _one_doubt(self) -> Mesh:
        if self.study is not None and self.adapt is not None:
            raise ValueError("give one of study and adapt")
        return self


class Boundary(Table):
    """What is prescribed on a face or an interface; nothing means no flux."""

    concentration: Concentration | None = None
    """Fixed concentration, mol/m^3."""
    flux: MolarFlux | None = None
    """Flux into the domain, mol/m^2/s."""
    periodic: Literal[True] | None = None
    """One with the opposite face; it is enough to say so of one of the two."""

    @model_validator(mode="after")
    def _one(self) -> Boundary:
        if len(self.model_dump(exclude_none=True)) != 1:
            raise ValueError("give one of concentration, flux and periodic = true")
        return self


class Diffusion(Table):
    """How diffusion is driven."""

    mode: Literal["steady", "transient"] = "steady"
    direction: Axis | None = None
    """Driven by a unit difference between the two faces across this axis; default: the
    thickness, unless [boundary.*] drives."""
    initial: Concentration | dict[str, Concentration] = 0.0
    """Concentration at the start of a transient, one value or one for each region, mol/m^3;
    over the difference between the faces where `direction` drives."""


class Reaction(Table):
    """What a region consumes, per volume of it: rate * concentration + consumption."""

    rate: Annotated[float, Field(ge=0), REACTION_RATE] | None = None
    """Of first order, 1/s."""
    consumption: Annotated[float, CONSUMPTION] | None = None
    """Of order zero, mol/m^3/s; negative where the region releases."""

    @model_validator(mode="after")
    def _some(self) -> Reaction:
        if self.rate is None and self.consumption is None:
            raise ValueError('give rate, such as "1e-3 1/s", or consumption, "0.1 mol/m^3/s"')
        return self


class Time(Table):
    """How long a transient runs, and when it is written."""

    end: Annotated[float, Field(gt=0), DURATION]
    output: tuple[Annotated[float, Field(gt=0), DURATION], ...] = ()
    """Times at which fields are written, met exactly; the end is always one."""
    every: Annotated[float, Field(gt=0), DURATION] | None = None
    """In place of `output`: the interval between them."""
    rtol: Annotated[float, Field(gt=0, lt=1)] = 1e-4
    """Local error of a step over the size of the solution."""

    @model_validator(mode="after")
    def _within(self) -> Time:
        if self.output and self.every is not None:
            raise ValueError("give one of output and every")
        late = [t for t in self.output if t > self.end]
        if late:
            raise ValueError(f"output: {late[0]:g} s is beyond the end of {self.end:g} s")
        return self

    @property
    def outputs(self) -> tuple[float, ...]:
        """All output times in order, s, the end last."""
        times = set(self.output) | {self.end}
        if self.every is not None:
            count = math.ceil(self.end / self.every * (1 - 1e-12))
            times |= {self.every * k for k in range(1, count)}
        return tuple(sorted(times))


class Solver(Table):
    """Finite-element degree and tolerance."""

    degree: Literal[1, 2] | None = None
    """Default 2 in 2-D, 1 in 3-D."""
    rtol: Annotated[float, Field(gt=0, lt=1)] = 1e-12
    """On the reduced residual: free unknowns, boundary values as initial guess."""


class Output(Table):
    """What is written besides numbers."""

    figures: bool = True
    movie: Literal["gif", "mp4"] | None = None
    """Of a transient, one picture for each output time; drawn where `figures` are."""


# Study -> the tables of the case that are its own
_TABLES = {"diffusion": {"diffusion", "reaction", "time"}}


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
    reaction: dict[str, Reaction] = Field(default_factory=dict)
    time: Time | None = None
    solver: Solver = Solver()
    output: Output = Output()
    probe: Probes = Field(default_factory=dict)
    options: dict[str, Any] = Field(default_factory=dict)
    """What a study registered from outside the package reads; free in form."""

    @model_validator(mode="after")
    def _consistent(self) -> Case:
        for table in sorted(self.model_fields_set & self.foreign):
            raise CaseError(f"[{table}] has no meaning for study = {self.study!r}; remove it")
        if self.study == "diffusion":
            self._require_time(transient=self.diffusion.mode == "transient")
        for region, value in self.materials.items():
            if isinstance(value, str) and value != "impermeable":
                try:
                    lookup(value)
                except CaseError as error:
                    raise CaseError(f"[materials] {region}: {error}") from None
        return self

    def _require_time(self, *, transient: bool) -> None:
        if transient and self.time is None:
            raise CaseError('[diffusion] mode = "transient" needs [time] end, such as "10 min"')
        if self.time is not None and not transient:
            raise CaseError('[time] has no meaning for [diffusion] mode = "steady"; remove one')
        if self.output.movie and not transient:
            raise CaseError('[output] movie needs a transient: give [diffusion] mode = "transient"')

    @property
    def foreign(self) -> set[str]:
        """Tables that the study does not read; one from outside the package may read them all."""
        if self.study not in _TABLES:
            return set()
        every = {"options"}.union(*_TABLES.values())
        return every - _TABLES[self.study]

    def with_(self, **changes: Any) -> Case:
        """A copy with other values, for example `with_(**{"geometry.seed": 3})`.

        Raises:
            CaseError: if the result is not a valid case.
        """
        return validate(overrides.apply(self.to_dict(), changes))

    def to_dict(self) -> dict[str, Any]:
        """Nested dictionaries as TOML gives them, defaults included, values with units."""
        whole = self.model_dump(mode="json", exclude_none=True)
        empty = {key for key, value in whole.items() if value == {}}
        return {key: value for key, value in whole.items() if key not in empty | self.foreign}

    @property
    def driven_faces(self) -> dict[str, Boundary]:
        """The faces and interfaces with a concentration or a flux."""
        return {name: b for name, b in self.boundary.items() if b.periodic is None}

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
