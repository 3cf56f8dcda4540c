"""How far the effective coefficient can be off: bounds from both sides, cell by cell, in 2-D.

The energy of any field with the right values on the electrodes is too large, that of any flux
without sources is too large a resistance (Prager & Synge, Quart. Appl. Math. 5 (1947) 241). Such
a flux is the curl of a stream function, which has one value on each impermeable outline:

    D_lower = 1 / min_psi { integral of K^-1 |curl psi|^2 : psi = 0 left, 1 right, const on holes }
    D_upper - D_lower = integral of K^-1 |K grad u + q|^2,  q = D_lower curl psi,

cell by cell the sum of both errors. The bounds hold for the structure as meshed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

from fem_spe.domain import Domain
from fem_spe.solve.floating import floating, pieces
from fem_spe.solve.linear import choose, solve


@dataclass(frozen=True)
class Bounds:
    """A stream function and what it tells.

    Attributes:
        stream: psi times the flux: J = (d psi/dy, -d psi/dx).
        gap: D_upper - D_lower over D_upper.
        cells: Share of each owned cell in `gap`, shape (num_owned_cells,).
    """

    stream: fem.Function
    gap: float
    cells: NDArray[np.float64]


def bounds(
    domain: Domain, flux: Any, mobility: Any, electrodes: tuple[str, str], degree: int
) -> Bounds | None:
    """Bounds for the flux between two electrodes with values 0 and 1 in 2-D. Collective.

    Args:
        domain: The mesh.
        flux: -K grad u of the solution.
        mobility: K, a scalar per region or one value per axis.
        electrodes: The two faces.
        degree: Of the stream function.

    Returns:
        None where there are not just two walls from one electrode to the other.
    """
    space = fem.functionspace(domain.mesh, ("Lagrange", degree))
    found = pieces(domain, space, electrodes)
    walls = [k for k, touched in enumerate(found.touched) if len(touched) == 2]
    if len(walls) != 2:
        return None
    # what touches one electrode alone carries nothing
    idle = {k for k, part in enumerate(found.part) if part != found.part[walls[0]]}
    psi, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    a = ufl.inner(_resisted(mobility, _curl(psi)), _curl(v)) * domain.dx
    held = {**dict.fromkeys(idle, 0.0), walls[0]: 0.0, walls[1]: 1.0}
    bcs = [
        fem.dirichletbc(value, np.flatnonzero(np.isin(found.of_dof, some)).astype(np.int32), space)
        for value in (0.0, 1.0)
        if (some := [piece for piece, at in held.items() if at == value])
    ]
    zero = ufl.inner(fem.Constant(domain.mesh, 0.0), v) * domain.dx
    method = choose(int(space.dofmap.index_map.size_global), 2)
    ties = floating(space, found.of_dof, set(held))
    solved = solve(a, zero, space, bcs, rtol=1e-10, method=method, name="stream", ties=ties)
    stream = solved.u
    resistance = domain.integrate(
        ufl.inner(_resisted(mobility, _curl(stream)), _curl(stream)) * domain.dx
    )
    # of two walls either may come first: psi then falls where the flux asks it to rise
    along = domain.integrate(ufl.inner(flux, _resisted(mobility, _curl(stream))) * domain.dx)
    stream.x.array[:] *= np.sign(along) / resistance
    stream.name = "stream_function"

    w = ufl.TestFunction(fem.functionspace(domain.mesh, ("DG", 0)))
    error = flux - _curl(stream)
    density = ufl.inner(_resisted(mobility, error), error)
    cells = fem.assemble_vector(fem.form(density * w * domain.dx))
    own = cells.array[: domain.mesh.topology.index_map(2).size_local].copy()
    energy = domain.integrate(ufl.inner(_resisted(mobility, flux), flux) * domain.dx)
    own /= energy
    return Bounds(stream, float(domain.mesh.comm.allreduce(own.sum(), op=MPI.SUM)), own)


def _curl(psi: Any) -> Any:
    return ufl.as_vector([psi.dx(1), -psi.dx(0)])


def _resisted(mobility: Any, flux: Any) -> Any:
    """K^-1 J."""
    if mobility.ufl_shape == ():
        return flux / mobility
    return ufl.as_vector([flux[i] / mobility[i] for i in range(len(flux))])
