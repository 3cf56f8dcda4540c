"""The printed parts of Mu et al. 2024: quality, volumes and interface areas of their meshes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fem_spe.verify.row import Row, compared

_UM = 1e-6
_LEAST = 0.2  # quality, radius ratio
_PILLARS = {"pattern": "pillar", "base": 75, "width": 100, "height": 150, "lithium": 200}
VARIANTS: dict[str, dict[str, Any]] = {
    "flat film": {"pattern": "flat", "base": 75, "pitch": 300, "lithium": 200},
    **{
        f"square pillars 100, height {h}": _PILLARS | {"height": h, "gap": 200, "lithium": h + 50}
        for h in (50, 100, 150, 200)
    },
    "square pillars 100, pitch 200": _PILLARS | {"pitch": 200},
    "a quarter of one, tips at the side": _PILLARS
    | {"gap": 200, "cell": "quarter", "lithium": 150},
    "round pillars 100": _PILLARS | {"gap": 200, "shape": "round"},
    "round pillars 100, pitch 200": _PILLARS | {"pitch": 200, "shape": "round"},
    **{
        f"round pillars {d}": _PILLARS | {"width": d, "gap": 200, "shape": "round"}
        for d in (200, 300)
    },
    "pillars on both sides": _PILLARS | {"gap": 200, "base": 150, "sides": 2, "cathode": 200},
    "2 x 2 pillars on both sides": _PILLARS
    | {"gap": 200, "base": 150, "sides": 2, "cathode": 200, "cell": "array", "count": 2},
    "pillars without electrodes": _PILLARS | {"gap": 200, "lithium": 0, "cathode": 0},
    "spiral wall, 2 turns": _PILLARS | {"pattern": "spiral", "gap": 200, "count": 2},
}
_LIMITS = {"square": 1e-6, "round": 1e-3, "spiral": 5e-3}
_CURVED = 1e-5


def printed() -> Iterator[Row]:
    """Worst quality, and interface areas against their closed forms."""
    for name, given in VARIANTS.items():
        part, arrays = mesh(given)
        quality = arrays.min_quality
        title = f"{name}: {len(arrays.cells)} cells, quality"
        yield Row(title, quality, _LEAST, max(0.0, _LEAST - quality), 0.0, "at least")
        kind = part.pattern if part.pattern == "spiral" else part.shape
        yield from _areas(name, part.areas, arrays, _LIMITS[kind])
        if kind == "round":
            _, arrays = mesh(given, order=2)
            yield from _areas(f"{name}, curved", part.areas, arrays, _CURVED)


def mesh(given: dict[str, Any], order: int = 1) -> tuple[Any, Any]:
    """The part with lengths of `given` in um, and its mesh of the default sizes."""
    from fem_spe.geometry import Printed
    from fem_spe.meshing import MeshPlan, Sizes, mesh_arrays

    numbers: dict[str, Any] = {
        key: value * _UM if isinstance(value, int) and key not in ("sides", "count") else value
        for key, value in ({"cathode": 100} | given).items()
    }
    part = Printed(**numbers)
    coarse = min(part.size) / 12
    sizes = Sizes(coarse, min(part.finest, coarse), order)
    return part, mesh_arrays(MeshPlan(part, sizes))


def _areas(name: str, exact: dict[str, float], arrays: Any, limit: float) -> Iterator[Row]:
    for face, area in exact.items():
        if face in ("bottom", "top") and f"electrolyte-{_BEHIND[face]}" in exact:
            continue  # flat
        value = face_area(arrays.points, arrays.facets[arrays.facet_tags == arrays.faces[face]])
        yield compared(f"{name}: {face}", value / _UM**2, area / _UM**2, limit, "closed form")


_BEHIND = {"bottom": "lithium", "top": "cathode"}


def face_area(points: NDArray[np.float64], facets: NDArray[np.int64]) -> float:
    """Area of triangles of first or second order in space, m^2, by a rule of degree 5."""
    x = points[facets]
    if facets.shape[1] == 3:
        return (
            float(np.linalg.norm(np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0]), axis=1).sum()) / 2
        )
    total = 0.0
    for (r, s), weight in zip(_PLACES, _WEIGHTS, strict=True):
        t = 1 - r - s
        # middles 3 (01), 4 (12), 5 (20)
        along_r = np.array([1 - 4 * t, 4 * r - 1, 0, 4 * (t - r), 4 * s, -4 * s])
        along_s = np.array([1 - 4 * t, 0, 4 * s - 1, -4 * r, 4 * r, 4 * (t - s)])
        a, b = (np.einsum("n,fnd->fd", d, x) for d in (along_r, along_s))
        total += weight * float(np.linalg.norm(np.cross(a, b), axis=1).sum()) / 2
    return total


# Strang & Fix 1973, seven points
_A, _B = (6 - np.sqrt(15)) / 21, (6 + np.sqrt(15)) / 21
_PLACES = [
    (1 / 3, 1 / 3),
    *((p, q) for c in (_A, _B) for p, q in ((c, c), (1 - 2 * c, c), (c, 1 - 2 * c))),
]
_WEIGHTS = [0.225, *[(155 - np.sqrt(15)) / 1200] * 3, *[(155 + np.sqrt(15)) / 1200] * 3]
