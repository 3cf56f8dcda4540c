"""The table of electrostatics: what carries the field, and how it is driven."""

from __future__ import annotations

from typing import Literal

from fem_spe.case.table import Table
from fem_spe.geometry.faces import Axis

Form = Literal["dielectric", "conduction"]


class Electrostatics(Table):
    """Charges at rest in insulators, or steady currents in conductors."""

    form: Form | None = None
    """div(eps grad V) = 0 with charges, or div(sigma grad V) = 0 with currents; default:
    dielectric where every region has a permittivity, else conduction."""
    direction: Axis | None = None
    """Driven by 1 V between the two faces across this axis; default: the thickness, unless
    [boundary.*] drives."""
