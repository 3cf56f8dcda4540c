"""The printed electrolytes of Mu 2024, Fig. 2 as solids, `python workflows/mu2024/fig2.py [FILE]`.

Pillars are drawn upwards as in the paper's micrographs: there they reach into the cathode. What
the paper does not tell is assumed in `meshes/mu2024/`.
"""

import sys
from pathlib import Path
from typing import Any

from fem_spe.case import parse
from fem_spe.case.load import load_geometry
from fem_spe.meshing import MeshPlan, Sizes, mesh_arrays
from fem_spe.render import draw_parts_panels, grid_of

MESHES = Path(__file__).parents[2] / "meshes" / "mu2024"
UPWARDS = {"facing": "cathode", "lithium": 0.0, "cathode": 0.0}
FIELD = UPWARDS | {"cell": "array", "count": 4}
PANELS: dict[str, tuple[str, dict[str, Any]]] = {
    "f-SE, 75 µm (S2a)": ("flat", {"pitch": "1200 um", "lithium": 0.0, "cathode": 0.0}),
    "p-3DSE, 100 µm, 150 µm high (2b–c)": ("pillar_h150", FIELD),
    "s-3DSE, wall 100 µm, 150 µm high (S6)": ("spiral", UPWARDS),
    "height 50 µm (S7)": ("pillar_h50", FIELD),
    "height 200 µm (S7)": ("pillar_h200", FIELD),
    "spacing read as pitch": ("pillar_pitch", FIELD | {"count": 6}),
    "diameter 200 µm (2g)": ("pillar_d200", FIELD | {"count": 3}),
    "diameter 300 µm (2h)": ("pillar_d300", FIELD | {"count": 3}),
    "both sides, in a cell (2k)": ("double", {"cell": "array", "count": 2}),
}


def main(file: Path) -> None:
    panels = []
    for title, (name, changes) in PANELS.items():
        geometry = load_geometry(MESHES / f"{name}.toml") | changes
        panels.append((title, *solid(geometry)))
    print(draw_parts_panels(panels, file))


def solid(geometry: dict[str, Any]) -> tuple[Any, dict[int, str]]:
    """A grid of the part with cells that are fine enough for a picture, and its regions."""
    case = parse(
        {"study": "diffusion", "geometry": geometry, "materials": {"electrolyte": "llzto"}}
    )
    part: Any = case.geometry
    size = 1.5 * part.finest
    arrays = mesh_arrays(MeshPlan(part, Sizes(2 * size, size)))
    names = {number: name for name, number in arrays.regions.items()}
    return grid_of(arrays.points, arrays.cells, arrays.cell_tags), names


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/mu2024_fig2.png"))
