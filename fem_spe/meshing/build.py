"""From a described structure to a distributed `Domain`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import gmsh
import numpy as np
from mpi4py import MPI

from fem_spe.comm import on_root
from fem_spe.domain import Domain, MeshArrays, distribute
from fem_spe.errors import FemSpeError, MeshError
from fem_spe.geometry import Box, MeshFile, Printed, Section
from fem_spe.geometry.faces import Axis, faces_across, thickness
from fem_spe.geometry.implicit import Implicit
from fem_spe.meshing.areas import require_areas
from fem_spe.meshing.box import add_box
from fem_spe.meshing.connect import keep_connected, name_sides, require_path
from fem_spe.meshing.discrete import add_arrays
from fem_spe.meshing.extract import curve, extract
from fem_spe.meshing.file import add_file
from fem_spe.meshing.fused import add_fused_section
from fem_spe.meshing.graded import WallLayer, graded_box
from fem_spe.meshing.half_balls import HalfBall, with_half_balls
from fem_spe.meshing.half_discs import HalfDisc, add_half_discs, without_half_discs
from fem_spe.meshing.implicit import implicit_mesh
from fem_spe.meshing.periodic import match_sides
from fem_spe.meshing.printed import add_printed, improve
from fem_spe.meshing.section import add_section
from fem_spe.meshing.session import generate, session
from fem_spe.meshing.sizes import (
    SizeField,
    Sizes,
    Spot,
    require_feasible,
    set_nodal_sizes,
    set_size_field,
)
from fem_spe.meshing.write import write
from fem_spe.progress import log

Structure = Section | Box | Printed | MeshFile | Implicit


@dataclass(frozen=True)
class MeshPlan:
    """What is meshed, and how.

    Attributes:
        structure: The structure as data.
        sizes: Cell sizes and order; unused for a mesh file.
        holes: Regions that are left out of the mesh.
        anchors: Faces of which every part must touch one.
        across: Axis from whose one face to the other one connected part must lead, or
            `thickness`; both faces are anchors then.
        periodic: Axes across which opposite faces of the box are meshed alike.
        spots: Places about which the cells are small.
        layers: Faces of a box at which cells are flat, thin, and grow inwards.
        half_discs: Balls above a section that are meshed, too.
        half_balls: Balls above a structure in 3-D.
        halvings: How often every cell is split, new nodes put on the curved outlines.
        field: In place of `sizes`: where the cells are to be how large, in 2-D.
    """

    structure: Structure
    sizes: Sizes
    holes: frozenset[str] = frozenset()
    anchors: tuple[str, ...] = ()
    across: Axis | Literal["thickness"] | None = None
    periodic: tuple[int, ...] = ()
    spots: tuple[Spot, ...] = ()
    layers: tuple[WallLayer, ...] = ()
    half_discs: tuple[HalfDisc, ...] = ()
    half_balls: tuple[HalfBall, ...] = ()
    halvings: int = 0
    field: SizeField | None = None


def build(comm: MPI.Intracomm, plan: MeshPlan, file: Path | None = None) -> Domain:
    """Mesh on rank 0, write `file` if given, and spread the mesh. Collective.

    Raises:
        MeshError, GeometryError: on all ranks alike.
    """
    arrays: list[MeshArrays] = []

    def work() -> None:
        arrays.append(mesh_arrays(plan, file))

    on_root(comm, work)
    return distribute(comm, arrays[0] if arrays else None)


def mesh_arrays(plan: MeshPlan, file: Path | None = None) -> MeshArrays:
    """Mesh on this rank alone; write the mesh to `file` (.msh, .vtu, .xdmf) if given.

    Raises:
        MeshError: if no mesh, or none to rely on, can be made.
        GeometryError: if no path leads through.
    """
    structure = plan.structure
    with session():
        if isinstance(structure, MeshFile):
            dimension, scale = add_file(structure)
            arrays = name_sides(extract(dimension, scale, plan.holes))
        elif plan.layers and isinstance(structure, Box):
            dimension, scale = len(structure.size), 1.0
            size = plan.sizes.size
            arrays = graded_box(structure, plan.layers, size, plan.holes, plan.halvings)
        elif isinstance(structure, (Section, Box, Printed)):
            dimension, scale, note = _generate(structure, plan)
            arrays = replace(extract(dimension, scale, plan.holes), box=structure.size)
            if note:
                log.warning(note)
            require_areas(structure, without_half_discs(arrays), plan.holes)
        else:
            dimension, scale = 3, 1.0
            arrays = implicit_mesh(
                structure,
                plan.sizes.halved(plan.halvings),
                holes=plan.holes,
                periodic=plan.periodic,
                spots=[spot.halved(plan.halvings) for spot in plan.spots],
            )
        if plan.half_balls:
            arrays = with_half_balls(arrays, plan.half_balls, plan.spots, plan.halvings)
            scale = 1.0
        anchors = plan.anchors
        if plan.across:
            axis = thickness(dimension) if plan.across == "thickness" else plan.across
            anchors = faces_across(dimension, axis)
            require_path(arrays, anchors)
        if anchors:
            arrays = keep_connected(arrays, anchors)
        if arrays.isolated:
            log.warning(
                "%.2g %% of the mesh touches no electrode and was left out", 100 * arrays.isolated
            )
        if file is not None:
            if gmsh.model.getDimension() < 0 and file.suffix == ".msh":
                add_arrays(arrays)  # made without Gmsh
            write(file, scale, arrays)
    return arrays


def _generate(structure: Section | Box | Printed, plan: MeshPlan) -> tuple[int, float, str]:
    """Mesh the structure: dimension, model units per metre, a note."""
    sizes, dimension = plan.sizes, len(structure.size)
    # Gmsh's tolerances are absolute and meant for models of size 1 to 1000
    scale = 100.0 / max(structure.size)
    measure = float(np.prod(structure.size))
    if isinstance(structure, Box):
        require_feasible(measure, 0.0, sizes, dimension)
        add_box(structure, scale)
        set_size_field([], 0.0, sizes, scale, plan.spots)
    elif isinstance(structure, Printed):
        require_feasible(sum(structure.volumes.values()), structure.contact, sizes, dimension)
        surfaces = add_printed(structure, scale)
        longest = max(structure.size)
        set_size_field([], longest, sizes, scale, plan.spots, surfaces)
    else:
        outline = _outline(structure)
        require_feasible(measure, float(outline.sum()), sizes, dimension)
        add = add_fused_section if structure.fused else add_section
        try:
            interfaces = add(structure, plan.holes, scale)
        except FemSpeError:
            raise
        except Exception as error:  # Gmsh has no class of its own
            raise MeshError(f"Gmsh cannot build the section: {error}; try another seed") from None
        set_size_field(interfaces, float(outline.max()), sizes, scale, plan.spots)
    if plan.half_discs:
        built_in = isinstance(structure, Section) and not structure.fused
        add_half_discs(plan.half_discs, scale, built_in=built_in)
    if plan.periodic:
        match_sides(np.array(structure.size) * scale, plan.periodic)
    if plan.field is not None:
        set_nodal_sizes(plan.field, scale)
    note = generate(dimension)
    if isinstance(structure, Printed):
        improve()
    for _ in range(plan.halvings):
        gmsh.model.mesh.refine()
    return dimension, scale, "; ".join(filter(None, [note, curve(sizes.order)]))


def _outline(section: Section) -> np.ndarray:
    """Length of each inclusion's outline, m (Ramanujan's formula for ellipses)."""
    a, b = section.inclusions.a, section.inclusions.b
    if section.inclusions.shape == "rod":
        return np.asarray(2 * np.pi * b + 4 * (a - b))
    return np.asarray(np.pi * (3 * (a + b) - np.sqrt((3 * a + b) * (a + 3 * b))))
