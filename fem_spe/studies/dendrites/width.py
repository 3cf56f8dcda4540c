"""The width of the diffuse front against the gaps that it passes and the cells that carry it."""

from __future__ import annotations

import math

import numpy as np

from fem_spe.case import Case
from fem_spe.case.resolved import CELLS_PER_INTERFACE, SEEN
from fem_spe.errors import CaseError
from fem_spe.geometry import Section
from fem_spe.geometry.overlap import meet, neighbours
from fem_spe.materials.deposition import Deposition, deposition
from fem_spe.meshing import Structure
from fem_spe.progress import log

_PER_GAP = 5.0  # widths: in a narrower gap the front stalls
FEWEST = 3.0  # cells per width: on fewer the front sticks to the mesh


def metal(case: Case) -> Deposition:
    """The parameter set of the case, with its width and its electrolyte."""
    assert case.dendrite is not None
    chosen = deposition(case.dendrite.parameters)
    return chosen.with_width(case.dendrite.interface_width or chosen.interface_width)


def fitted(case: Case, structure: Structure) -> Case:
    """`case` with a front that fits between the fibres.

    Raises:
        CaseError: if the cells are too large for the front.
    """
    assert case.dendrite is not None
    given, usual = case.dendrite.interface_width, metal(case).interface_width
    gap = _narrowest(structure, _PER_GAP * usual)
    width = given or min(usual, gap / _PER_GAP)
    if width > gap / _PER_GAP:
        log.warning(
            "[dendrite] interface_width = %.3g um: the narrowest gap between fibres is %.3g um, "
            "less than %g of it; the front may stall there, %.2g um would pass",
            1e6 * width, 1e6 * gap, _PER_GAP, 1e6 * gap / _PER_GAP,
        )  # fmt: skip
    if case.mesh.size is not None:
        require_cells(case.mesh.size, width)
    if case.mesh.coarsest is not None:
        require_seen(case.mesh.coarsest, width)
    chosen = case.dendrite.model_copy(update={"interface_width": width})
    return case.model_copy(update={"dendrite": chosen})


def _narrowest(structure: Structure, reach: float) -> float:
    """Narrowest gap between two fibres, m; infinite where none is below `reach`, or they fuse."""
    if not isinstance(structure, Section) or structure.fused or not len(structure.inclusions):
        return math.inf
    body = structure.inclusions
    pairs = neighbours(structure.size, body, reach, wrapped=structure.wrapped)
    return float(np.min(meet(body, pairs, polish=8).gap, initial=np.inf))


def front_size(case: Case) -> float:
    """Of cells at the front, m; by default what resolves it."""
    return case.mesh.size or metal(case).interface_width / CELLS_PER_INTERFACE


def require_seen(size: float, width: float, what: str = "[mesh] coarsest") -> None:
    """Raise where a front of `width` (m) could hide within cells of `size` (m) to be split.

    Raises:
        CaseError: with a size that would do.
    """
    if size > SEEN * width * (1 + 1e-9):
        raise CaseError(
            f"{what} = {1e6 * size:.3g} um: a front of an interface_width of "
            f"{1e6 * width:.3g} um could hide in such a cell; give {1e6 * SEEN * width:.3g} um "
            "or less"
        )


def require_cells(size: float, width: float) -> None:
    """Raise where cells of `size` (m) do not resolve a front of `width` (m).

    Raises:
        CaseError: with a size that would do.
    """
    if size > width / FEWEST * (1 + 1e-9):
        raise CaseError(
            f"[mesh] size = {1e6 * size:.3g} um: an interface_width of {1e6 * width:.3g} um needs "
            f"{FEWEST:g} cells at least; give a size of {1e6 * width / CELLS_PER_INTERFACE:.3g} "
            "um, or a larger [dendrite] interface_width"
        )
