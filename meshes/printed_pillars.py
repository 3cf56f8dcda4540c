"""Printed pillars with a part of one's own, for `python meshes/printed_pillars.py`.

The file can then be run: [geometry] kind = "mesh_file", file = "pillars.msh".
"""

import argparse
from pathlib import Path

import gmsh

from fem_spe import meshing
from fem_spe.geometry import Printed

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("-o", "--output", type=Path, default=Path("pillars.msh"))
file = parser.parse_args().output

um = 1e6  # the model is in micrometres
pillars = Printed(  # m; they reach down into the lithium
    pattern="pillar", shape="round", width=100e-6, height=150e-6, gap=200e-6, base=75e-6,
    lithium=200e-6, cell="array", count=(2, 1),
)  # fmt: skip
sizes = meshing.Sizes(size=50e-6, interface_size=20e-6)  # m

with meshing.session():
    # the pillars, the film and the lithium; the film's upper side is `top`
    interfaces = meshing.add_printed(pillars, scale=um)

    # a separator on the film, with Gmsh's own functions: it shares the film's upper side
    top = gmsh.model.getEntitiesForPhysicalName("top")
    x, y, z = (um * s for s in pillars.size)
    box = gmsh.model.occ.extrude(top, 0, 0, 25)
    gmsh.model.occ.synchronize()

    # names: a region for [materials], its interface, and the new top; its sides stay without
    separator = [tag for dimension, tag in box if dimension == 3]
    gmsh.model.addPhysicalGroup(3, separator, name="separator")
    old = next(
        g for g in gmsh.model.getPhysicalGroups(2) if gmsh.model.getPhysicalName(*g) == "top"
    )
    gmsh.model.removePhysicalGroups([old])
    gmsh.model.addPhysicalGroup(2, [tag for _, tag in top], name="electrolyte-separator")
    gmsh.model.addPhysicalGroup(2, [box[0][1]], name="top")

    meshing.set_size_field([], longest=x / um, sizes=sizes, scale=um, surfaces=interfaces)
    meshing.generate(3)
    arrays = meshing.extract(3, um)  # raises if cells are slivers
    meshing.write(file, um, arrays)
print(f"{file}: {len(arrays.cells)} cells, regions {', '.join(arrays.regions)}")
