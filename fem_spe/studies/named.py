"""Names in a case against those of the structure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fem_spe.case import Case
from fem_spe.errors import CaseError, did_you_mean


def require_regions(case: Case, regions: Sequence[str]) -> None:
    """Raise where [materials] names a region that the structure does not have.

    Raises:
        CaseError: with the regions that there are.
    """
    unknown = sorted(set(case.materials) - set(regions))
    if regions and unknown:
        raise CaseError(
            f"[materials] {unknown[0]}: the structure has no such region; it has "
            f"{', '.join(regions)}"
        )


def require_faces(faces: Iterable[str], known: Sequence[str]) -> None:
    """Raise where [boundary.*] names a face that is not among those `known`.

    Raises:
        CaseError: naming the nearest.
    """
    for name in faces:
        if name not in known:
            raise CaseError(
                f"[boundary.{name}]: the structure has no such face; {did_you_mean(name, known)}"
                f"it may have {', '.join(known)}"
            )
