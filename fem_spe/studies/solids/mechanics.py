"""What elastic studies share: moduli, supports, loads, and the numbers of a stress field."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from fem_spe.case import Boundary, Case
from fem_spe.domain import Domain
from fem_spe.errors import CaseError
from fem_spe.geometry.faces import BOX_FACES, opposite
from fem_spe.measure.cells import mean_of_cells
from fem_spe.measure.charge import once
from fem_spe.measure.stress import Mask, Statistics, by_region, shares
from fem_spe.physics import elasticity as forms
from fem_spe.progress import log
from fem_spe.results import Quantity
from fem_spe.solve.solids import elastic
from fem_spe.studies import named

NEARLY_INCOMPRESSIBLE = 0.49  # Poisson's ratio above which displacements alone lock
_LOCKING = 0.45  # and above which linear elements do
_CORNER = 0.05  # of the smallest side: the zone about a clamped corner that is left out

Faces = Mapping[str, Boundary]


def too_stiff(materials: Mapping[str, tuple[float, float]]) -> str | None:
    """The first region whose volume hardly changes: nu above NEARLY_INCOMPRESSIBLE.

    Args:
        materials: Region -> (E, nu).
    """
    return next((n for n, (_, nu) in materials.items() if nu > NEARLY_INCOMPRESSIBLE), None)


def require_materials(case: Case, regions: Iterable[str]) -> dict[str, tuple[float, float]]:
    """Region -> (E in Pa, nu).

    Raises:
        CaseError: if a region has none of its own.
    """
    found = {}
    for region in regions:
        material = case.material(region)
        for name in ("youngs_modulus", "poisson_ratio"):
            if material is None or getattr(material, name) is None:
                raise CaseError(
                    f"[materials] {region} has no {name}; give it a material of the table that "
                    'has one, or values such as { youngs_modulus = "6 MPa", poisson_ratio = 0.4 }'
                )
        assert material is not None
        found[region] = (material.youngs_modulus or 0.0, material.poisson_ratio or 0.0)
    return found


def require_plane(case: Case, dimension: int) -> None:
    """Raise where plane stress is asked of a solid: its moduli would be those of a film.

    Raises:
        CaseError: naming the key.
    """
    if dimension == 3 and case.elasticity.plane == "stress":
        raise CaseError(
            '[elasticity] plane = "stress" has no meaning in three dimensions; remove it'
        )


def fewest_steps(displacement: float, radius: float) -> int:
    """Of less than a ball's radius each: no centre then comes below the surface it presses on."""
    return math.floor(displacement / radius) + 1


def require_faces(faces: Faces, dimension: int, known: Sequence[str]) -> None:
    """Raise where a face is named that there is not, or a value has too many components.

    Raises:
        CaseError: naming the nearest.
    """
    named.require_faces(faces, known)
    for name, boundary in faces.items():
        for key in ("displacement", "traction"):
            value = getattr(boundary, key)
            if value is not None and len(value) != dimension:
                raise CaseError(
                    f"[boundary.{name}] {key} has {len(value)} values, but the structure has "
                    f"{dimension} axes"
                )
        if boundary.sliding and opposite(dimension, name) is None:
            raise CaseError(
                f"[boundary.{name}] sliding: only faces of the box can slide; give displacement"
            )


def require_support(faces: Faces, dimension: int) -> None:
    """Raise unless the faces hold every rigid motion of a box.

    Raises:
        CaseError: naming a motion that is left.
    """
    rows = []
    for name, boundary in faces.items():
        place, fixed = opposite(dimension, name), _fixed(name, boundary, dimension)
        corners = np.array(np.meshgrid(*[(0.0, 1.0)] * dimension)).reshape(dimension, -1).T
        if place is not None:
            upper = float(name == BOX_FACES[dimension][place[0]][1])
            corners = corners[corners[:, place[0]] == upper]
        rows += [_motions(corner)[list(fixed)] for corner in corners if fixed]
    held = np.linalg.matrix_rank(np.vstack(rows)) if rows else 0
    if held < dimension * (dimension + 1) // 2:
        what = "nothing holds the block" if held == 0 else "the block can still move as a whole"
        raise CaseError(
            f"[boundary.*] {what}: {dimension * (dimension + 1) // 2 - held} rigid motions are "
            "free; give a face clamped = true, or two of them sliding = true"
        )


