"""The case: what a TOML file may say, validated, frozen, in SI."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, ValidationError, field_validator, model_validator

from fem_spe.case import overrides
from fem_spe.case.boundary import Boundary
from fem_spe.case.cathode import PorousElectrode
from fem_spe.case.dendrite import Dendrite
from fem_spe.case.electrolyte import Experiment, NernstPlanck, Species
from fem_spe.case.electrostatics import Electrostatics, Form
from fem_spe.case.mechanics import Balls, Elasticity, Indentation
from fem_spe.case.messages import explain
from fem_spe.case.probe import Probes
from fem_spe.case.structure import Structure
from fem_spe.case.table import Table
from fem_spe.case.transport import Diffusion, Reaction, Time
from fem_spe.errors import CaseError
from fem_spe.geometry import (
    AlignedSection,
    AlternatingSection,
    Box,
    FiberNetwork,
    ImageFile,
    MeshFile,
    ParallelSection,
    Printed,
    RandomSection,
    SliceSection,
)
from fem_spe.materials import Material, Special, lookup
from fem_spe.units import DURATION, LENGTH, REFERENCE_TEMPERATURE, TEMPERATURE

FiberSectionSpec = Annotated[
    AlignedSection | RandomSection | AlternatingSection | ParallelSection | SliceSection,
    Field(discriminator="arrangement"),
]
GeometrySpec = Annotated[
    Box | FiberSectionSpec | FiberNetwork | Printed | ImageFile | MeshFile,
    Field(discriminator="kind"),
]


def _kind_of_reaction(given: Any) -> str:
    """Which table [reaction.*] is, by its keys."""
    keys = given if isinstance(given, dict) else getattr(given, "model_fields_set", {})
    own = PorousElectrode.model_fields.keys() & set(keys)
    return "PorousElectrode" if own else "Reaction"


ReactionSpec = Annotated[
    Annotated[Reaction, Tag("Reaction")] | Annotated[PorousElectrode, Tag("PorousElectrode")],
    Discriminator(_kind_of_reaction),
]

_COLD = 150.0  # K; a number below is one in degC that lacks its unit
_STEPS = re.compile(r"\s*(\d+)\s*steps?\s*")


class Mesh(Table):
    """Sizes of the cells."""

    size: Annotated[float, Field(gt=0), LENGTH] | None = None
    """Away from interfaces, m; default: a twelfth of the smallest box side."""
    interface_size: Annotated[float, Field(gt=0), LENGTH] | None = None
    """At interfaces, m; default: a fifth of the smallest fibre radius, in a network that radius;
    with adapt = "front" twice `size`."""
    order: Literal[1, 2] | None = None
    """Geometric order of the cells; default: the solver's degree in 2-D, else 1."""
    voxel: Annotated[float, Field(gt=0), LENGTH] | None = None
    """Edge of the voxels where there are voxels in place of cells, m; default: an eighth of the
    thinnest part. An image has its own."""
    study: Annotated[int, Field(ge=3, le=6)] | None = None
    """Solve on so many meshes, each halving the sizes of the one before: the values are those of
    the finest, with the order and the error that all of them show."""
    adapt: Annotated[float, Field(ge=1e-9, lt=1)] | Literal["front"] | None = None
    """Mesh anew, finer where the error comes from, until the relative error of the effective
    coefficient is below this. For dendrites "front": cells of `size` about the front alone, and
    of up to `coarsest` elsewhere; the mesh moves with the front."""
    coarsest: Annotated[float, Field(gt=0), LENGTH] | None = None
    """With adapt = "front": away from front and fibres, m; default: eight times `size`, at most two
    interface widths and a quarter of the smallest box side."""

    @model_validator(mode="after")
    def _one_doubt(self) -> Mesh:
        if self.study is not None and self.adapt is not None:
            raise ValueError("give one of study and adapt")
        if self.coarsest is not None and self.adapt != "front":
            raise ValueError('coarsest goes with adapt = "front"; remove it')
        for name, size in (("size", self.size), ("interface_size", self.interface_size)):
            if self.coarsest is not None and size is not None and self.coarsest < size:
                raise ValueError(
                    f"coarsest = {1e6 * self.coarsest:.3g} um is below {name} = "
                    f"{1e6 * size:.3g} um; give a larger one"
                )
        return self


