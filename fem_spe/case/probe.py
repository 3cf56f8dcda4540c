"""Where a result is measured besides the usual places: points, lines, regions, faces."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from fem_spe.errors import CaseError, did_you_mean
from fem_spe.units import LENGTH, Length

Position = tuple[Length, Length] | tuple[Length, Length, Length]

_SAMPLES = 101  # along a line
_NEAR = 1e-9  # of the box: a point on its border lies in it


class Probe(BaseModel):
    """A point, a line, a region or a face; its values become `tables/probe_<name>.csv`."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    point: Position | None = None
    """Coordinates, m."""
    line: tuple[Position, Position] | None = None
    """Its two ends, m. Holes leave gaps in it."""
    points: Annotated[int, Field(ge=2, le=100_000)] | None = None
    """Samples along a line, evenly spaced, the ends included; default 101."""
    region: str | None = None
    """Its volume-weighted mean and its extremes."""
    face: str | None = None
    """A face or an interface: its area-weighted mean and its extremes."""

    @model_validator(mode="before")
    @classmethod
    def _samples(cls, data: Any) -> Any:
        return {"points": _SAMPLES, **data} if isinstance(data, dict) and "line" in data else data

    @model_validator(mode="after")
    def _one(self) -> Probe:
        given = [v for v in (self.point, self.line, self.region, self.face) if v is not None]
        if len(given) != 1:
            raise ValueError("give one of point, line, region and face")
        if self.points is not None and self.line is None:
            raise ValueError("points has a meaning for a line alone; remove it")
        if self.line is not None and self.line[0] == self.line[1]:
            raise ValueError("line: its two ends are the same point")
        return self

    @property
    def ends(self) -> tuple[Sequence[float], ...]:
        """The point, or both ends of the line, m; empty for regions and faces."""
        return (self.point,) if self.point is not None else self.line or ()


def _names(probes: dict[str, Probe]) -> dict[str, Probe]:
    """Their names become those of files."""
    for name in probes:
        if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
            raise ValueError(f"{name!r} names a file too: use letters, digits, _ and - alone")
    return probes


Probes = Annotated[dict[str, Probe], AfterValidator(_names)]


def require(
    probes: Mapping[str, Probe],
    *,
    regions: Collection[str],
    faces: Collection[str],
    low: Sequence[float],
    high: Sequence[float],
) -> None:
    """Raise unless every probe finds its place in the structure.

    Args:
        probes: By name.
        regions: That carry ions.
        faces: Faces and interfaces.
        low, high: Opposite corners of the box, m.

    Raises:
        CaseError: naming the probe, what it asked for, and what is there.
    """
    for name, probe in probes.items():
        for kind, wanted, known in (
            ("region", probe.region, regions),
            ("face", probe.face, faces),
        ):
            if wanted is not None and wanted not in known:
                hint = did_you_mean(wanted, known)
                raise CaseError(
                    f"[probe.{name}] {kind} = {wanted!r}: the mesh has no such {kind}; {hint}"
                    f"it has {', '.join(sorted(known))}"
                )
        near = _NEAR * max(b - a for a, b in zip(low, high, strict=True))
        for end in probe.ends:
            if len(end) != len(low):
                raise CaseError(
                    f"[probe.{name}] {shown(end)} has {len(end)} coordinates, but the structure "
                    f"has {len(low)} dimensions"
                )
            within = (a - near <= x <= b + near for a, x, b in zip(low, end, high, strict=True))
            if not all(within):
                raise CaseError(
                    f"[probe.{name}] {shown(end)} lies outside the box, which reaches from "
                    f"{shown(low)} to {shown(high)}"
                )


def shown(position: Sequence[float]) -> str:
    """Coordinates for a person: `(3 um, 4 um)`."""
    return f"({', '.join(LENGTH.format(float(f'{x:.9g}')) for x in position)})"