def _motions(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rigid motions at a point: row per component, column per motion."""
    n = len(x)
    columns = list(np.eye(n))
    for i in range(n):
        for j in range(i + 1, n):
            turn = np.zeros(n)
            turn[i], turn[j] = -x[j], x[i]
            columns.append(turn)
    return np.column_stack(columns)


def _fixed(name: str, boundary: Boundary, dimension: int) -> dict[int, float]:
    """Axis -> displacement that a boundary prescribes on the face `name`, m."""
    if boundary.clamped:
        return dict.fromkeys(range(dimension), 0.0)
    place = opposite(dimension, name)
    if boundary.sliding and place is not None:
        return {place[0]: 0.0}
    given = boundary.displacement or ()
    return {k: value for k, value in enumerate(given) if value != "free"}


def held(faces: Faces, dimension: int) -> dict[str, list[int]]:
    """The axes along which each face is held, of the faces that are."""
    fixed = {name: _fixed(name, boundary, dimension) for name, boundary in faces.items()}
    return {name: list(axes) for name, axes in fixed.items() if axes}


def supports(domain: Domain, space: Any, faces: Faces) -> list[fem.DirichletBC]:
    """The displacements that are prescribed on faces. Collective.

    Args:
        domain: The mesh.
        space: Of the displacement; of a mixed problem its first part.
        faces: Face -> what is prescribed there.
    """
    return [
        elastic.prescribed(domain, space, name, axis, value)
        for name, boundary in faces.items()
        for axis, value in _fixed(name, boundary, domain.dimension).items()
    ]


def tractions(domain: Domain, v: Any, faces: Faces) -> Any:
    """The load of the tractions on faces, or None."""
    given = {name: b.traction for name, b in faces.items() if b.traction is not None}
    load, on = None, once(domain, given)
    for name, traction in given.items():
        value = fem.Constant(domain.mesh, traction)
        part = forms.traction(v, value, on(domain.face(name)))
        load = part if load is None else load + part
    return load


def warn_of_locking(degree: int, materials: Mapping[str, tuple[float, float]]) -> None:
    """Say where linear elements are too stiff."""
    stiff = [name for name, (_, nu) in materials.items() if nu >= _LOCKING]
    if degree == 1 and stiff:
        log.warning(
            "linear elements are too stiff for a Poisson's ratio of %g (%s): forces may be 20 %% "
            "too large; give [solver] degree = 2", materials[stiff[0]][1], stiff[0],
        )  # fmt: skip


def clamped_corners(domain: Domain, faces: Faces) -> Mask | None:
    """Points near the edges of clamped faces, where stresses are singular; None without any.

    Where the neighbour slides there is no singularity: it is a plane of symmetry.
    """
    low, size = np.array(domain.origin), np.array(domain.size)
    zone = _CORNER * float(size.min())
    ends = {
        name: (axis, low[axis] + end * size[axis])
        for axis, pair in enumerate(BOX_FACES[domain.dimension])
        for end, name in enumerate(pair)
    }
    clamped = [
        name
        for name, boundary in faces.items()
        if name in ends and len(_fixed(name, boundary, domain.dimension)) == domain.dimension
    ]
    edges = [
        (ends[name], end)
        for name in clamped
        for other, end in ends.items()
        if end[0] != ends[name][0] and not (other in faces and faces[other].sliding)
    ]
    if not edges:
        return None

    def near(points: NDArray[np.float64]) -> NDArray[np.bool_]:
        found = np.zeros(len(points), dtype=bool)
        for edge in edges:
            found |= np.all([np.abs(points[:, axis] - at) < zone for axis, at in edge], axis=0)
        return found

    return near


@dataclass(frozen=True)
class Stressed:
    """What a displacement field means.

    Attributes:
        quantities: Statistics of the von Mises stress in each region, energies, shares.
        fields: `von_mises [Pa]`, the mean over each cell.
    """

    quantities: dict[str, Quantity] = field(default_factory=dict)
    fields: dict[str, fem.Function] = field(default_factory=dict)


def spread(found: Mapping[str, Statistics], *, exclude: Mask | None) -> dict[str, Quantity]:
    """Statistics of the von Mises stress in regions; `exclude` tells what did not count."""
    told: dict[str, Quantity] = {}
    left_out = " but for clamped corners" if exclude else ""
    for region, of in found.items():
        for name, value, what in (
            ("mean", of.mean, "mean"),
            ("p99", of.p99, "99 % of the volume have less"),
            ("p999", of.p999, "99.9 % of the volume have less"),
            ("max", of.maximum, f"largest, at ({of.where}) um"),
        ):
            text = f"von Mises stress in {region}{left_out}: {what}"
            told[f"{name}_von_mises.{region}"] = Quantity(value, "Pa", text)
    return told


def stressed(
    domain: Domain, sigma: Any, energy: Any, *, axis: int, exclude: Mask | None
) -> Stressed:
    """Statistics of a stress field. Collective.

    Args:
        domain: The mesh.
        sigma: Stress as a 3 x 3 tensor, Pa.
        energy: Strain energy per volume, J/m^3.
        axis: That the load share is told along.
        exclude: Points that do not count.
    """
    strength = forms.von_mises(sigma)
    told = spread(by_region(domain, strength, exclude=exclude), exclude=exclude)
    unit = "J" if domain.dimension == 3 else "J/m"
    told["strain_energy"] = Quantity(domain.integrate(energy * domain.dx), unit, "stored in all")
    for region, share in shares(domain, energy).items():
        told[f"energy_share.{region}"] = Quantity(share, "", f"of the strain energy, in {region}")
    for region, share in shares(domain, sigma[axis, axis]).items():
        text = f"of the mean stress along {'xyz'[axis]}, in {region}"
        told[f"load_share.{region}"] = Quantity(share, "", text)

    return Stressed(told, {"von_mises [Pa]": mean_of_cells(domain, strength)})
