"""The tables of elasticity and of balls that are pressed in."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from fem_spe.case.table import Table
from fem_spe.units import LENGTH

Position = tuple[Annotated[float, LENGTH], Annotated[float, LENGTH]]


class Elasticity(Table):
    """What holds in two dimensions."""

    plane: Literal["strain", "stress"] = "strain"
    """No strain across the plane (a thick body), or no stress (a thin film)."""


class Balls(Table):
    """Rigid balls (discs in two dimensions) above a face."""

    radius: Annotated[float, Field(gt=0), LENGTH]
    count: Annotated[int, Field(gt=0)] | None = None
    """Evenly spaced, each touching the face; default 1."""
    positions: tuple[Position, ...] | None = None
    """In place of `count`: their centres before they move, m."""
    material: Literal["rigid"] = "rigid"
    face: Literal["top"] = "top"
    """The face that they are pressed into; the opposite one is clamped, the sides slide."""

    @model_validator(mode="after")
    def _one(self) -> Balls:
        if self.count is not None and self.positions is not None:
            raise ValueError("give one of count and positions")
        if self.positions == ():
            raise ValueError("positions has no ball; give at least one, or count instead")
        return self

    def centres(self, size: tuple[float, ...]) -> list[Position]:
        """Their centres before they move, m.

        Raises:
            ValueError: if a ball overlaps the block of extent `size`, or another ball.
        """
        width, height = size
        count = self.count or 1
        even = [((k + 0.5) * width / count, height + self.radius) for k in range(count)]
        centres = list(self.positions) if self.positions is not None else even
        slack = 1e-9 * self.radius
        for x, y in centres:
            if y - self.radius < height - slack and -self.radius < x < width + self.radius:
                raise ValueError(
                    f"the ball at {_shown(x, y)} overlaps the block, whose top is at "
                    f"{height * 1e6:.4g} um; give a height of at least "
                    f"{(height + self.radius) * 1e6:.4g} um"
                )
            if not 0.0 <= x <= width:
                raise ValueError(
                    f"the ball at {_shown(x, y)} stands beside the block of {width * 1e6:.4g} um"
                )
        for k, (x, y) in enumerate(centres):
            for other in centres[:k]:
                apart = ((x - other[0]) ** 2 + (y - other[1]) ** 2) ** 0.5
                if apart < 2 * self.radius - slack:
                    raise ValueError(
                        f"the balls at {_shown(x, y)} and {_shown(*other)} overlap: their centres "
                        f"are {apart * 1e6:.4g} um apart, their radius is "
                        f"{self.radius * 1e6:.4g} um; give fewer or smaller ones"
                    )
        return centres


class Indentation(Table):
    """How the balls are pressed in."""

    displacement: Annotated[float, Field(gt=0), LENGTH]
    """Of the balls towards the block, m."""
    contact: Literal["frictionless", "bonded"] = "frictionless"
    strain: Literal["small"] = "small"
    steps: Annotated[int, Field(ge=1)] = 1
    """Equal parts in which the displacement is reached: points of the force curve."""
    contact_size: Annotated[float, Field(gt=0), LENGTH] | None = None
    """Size of the cells under the balls, m; default: a thirtieth of the radius."""


def _shown(x: float, y: float) -> str:
    return f"({x * 1e6:.4g}, {y * 1e6:.4g}) um"
