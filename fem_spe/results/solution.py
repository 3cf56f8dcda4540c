"""What a run found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fem_spe.errors import CaseError

if TYPE_CHECKING:
    from dolfinx import fem
    from PIL.Image import Image

    from fem_spe.case import Case
    from fem_spe.domain import Domain

Table = dict[str, NDArray[np.float64]]  # column head with unit -> values


@dataclass(frozen=True)
class Quantity:
    """A number with its unit; `error` is an estimate of its numerical error, where known.

    `singular` marks a value that grows with refinement; `order` is the order of convergence
    that a mesh study has observed.
    """

    value: float
    unit: str
    description: str
    error: float | None = None
    singular: bool = False
    order: float | None = None


@dataclass(frozen=True)
class Check:
    """Something that a right result fulfils: |value| <= limit."""

    value: float
    limit: float

    @property
    def passed(self) -> bool:
        """True where the value keeps to the limit; NaN does not."""
        return abs(self.value) <= self.limit


@dataclass(frozen=True)
class Frame:
    """The fields at an output time: name -> this rank's values."""

    time: float
    values: dict[str, NDArray[np.float64]]

    @classmethod
    def of(cls, time: float, fields: Mapping[str, fem.Function]) -> Frame:
        """What `fields` hold now."""
        return cls(time, {name: field.x.array.copy() for name, field in fields.items()})


@dataclass(frozen=True)
class CellErrors:
    """Where the error of the main quantity comes from.

    Attributes:
        total: Relative error of the quantity.
        shares: Of each cell that this rank owns; all together make up `total`.
        degree: Of the finite elements.
    """

    total: float
    shares: NDArray[np.float64]
    degree: int


@dataclass(frozen=True)
class Solution:
    """What a study computed.

    Attributes:
        quantities, checks: By name.
        fields: DOLFINx functions that are written, the scalar ones drawn. A name may end in
            a unit, such as `potential [V]`. All are of one Lagrange element, or constant in
            each cell.
        tables: By name; filled on rank 0.
        solver: Iterations, method, residual.
        num_dofs: Unknowns.
        frames: The fields over time; empty for a steady study.
        cell_errors: Where the error comes from, where the study can tell.
        stopped: Why the load was not reached whole, one line; the numbers are those of the last
            good step.
        domain: The mesh of the fields, where it is not the one that the study was given.
    """

    quantities: dict[str, Quantity]
    checks: dict[str, Check]
    fields: dict[str, fem.Function]
    tables: dict[str, Table]
    solver: dict[str, Any]
    num_dofs: int
    frames: tuple[Frame, ...] = ()
    cell_errors: CellErrors | None = None
    stopped: str = ""
    domain: Domain | None = None


@dataclass(frozen=True)
class Result:
    """A finished run.

    Attributes:
        case: The case with every default.
        domain: Mesh and names; None where the study works on the structure itself.
        solution: What the study computed.
        seconds: Per stage.
        folder: Where it was written, or None.
        ranks: That shared the work.
        drawer: Draws a picture of this result, given its name. Pictures are made from result
            folders, by rooms that this one may not import: `fem_spe.run` knows both.
    """

    case: Case
    domain: Domain | None
    solution: Solution
    seconds: dict[str, float] = field(default_factory=dict)
    folder: Path | None = None
    ranks: int = 1
    drawer: Callable[[Result, str], Image] | None = field(default=None, repr=False, compare=False)

    @property
    def quantities(self) -> dict[str, Quantity]:
        """The numbers, by name."""
        return self.solution.quantities

    @property
    def checks(self) -> dict[str, Check]:
        """The checks, by name."""
        return self.solution.checks

    @property
    def fields(self) -> dict[str, fem.Function]:
        """The DOLFINx functions, by name."""
        return self.solution.fields

    def figure(self, name: str = "") -> Image:
        """A picture, which Jupyter shows and `.save("picture.png")` keeps. Collective.

        Args:
            name: As the files in `figures/` of a result folder, for example `mesh`; by
                default the main field. Path lines are drawn where the case has
                `[output] figures = true`.

        Raises:
            CaseError: if there is no such picture; the message names those there are.
            FemSpeError: if it could not be drawn on this machine.
        """
        if self.drawer is None:
            raise CaseError("this result cannot be drawn: only those of fem_spe.run can")
        return self.drawer(self, name)

    @property
    def failed_checks(self) -> list[str]:
        """Names of the checks that are not passed."""
        return [name for name, check in self.checks.items() if not check.passed]