class Solver(Table):
    """Finite-element degree and tolerance."""

    degree: Literal[1, 2] | None = None
    """Default 2 in 2-D, 1 in 3-D; under balls 2."""
    rtol: Annotated[float, Field(gt=0, lt=1)] = 1e-12
    """On the reduced residual: free unknowns, boundary values as initial guess. Under balls in
    3-D the default is 1e-9."""


class Output(Table):
    """What is written besides numbers."""

    figures: bool = True
    movie: Literal["gif", "mp4"] | None = None
    """Of a transient, one picture for each output time; drawn where `figures` are."""
    checkpoint: str = "5 min"
    """How often a run in time writes its restart file: a time of the clock, or "100 steps"."""

    @field_validator("checkpoint", mode="before")
    @classmethod
    def _often(cls, value: object) -> str:
        if isinstance(value, str) and (steps := _STEPS.fullmatch(value)):
            if int(steps[1]) == 0:
                raise ValueError(f'{value!r} is no interval; give "100 steps" or "5 min"')
            return f"{int(steps[1])} steps"
        seconds = DURATION.parse(value)
        if seconds <= 0.0:
            raise ValueError(f'{value!r} is no interval; give "100 steps" or "5 min"')
        return value if isinstance(value, str) else DURATION.format(seconds)

    @property
    def interval(self) -> tuple[float, int | None]:
        """Seconds between restart files, or steps where they are given."""
        steps = _STEPS.fullmatch(self.checkpoint)
        return (0.0, int(steps[1])) if steps else (DURATION.parse(self.checkpoint), None)


# Study -> the tables of the case that are its own, and what it reads of a boundary
_TABLES = {
    "structure": {"structure"},
    "diffusion": {"diffusion", "reaction", "time"},
    "electrostatics": {"electrostatics"},
    "nernst_planck": {"species", "nernst_planck", "experiment", "reaction", "time"},
    "elasticity": {"elasticity"},
    "indentation": {"elasticity", "balls", "indentation"},
    "dendrite": {"dendrite"},
}
_BOUNDARY = {
    "structure": set(),
    "diffusion": {"concentration", "flux", "periodic"},
    "electrostatics": {"potential", "current_density", "surface_charge", "floating"},
    "nernst_planck": {
        "concentration",
        "flux",
        "potential",
        "current_density",
        "electrochemical_potential",
        "kinetics",
        "surface_charge",
    },
    "elasticity": {"displacement", "traction", "clamped", "sliding"},
    "indentation": {"displacement", "traction", "clamped", "sliding"},
    "dendrite": set(),
}


