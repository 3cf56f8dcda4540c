"""How far ions travel: mean path length, and path lines from a stream function."""

from __future__ import annotations

from typing import Any

import numpy as np
import ufl
from dolfinx import fem

from fem_spe.domain import Domain
from fem_spe.solve.linear import choose, solve


def pathway_length(domain: Domain, flux: Any, axis: int) -> float:
    """Mean length of the flux-weighted paths over the straight way: <|J|> / <J . n>.

    Duda, Koza & Matyka, Phys. Rev. E 84 (2011) 036319; needs no tracing. Collective.
    """
    travelled = domain.integrate(ufl.sqrt(ufl.inner(flux, flux)) * domain.dx)
    return travelled / abs(domain.integrate(flux[axis] * domain.dx))


def stream_function(domain: Domain, flux: Any, degree: int) -> fem.Function:
    """psi with J = (d psi/dy, -d psi/dx) in the least-squares sense; 2-D. Collective.

    Contours of psi are path lines, with the same flux between neighbouring ones. psi is
    single-valued around impermeable inclusions because no flux enters them.
    """
    space = fem.functionspace(domain.mesh, ("Lagrange", degree))
    psi, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    a = ufl.inner(ufl.grad(psi), ufl.grad(v)) * domain.dx
    # grad psi = (-J_y, J_x)
    load = (-flux[1] * v.dx(0) + flux[0] * v.dx(1)) * domain.dx
    # psi is free up to a constant: fix it in one node, known to all ranks by its place
    mine = space.tabulate_dof_coordinates()[:1] if domain.mesh.comm.rank == 0 else None
    node = domain.mesh.comm.bcast(mine)[0]
    near = 1e-9 * max(domain.size)
    dofs = fem.locate_dofs_geometrical(space, lambda x: np.all(np.abs(x.T - node) < near, axis=1))
    fixed = fem.dirichletbc(0.0, dofs, space)
    num_dofs = space.dofmap.index_map.size_global
    method = choose(num_dofs, 2)
    solved = solve(a, load, space, [fixed], rtol=1e-8, method=method, name="stream")
    solved.u.name = "stream_function"
    return solved.u
