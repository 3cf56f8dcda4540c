"""The structure alone: shares, surface, orientation, pores and paths. No mesh, no physics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fem_spe.case import Case
from fem_spe.errors import CaseError, did_you_mean
from fem_spe.geometry import Box, MeshFile, Network, Voxels
from fem_spe.geometry.image_sample import voxelize
from fem_spe.measure.connected import Parts, parts
from fem_spe.measure.texture import order_of_image
from fem_spe.progress import Clock, log
from fem_spe.results import Quantity, Solution, Table
from fem_spe.studies.registry import Plan, Study

if TYPE_CHECKING:
    from fem_spe.geometry.implicit import Implicit
    from fem_spe.measure.pores import PoreSizes
    from fem_spe.meshing import Structure

_CUBIC = 1.02  # longest over shortest edge of voxels that count as cubes


def plan(case: Case, regions: tuple[str, ...]) -> Plan | None:
    """No mesh."""
    if isinstance(case.geometry, MeshFile) or len(case.geometry.size) != 3:
        raise CaseError(
            'study = "structure" measures fibre networks, images and boxes in 3-D; a section or a '
            "mesh has its fraction from any other study"
        )
    if case.structure.pores not in regions:
        hint = did_you_mean(case.structure.pores, regions)
        raise CaseError(
            f"[structure] pores = {case.structure.pores!r}: {hint}the regions are "
            f"{', '.join(regions)}"
        )
    return None


def measure(case: Case, structure: Structure, clock: Clock) -> Solution:
    """Everything about a structure that needs no field. On one rank.

    Raises:
        GeometryError: for a structure that has no voxels.
    """
    with clock.stage("voxels") as stage:
        voxels = voxelize(structure, case.mesh.voxel or 0.0)
        stage.note = str(voxels)
    on = f"on voxels of {voxels.edges}"
    quantities = {
        f"{name}_fraction": Quantity(share, "", f"share of {name}, {on}")
        for name, share in voxels.fractions.items()
    }
    if voxels.dropped:
        quantities["dropped"] = Quantity(voxels.dropped, "", "share of the image in dropped specks")
    two = not isinstance(structure, Box) and len(voxels.regions) == 2
    if two:
        solid: Implicit = structure  # type: ignore[assignment]
        with clock.stage("surface"):
            quantities |= _surface(solid, voxels)
            quantities |= _orientation(solid, voxels)
    with clock.stage("connect"):
        found = {k: parts(voxels.labels == k) for k in range(len(voxels.regions))}
        for k, region in enumerate(voxels.regions):
            quantities |= _connectivity(found[k], region)
    pores = voxels.regions.index(case.structure.pores)
    with clock.stage("paths"):
        quantities |= _paths(found[pores], voxels)
    tables: dict[str, Table] = {}
    if voxels.fractions[case.structure.pores] < 1.0:
        with clock.stage("pores") as stage:
            more, tables["pore_sizes"] = _pores(voxels, pores, case.structure.sizes)
            quantities |= more
            stage.note = f"{len(next(iter(tables['pore_sizes'].values())))} sizes"
    told = {"voxels": list(voxels.labels.shape), "voxel_size": list(voxels.voxel_size)}
    return Solution(quantities, {}, {}, tables, told, 0)


def _surface(structure: Implicit, voxels: Voxels) -> dict[str, Quantity]:
    """Area of the interface over the volume of the box, by marching cubes on the distance."""
    from skimage.measure import marching_cubes, mesh_surface_area

    x, y, z = (n + 1 for n in voxels.labels.shape)
    points, triangles, _, _ = marching_cubes(
        structure.distance((x, y, z)), 0.0, spacing=voxels.voxel_size
    )
    area = float(mesh_surface_area(points, triangles)) / float(np.prod(voxels.size))
    what = f"area of the {'-'.join(voxels.regions)} interface over the volume of the box"
    return {"specific_surface": Quantity(area, "1/m", what)}


def _orientation(structure: Implicit, voxels: Voxels) -> dict[str, Quantity]:
    """Order of the second phase's directions: the fibres' own, else from the image."""
    if isinstance(structure, Network):
        plane, space = structure.order_parameter_plane, structure.order_parameter
        how = "of the fibres' axes"
    else:
        order = order_of_image(voxels.labels == 1, voxels.voxel_size, structure.thinnest)
        plane, space = order.plane, order.space
        how = "by the image's structure tensor"
    return {
        "order_parameter": Quantity(space, "", f"P2 about the mean axis in x-y, {how}"),
        "order_parameter_plane": Quantity(plane, "", f"S = 2<cos^2> - 1 in x-y, {how}"),
    }


def _connectivity(found: Parts, region: str) -> dict[str, Quantity]:
    if len(found.sizes) == 0:
        return {}
    share = Quantity(
        found.largest_share, "", f"share of {region} in its largest of {len(found.sizes)} parts"
    )
    leads = {
        f"percolates_{name}.{region}": Quantity(
            float(len(found.through(axis)) > 0), "", f"1 where {region} leads through along {name}"
        )
        for axis, name in enumerate("xyz")
    }
    return {f"connected_share.{region}": share, **leads}


def _paths(pores: Parts, voxels: Voxels) -> dict[str, Quantity]:
    """Shortest ways through the pores; none along an axis that is closed."""
    from fem_spe.measure.geodesic import path_tortuosity

    quantities = {}
    for axis, name in enumerate("xyz"):
        through = pores.through(axis)
        value = None
        if len(through):
            value = path_tortuosity(np.isin(pores.part, through), voxels.voxel_size, axis)
        if value is None:
            log.warning("no path leads through the pores along %s", name)
            continue
        what = f"mean shortest way through the pores along {name} / length of the box"
        quantities[f"path_tortuosity_{name}"] = Quantity(value, "", what)
    return quantities


def _pores(voxels: Voxels, phase: int, most: int) -> tuple[dict[str, Quantity], Table]:
    """Pore sizes by local thickness and by intrusion."""
    from fem_spe.measure.pores import pore_sizes

    open_, edge = _cubes(voxels, phase)
    thick, intruded = pore_sizes(open_, edge, most=most)
    quantities = {
        "mean_pore_size": _size(thick, thick.mean, "mean diameter of the pores, local thickness"),
        "pore_size_spread": _size(thick, thick.spread, "standard deviation of the same"),
        "pore_size_peak": _size(thick, thick.peak, "most frequent diameter, local thickness"),
    }
    filled = float(intruded.share.sum())
    quantities["intruded_share"] = Quantity(
        filled, "", "share of the pores that intrusion from bottom and top fills"
    )
    if filled > 0:
        told = "diameter of the pores, intrusion from bottom and top"
        quantities["mean_intrusion_size"] = _size(intruded, intruded.mean, f"mean {told}")
        quantities["intrusion_peak"] = _size(intruded, intruded.peak, f"most frequent {told}")
    width = 1e6 * np.diff(thick.edges)
    table: Table = {
        "diameter [um]": 1e6 * thick.centres,
        "local thickness [1/um]": thick.share / width,
        "intrusion [1/um]": intruded.share / width,
        "intruded at this size and above": np.cumsum(intruded.share[::-1])[::-1],
    }
    return quantities, table


def _size(sizes: PoreSizes, value: float, what: str) -> Quantity:
    """A diameter, m, known to half a class."""
    return Quantity(value, "m", what, 0.5 * float(np.diff(sizes.edges)[0]))


def _cubes(voxels: Voxels, phase: int) -> tuple[NDArray[np.bool_], float]:
    """The phase on cubic voxels, those of the image if they are cubes nearly enough."""
    edge = min(voxels.voxel_size)
    inside = voxels.labels == phase
    if max(voxels.voxel_size) / edge < _CUBIC:
        return inside, float(np.prod(voxels.voxel_size)) ** (1 / 3)
    for axis, own in enumerate(voxels.voxel_size):
        count = max(round(inside.shape[axis] * own / edge), 1)
        nearest = ((np.arange(count) + 0.5) * inside.shape[axis] / count).astype(int)
        inside = inside.take(nearest, axis=axis)
    return np.ascontiguousarray(inside), edge


STUDY = Study("structure", plan, on_structure=measure)