class Case(Table):
    """One simulation, from `load` or `parse`."""

    title: str = ""
    study: str
    temperature: Annotated[float, Field(gt=0), TEMPERATURE] = REFERENCE_TEMPERATURE
    geometry: GeometrySpec
    mesh: Mesh = Mesh()
    materials: dict[str, Material | Special | str] = Field(default_factory=dict)
    """Of each region; a structure alone needs none."""
    boundary: dict[str, Boundary] = Field(default_factory=dict)
    structure: Structure = Structure()
    diffusion: Diffusion = Diffusion()
    reaction: dict[str, ReactionSpec] = Field(default_factory=dict)
    time: Time | None = None
    electrostatics: Electrostatics = Electrostatics()
    species: tuple[Species, ...] = ()
    nernst_planck: NernstPlanck = NernstPlanck()
    experiment: Experiment | None = None
    elasticity: Elasticity = Elasticity()
    balls: Balls | None = None
    indentation: Indentation | None = None
    dendrite: Dendrite | None = None
    solver: Solver = Solver()
    output: Output = Output()
    probe: Probes = Field(default_factory=dict)
    options: dict[str, Any] = Field(default_factory=dict)
    """What a study registered from outside the package reads; free in form."""

    @field_validator("temperature", mode="before")
    @classmethod
    def _kelvin_meant(cls, value: object) -> object:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < _COLD:
            raise ValueError(
                f'{value:g} without unit is in K, {value - 273.15:g} degC; write "{value:g} degC", '
                f'or "{value:g} K" where that is meant'
            )
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Case:
        for table in sorted(self.model_fields_set & self.foreign):
            raise CaseError(f"[{table}] has no meaning for study = {self.study!r}; remove it")
        if self.mesh.adapt == "front" and self.study != "dendrite":
            raise CaseError(
                f'[mesh] adapt = "front" has a meaning for study = "dendrite" alone, not for '
                f"{self.study!r}; remove it"
            )
        if self.mesh.study is not None and isinstance(self.geometry, MeshFile):
            raise CaseError(
                "[mesh] study halves the cells of meshes that are made here, but mesh_file has its "
                "own; remove study, or run files of finer meshes"
            )
        if not self.materials and self.study != "structure":
            raise CaseError("materials = {}: the case needs a material for each region")
        read = _BOUNDARY.get(self.study)
        for name, boundary in self.boundary.items():
            if read is not None and not read.issuperset(boundary.given):
                raise CaseError(
                    f"[boundary.{name}] {boundary.given[0]} has no meaning for study = "
                    f"{self.study!r}, which reads {', '.join(sorted(read)) or 'none'}"
                )
        if self.study == "diffusion":
            self._require_plain_values()
            self._require_time(transient=self.diffusion.mode == "transient")
        if self.study == "nernst_planck":
            self._require_time(transient=self.nernst_planck.mode == "transient")
        self._require_reactions()
        for region, value in self.materials.items():
            if value == "conductor" and self.study != "electrostatics":
                raise CaseError(
                    f'[materials] {region} = "conductor" has a meaning for study = '
                    '"electrostatics" alone; give it a material'
                )
            if isinstance(value, str) and value not in ("impermeable", "conductor"):
                try:
                    lookup(value)
                except CaseError as error:
                    raise CaseError(f"[materials] {region}: {error}") from None
        return self

    def _require_reactions(self) -> None:
        """Raise where a reaction is that of another study."""
        if self.study == "diffusion" and self.porous:
            raise CaseError(
                f"[reaction.{next(iter(self.porous))}] a porous electrode is for study = "
                '"nernst_planck"; for diffusion give rate or consumption'
            )
        if self.study == "nernst_planck" and self.sinks:
            raise CaseError(
                f"[reaction.{next(iter(self.sinks))}] rate and consumption are for study = "
                '"diffusion"; for nernst_planck give porosity and current_density'
            )

    def _require_plain_values(self) -> None:
        for name, boundary in self.boundary.items():
            for key in ("concentration", "flux"):
                if isinstance(getattr(boundary, key), dict):
                    raise CaseError(
                        f"[boundary.{name}] {key}: one value is enough, for diffusion knows no "
                        'ions; study = "nernst_planck" does'
                    )

    def _require_time(self, *, transient: bool) -> None:
        if transient and self.time is None:
            raise CaseError(f'[{self.study}] mode = "transient" needs [time] end, such as "10 min"')
        if self.time is not None and not transient:
            raise CaseError(f'[time] has no meaning for [{self.study}] mode = "steady"; remove one')
        if self.output.movie and not transient:
            raise CaseError('[output] movie needs a transient: give mode = "transient" as well')

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
        empty = {key for key, value in whole.items() if value in ({}, [])}
        return {key: value for key, value in whole.items() if key not in empty | self.foreign}

    @property
    def sinks(self) -> dict[str, Reaction]:
        """Regions that consume what diffuses."""
        return {name: r for name, r in self.reaction.items() if isinstance(r, Reaction)}

    @property
    def porous(self) -> dict[str, PorousElectrode]:
        """Regions that are porous electrodes."""
        return {name: r for name, r in self.reaction.items() if isinstance(r, PorousElectrode)}

    @property
    def yields(self) -> bool:
        """True where a region that is loaded has a yield stress."""
        found = [v for v in self.materials.values() if v not in ("impermeable", "conductor")]
        each = [lookup(value) if isinstance(value, str) else value for value in found]
        return self.study == "elasticity" and any(m.yield_stress is not None for m in each)

    @property
    def driven_faces(self) -> dict[str, Boundary]:
        """The faces and interfaces with a concentration or a flux."""
        return {name: b for name, b in self.boundary.items() if b.periodic is None}

    @property
    def charged_faces(self) -> dict[str, Boundary]:
        """The faces and interfaces with a potential, a charge or a current."""
        keys = {"potential", "surface_charge", "current_density"}
        return {name: b for name, b in self.boundary.items() if keys.intersection(b.given)}

    @property
    def electric_form(self) -> Form:
        """What the potential is solved for: [electrostatics] form, or what the materials imply."""
        found = [self.material(r) for r, value in self.materials.items() if value != "conductor"]
        every = all(m is not None and m.permittivity is not None for m in found)
        return self.electrostatics.form or ("dielectric" if every else "conduction")

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
