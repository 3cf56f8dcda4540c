"""A fibre section to a Gmsh model, with the built-in kernel and without booleans."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

import gmsh
import numpy as np
from shapely import Point, Polygon

from fem_spe.geometry import Inclusions, Section
from fem_spe.meshing.outline import Piece, pieces
from fem_spe.meshing.periodic import match_sides

Node = tuple[float, float]


@dataclass(frozen=True)
class Edge:
    """A model curve between two nodes."""

    curve: int
    start: Node
    end: Node


class _Kernel:
    """Points and curves of the built-in kernel, each point made once."""

    def __init__(self, scale: float) -> None:
        self.scale = scale
        self.points: dict[Node, int] = {}

    def point(self, node: Node) -> int:
        if node not in self.points:
            x, y = node
            self.points[node] = gmsh.model.geo.addPoint(x * self.scale, y * self.scale, 0.0)
        return self.points[node]

    def line(self, start: Node, end: Node) -> Edge:
        return Edge(gmsh.model.geo.addLine(self.point(start), self.point(end)), start, end)

    def arc(self, piece: Piece) -> Edge:
        if piece.kind == "line":
            return self.line(piece.start, piece.end)
        ends = self.point(piece.start), self.point(piece.end)
        center = self.point(piece.center)
        if piece.kind == "circle":
            curve = gmsh.model.geo.addCircleArc(ends[0], center, ends[1])
        else:
            major = self.point(piece.major)
            curve = gmsh.model.geo.addEllipseArc(ends[0], center, major, ends[1])
        return Edge(curve, piece.start, piece.end)


def add_section(
    section: Section, holes: Collection[str], scale: float, openings: Sequence[int] = ()
) -> list[int]:
    """Add `section` to the current model, with physical groups for every name.

    Args:
        section: The section; its inclusions keep apart.
        holes: Regions that are left out of the mesh.
        scale: Model units per metre.
        openings: Curve loops of the built-in kernel that the matrix, where in one piece,
            leaves open for parts of one's own.

    Returns:
        The curves of all interfaces.
    """
    body = section.with_images()
    kernel = _Kernel(scale)
    arcs: dict[int, list[Edge]] = defaultdict(list)
    crossing: dict[int, bool] = {}
    for piece in pieces(body, section.size):
        arcs[piece.owner].append(kernel.arc(piece))
        crossing[piece.owner] = piece.cut

    hole = [body.regions[p] in holes for p in body.phase]
    sides = _sides(section, body, arcs, crossing, kernel, hole)

    groups: dict[tuple[int, str], list[int]] = defaultdict(list)
    inner = [edges for owner, edges in arcs.items() if not crossing[owner]]
    open_edges = [edge for owner, edges in arcs.items() if crossing[owner] for edge in edges]
    border = [edge for _, owner, edge in sides if owner < 0]
    rounds = [_loops(edges)[0] for edges in inner]
    groups[2, "matrix"] = _surfaces(_loops(border + open_edges), rounds, openings)
    for owner, edges in arcs.items():
        region = body.regions[body.phase[owner]]
        groups[1, f"matrix-{region}"] += [edge.curve for edge in edges]
        if not hole[owner]:
            own = [edge for _, inside, edge in sides if inside == owner]
            groups[2, region] += _surfaces(_loops(edges + own), [])
    for face, owner, edge in sides:
        if owner < 0 or not hole[owner]:
            groups[1, face].append(edge.curve)

    gmsh.model.geo.synchronize()
    for (dimension, name), entities in groups.items():
        if entities:
            gmsh.model.addPhysicalGroup(dimension, entities, name=name)
    if section.periodic:
        match_sides(np.array(section.size) * scale, (0, 1))
    return [edge.curve for edges in arcs.values() for edge in edges]


def _sides(
    section: Section,
    body: Inclusions,
    arcs: dict[int, list[Edge]],
    crossing: dict[int, bool],
    kernel: _Kernel,
    hole: list[bool],
) -> list[tuple[str, int, Edge]]:
    """The box sides cut at the inclusions: (face, inclusion inside or -1, edge)."""
    width, height = section.size
    cuts = {
        node for o, edges in arcs.items() if crossing[o] for e in edges for node in (e.start, e.end)
    }
    candidates = np.array([o for o, is_cut in crossing.items() if is_cut], dtype=np.int64)
    found = []
    for name, start, end in (  # along the axes, so that opposite sides match
        ("bottom", (0.0, 0.0), (width, 0.0)),
        ("right", (width, 0.0), (width, height)),
        ("top", (0.0, height), (width, height)),
        ("left", (0.0, 0.0), (0.0, height)),
    ):
        axis = 0 if start[1] == end[1] else 1
        on = {n for n in cuts if n[1 - axis] == start[1 - axis]} | {start, end}
        chain = sorted(on, key=lambda n: n[axis])
        for a, b in pairwise(chain):
            owner = _inclusion_at(body, candidates, ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2))
            if owner < 0 or not hole[owner]:
                found.append((name, owner, kernel.line(a, b)))
    return found


def _inclusion_at(body: Inclusions, candidates: np.ndarray, node: Node) -> int:
    """The inclusion among `candidates` that contains `node`, or -1."""
    if len(candidates) == 0:
        return -1
    some = body.take(candidates)
    dx, dy = node[0] - some.x, node[1] - some.y
    c, s = np.cos(some.angle), np.sin(some.angle)
    u, v = c * dx + s * dy, c * dy - s * dx
    if some.shape == "ellipse":
        inside = (u / some.a) ** 2 + (v / some.b) ** 2 < 1
    else:
        straight = some.a - some.b
        inside = np.hypot(u - np.clip(u, -straight, straight), v) < some.b
    return int(candidates[np.argmax(inside)]) if inside.any() else -1


def _loops(edges: list[Edge]) -> list[list[tuple[int, Node]]]:
    """Closed loops of `edges`: signed curves, each with the node it starts from."""
    at: dict[Node, list[int]] = defaultdict(list)
    for k, edge in enumerate(edges):
        at[edge.start].append(k)
        at[edge.end].append(k)
    unused = dict.fromkeys(range(len(edges)))
    loops = []
    while unused:
        k = next(iter(unused))
        node, loop = edges[k].start, []
        while k in unused:
            del unused[k]
            forward = edges[k].start == node
            loop.append((edges[k].curve if forward else -edges[k].curve, node))
            node = edges[k].end if forward else edges[k].start
            k = next((other for other in at[node] if other in unused), k)
        loops.append(loop)
    return loops


def _surfaces(
    outer: list[list[tuple[int, Node]]],
    inner: list[list[tuple[int, Node]]],
    openings: Sequence[int] = (),
) -> list[int]:
    """Plane surfaces bounded by the `outer` loops, each with the `inner` ones that lie in it.

    The first has the `openings` too.
    """
    holes: list[list[int]] = [[] for _ in outer]
    holes[0] += openings
    regions = [Polygon([node for _, node in loop]) for loop in outer] if len(outer) > 1 else []
    for loop in inner:
        point = Point(loop[0][1])
        place = next((k for k, region in enumerate(regions) if region.contains(point)), 0)
        holes[place].append(_curve_loop(loop))
    return [
        gmsh.model.geo.addPlaneSurface([_curve_loop(loop), *inside])
        for loop, inside in zip(outer, holes, strict=True)
    ]


def _curve_loop(loop: list[tuple[int, Node]]) -> int:
    return int(gmsh.model.geo.addCurveLoop([curve for curve, _ in loop]))
