"""The tables of diffusion: how it is driven, what reacts, how long it runs."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from fem_spe.case.table import Table
from fem_spe.geometry.faces import Axis
from fem_spe.units import CONSUMPTION, DURATION, REACTION_RATE, Concentration


class Diffusion(Table):
    """How diffusion is driven."""

    mode: Literal["steady", "transient"] = "steady"
    method: Literal["fem", "voxel"] = "fem"
    """Finite elements on a mesh, or finite volumes straight on the voxels of an image: the
    effective coefficient alone, coarser and much quicker."""
    rtol: Annotated[float, Field(gt=0, lt=1)] = 1e-7
    """Of the voxel method: it ends when three steps together change the result by less."""
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
