"""A fibre network with a tab of one's own on its top, for `python meshes/fiber_network.py`.

The file can then be run: [geometry] kind = "mesh_file", file = "network.msh", with the tab as an
electrode: [boundary.tab] concentration = "1000 mol/m^3".
"""

import argparse
from pathlib import Path

import gmsh
import numpy as np

from fem_spe import meshing
from fem_spe.geometry import FiberNetwork
from fem_spe.meshing.discrete import add_arrays
from fem_spe.meshing.implicit import implicit_mesh

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("-o", "--output", type=Path, default=Path("network.msh"))
file = parser.parse_args().output

fibers = FiberNetwork(size=(20e-6, 20e-6, 10e-6), fiber_diameter=2e-6, fiber_count=12, seed=1)  # m
sizes = meshing.Sizes(size=1.5e-6, interface_size=0.8e-6)  # m

with meshing.session():
    # both phases, the faces of the box and the interface, each a physical group with its name
    add_arrays(implicit_mesh(fibers.build(), sizes))

    # the tab: those triangles of the top that lie within 5 um of the left, with Gmsh's functions
    mesh = gmsh.model.mesh
    names = {gmsh.model.getPhysicalName(2, tag): tag for _, tag in gmsh.model.getPhysicalGroups(2)}
    (top,) = gmsh.model.getEntitiesForPhysicalGroup(2, names["top"])
    triangles, corners = mesh.getElementsByType(2, top)
    middles = mesh.getBarycenters(2, top, fast=False, primary=True).reshape(-1, 3)
    chosen = middles[:, 0] < 5e-6
    mesh.removeElements(2, top, triangles[chosen])
    tab = gmsh.model.addDiscreteEntity(2)
    mesh.addElementsByType(tab, 2, triangles[chosen], corners.reshape(-1, 3)[chosen].ravel())
    gmsh.model.addPhysicalGroup(2, [tab], name="tab")

    arrays = meshing.extract(3, scale=1.0)  # raises if cells are slivers
    meshing.write(file, 1.0, arrays)
share = np.mean(arrays.cell_tags == arrays.regions["fiber"])
print(f"{file}: {len(arrays.cells)} cells, {share:.0%} in fibres, faces {', '.join(arrays.faces)}")
