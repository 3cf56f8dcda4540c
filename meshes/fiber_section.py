"""A section through fibres with a part of one's own, for `python meshes/fiber_section.py`.

The file can then be run: [geometry] kind = "mesh_file", file = "section.msh".
"""

import argparse
import math
from pathlib import Path

import gmsh

from fem_spe import meshing
from fem_spe.geometry import AlignedSection

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("-o", "--output", type=Path, default=Path("section.msh"))
file = parser.parse_args().output

fibers = AlignedSection(size=(40e-6, 20e-6), count=(4, 2), fiber_diameter=5e-6)  # m
sizes = meshing.Sizes(size=1.5e-6, interface_size=0.5e-6, order=2)  # m
um = 1e6  # the model is in micrometres

with meshing.session():
    # a hexagonal crystal between the fibres, with Gmsh's own functions
    geo = gmsh.model.geo
    corners = [
        geo.addPoint(20 + 3 * math.cos(k * math.pi / 3), 10 + 3 * math.sin(k * math.pi / 3), 0)
        for k in range(6)
    ]
    edges = [geo.addLine(corners[k - 1], corners[k]) for k in range(6)]
    outline = geo.addCurveLoop(edges)
    crystal = geo.addPlaneSurface([outline])

    # the fibres, their box and the matrix, which leaves the outline open
    interfaces = meshing.add_section(fibers.build(), holes=(), scale=um, openings=[outline])

    # names: a region for [materials], and an interface
    gmsh.model.addPhysicalGroup(2, [crystal], name="crystal")
    gmsh.model.addPhysicalGroup(1, edges, name="matrix-crystal")

    meshing.set_size_field(interfaces + edges, longest=5e-6 * math.pi, sizes=sizes, scale=um)
    meshing.generate(2)
    meshing.curve(sizes.order)
    arrays = meshing.extract(2, um)  # raises if cells fold or are slivers
    meshing.write(file, um, arrays)
print(f"{file}: {len(arrays.cells)} cells, regions {', '.join(arrays.regions)}")
