"""The tables of elasticity and of balls that are pressed in."""

from __future__ import annotations

import math
from itertools import product
from typing import Annotated, Literal

from pydantic import Field, model_validator

from fem_spe.case.table import Table
from fem_spe.units import LENGTH

Length = Annotated[float, LENGTH]
Position = tuple[Length, Length] | tuple[Length, Length, Length]


class Elasticity(Table):
    """What holds in two dimensions."""

    plane: Literal["strain", "stress"] = "strain"
    """No strain across the plane (a thick body), or no stress (a thin film)."""
    strain: Literal["small", "finite"] = "small"
    """Of loads on faces: Hooke's law, or a neo-Hookean solid at finite strain."""
    steps: Annotated[int, Field(ge=1)] = 10
    """Where a region yields: equal parts in which the loads are brought up, or shorter ones."""


class Balls(Table):
    """Balls (cylinders in two dimensions) above a face."""

    radius: Annotated[float, Field(gt=0), LENGTH]
    count: Annotated[int, Field(gt=0)] | None = None
    """Evenly spaced, each touching the face, in rows and columns in 3-D; default 1."""
    positions: tuple[Position, ...] | None = None
    """In place of `count`: their centres before they move, m."""
    material: str = "rigid"
    """Rigid, or one of [materials] or of the table: the lower halves of the balls are then
    meshed, and their flats move down."""
    face: Literal["top"] = "top"
    """The face that they are pressed into; the opposite one is clamped, the sides slide."""

    @model_validator(mode="after")
    def _one(self) -> Balls:
        if self.count is not None and self.positions is not None:
            raise ValueError("give one of count and positions")
        if self.positions == ():
            raise ValueError("positions has no ball; give at least one, or count instead")
        return self

    @property
    def rigid(self) -> bool:
        """True where they are no bodies of their own."""
        return self.material == "rigid"

    def centres(self, size: tuple[float, ...]) -> list[tuple[float, ...]]:
        """Their centres before they move, m.

        Raises:
            ValueError: if a ball overlaps the block of extent `size`, or another ball.
        """
        *base, height = size
        centres: list[tuple[float, ...]] = list(self.positions or ())
        if not centres:
            numbers = _rows(self.count or 1, base)
            lines = [
                [(k + 0.5) * w / n for k in range(n)] for n, w in zip(numbers, base, strict=True)
            ]
            centres = [(*place, height + self.radius) for place in product(*lines)]
        slack = 1e-9 * self.radius
        for centre in centres:
            if len(centre) != len(size):
                raise ValueError(
                    f"the position {_shown(centre)} has {len(centre)} values, but the structure "
                    f"has {len(size)} axes"
                )
            *place, y = centre
            above = all(
                -self.radius < x < w + self.radius for x, w in zip(place, base, strict=True)
            )
            if above and y - self.radius < height - slack:
                raise ValueError(
                    f"the ball at {_shown(centre)} overlaps the block, whose top is at "
                    f"{height * 1e6:.4g} um; give a height of at least "
                    f"{(height + self.radius) * 1e6:.4g} um"
                )
            if not all(0.0 <= x <= w for x, w in zip(place, base, strict=True)):
                extent = " x ".join(f"{w * 1e6:.4g}" for w in base)
                raise ValueError(
                    f"the ball at {_shown(centre)} stands beside the block of {extent} um"
                )
        for k, centre in enumerate(centres):
            for other in centres[:k]:
                apart = math.dist(centre, other)
                if apart < 2 * self.radius - slack:
                    raise ValueError(
                        f"the balls at {_shown(centre)} and {_shown(other)} overlap: their centres "
                        f"are {apart * 1e6:.4g} um apart, their radius is "
                        f"{self.radius * 1e6:.4g} um; give fewer or smaller ones"
                    )
        return centres


class Indentation(Table):
    """How the balls are pressed in."""

    displacement: Annotated[float, Field(gt=0), LENGTH]
    """Of the balls towards the block, m."""
    contact: Literal["frictionless", "bonded"] = "frictionless"
    normal: Literal["updated", "fixed", "vertical"] = "updated"
    """Along which the gap to a rigid ball is measured and it presses: that of the displaced place,
    of the place before displacement under the ball at its end, or the thickness."""
    strain: Literal["small", "finite"] = "small"
    """Hooke's law, or a neo-Hookean solid at finite strain."""
    steps: Annotated[int, Field(ge=1)] = 1
    """Equal parts in which the displacement is reached: points of the force curve. At finite
    strain there are more where they are needed."""
    contact_size: Annotated[float, Field(gt=0), LENGTH] | None = None
    """Size of the cells under the balls, m; default: a thirtieth of the radius, in 3-D an
    eighth."""

    @model_validator(mode="after")
    def _updated(self) -> Indentation:
        for key, value, reason in (
            ("contact", self.contact, "what sticks moves with its ball"),
            ("strain", self.strain, "normals are those of the deformed body"),
        ):
            if self.normal != "updated" and value in ("bonded", "finite"):
                raise ValueError(
                    f'normal = "{self.normal}" has no meaning with {key} = "{value}", where '
                    f"{reason}; remove one of them"
                )
        return self


def _rows(count: int, base: list[float]) -> tuple[int, ...]:
    """How many balls stand along each axis of the face: spaced as evenly as `count` allows."""
    if len(base) == 1:
        return (count,)
    pairs = [(n, count // n) for n in range(1, count + 1) if count % n == 0]
    return min(pairs, key=lambda n: abs(math.log(n[0] * base[1] / (n[1] * base[0]))))


def _shown(place: tuple[float, ...]) -> str:
    return f"({', '.join(f'{x * 1e6:.4g}' for x in place)}) um"
