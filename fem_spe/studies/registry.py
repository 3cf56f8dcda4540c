"""Which studies there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from fem_spe.errors import CaseError, did_you_mean

if TYPE_CHECKING:
    from fem_spe.case import Case
    from fem_spe.domain import Domain
    from fem_spe.geometry.faces import Axis
    from fem_spe.meshing import HalfBall, HalfDisc, Spot, Structure, WallLayer
    from fem_spe.progress import Clock
    from fem_spe.results import Solution


@dataclass(frozen=True)
class Plan:
    """What a study wants of the mesh.

    Attributes:
        holes: Regions that are left out.
        anchors: Faces of which every part of the mesh must touch one.
        across: Axis from whose one face to the other a path must lead, or `thickness`.
        periodic: Axes across which opposite faces are to be meshed alike.
        spots: Places about which the cells are to be small.
        layers: Faces of a box at which they are to be flat, thin, and to grow inwards.
        half_discs: Balls above a section that are to be meshed, too.
        half_balls: Balls above a structure in 3-D.
    """

    holes: frozenset[str] = frozenset()
    anchors: tuple[str, ...] = ()
    across: Axis | Literal["thickness"] | None = None
    periodic: tuple[int, ...] = ()
    spots: tuple[Spot, ...] = ()
    layers: tuple[WallLayer, ...] = ()
    half_discs: tuple[HalfDisc, ...] = ()
    half_balls: tuple[HalfBall, ...] = ()


@dataclass(frozen=True)
class Study:
    """A kind of simulation.

    Attributes:
        name: As in the case's `study`.
        plan: What it wants of the mesh, from a case and the regions of its structure; None
            where it works on the structure itself. Raises CaseError where the problem is ill
            posed.
        solve: The simulation on a mesh. Collective.
        on_structure: The work without a mesh. On one rank; the others receive what it finds.
        resolve: The case with what the study takes from its structure, where it takes anything;
            sizes of cells come after it. Raises CaseError where the two do not fit.
    """

    name: str
    plan: Callable[[Case, tuple[str, ...]], Plan | None]
    solve: Callable[[Case, Domain, Clock], Solution] | None = None
    on_structure: Callable[[Case, Structure, Clock], Solution] | None = None
    resolve: Callable[[Case, Structure], Case] | None = None


_STUDIES: dict[str, Study] = {}


def register(study: Study) -> Study:
    """Make `study` known under its name, also from outside the package."""
    _STUDIES[study.name] = study
    return study


def names() -> list[str]:
    """The known studies."""
    return sorted(_STUDIES)


def lookup(name: str) -> Study:
    """The study `name`.

    Raises:
        CaseError: if there is none; the message names those there are.
    """
    known = names()
    if name not in _STUDIES:
        hint = did_you_mean(name, known)
        raise CaseError(f"study = {name!r}: {hint}known are {', '.join(known)}")
    return _STUDIES[name]
