"""A hole and a disc in a plate, against closed forms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fem_spe import comm as _comm  # noqa: F401 - what DOLFINx needs before it
from fem_spe.verify.elasticity import CELL, unit_cell
from fem_spe.verify.row import Row, compared

if TYPE_CHECKING:
    from fem_spe.measure.stress import Statistics

_E = 2e9  # Pa; any value gives the same relative results
SIDES = ("left", "right", "bottom", "top")


def hole() -> Iterator[Row]:
    """Kirsch: a hole in a wide plate under tension, in plane strain and plane stress."""
    for plane in ("strain", "stress"):
        found, _, _ = _disc(0.0, 0.3, (1.0, 0.0), plane, "first principal", size=0.02)
        source = "Timoshenko & Goodier 1970, 35"
        name = f"hole in tension, plane {plane}: concentration"
        yield compared(name, found["matrix"].maximum, 3.0, 5e-3, source)


def disc() -> Iterator[Row]:
    """Eshelby: the stress in a bonded disc is uniform, and known."""
    far = (1.0, -0.4)
    for contrast in (0.1, 10.0, 1000.0):
        for axis in (0, 1):
            found, exact, _ = _disc(contrast, 0.2, far, "strain", axis, size=0.02)
            name = f"disc, contrast {contrast:g}: sigma_{'xy'[axis] * 2}"
            inside = found["fiber"]
            yield compared(name, inside.mean, exact.inside[axis], 1e-4, "Eshelby 1957")


def _disc(
    contrast: float, nu: float, far: tuple[float, float], plane: Any, what: Any, size: float
) -> tuple[dict[str, Statistics], Any, Any]:
    """A disc (contrast 0: a hole) in a square that moves as the infinite plate does.

    Returns:
        Statistics of a stress by region (`what`: an axis, or the first principal stress),
        the closed form, the displacement.
    """
    import ufl
    from dolfinx import fem

    from fem_spe.exact.elasticity import Disc
    from fem_spe.measure.stress import by_region
    from fem_spe.physics import elasticity as forms
    from fem_spe.solve.solids import elastic

    holes = frozenset() if contrast else frozenset({"fiber"})
    domain, radius = unit_cell(size, 2, holes, fraction=0.05)
    materials = {name: (_E * (contrast if name == "fiber" else 1.0), nu) for name in domain.regions}
    m = forms.moduli(domain, materials, plane)
    kappa = 3 - 4 * nu if plane == "strain" else (3 - nu) / (1 + nu)
    mu = _E / (2 + 2 * nu)
    exact = Disc(radius, far, mu, kappa, contrast * mu, kappa)
    space = fem.functionspace(domain.mesh, ("Lagrange", 2, (2,)))
    given = fem.Function(space)
    middle = 0.5 * CELL
    given.interpolate(lambda x: exact.displacement(x[0] - middle, x[1] - middle))
    bcs = [fem.dirichletbc(given, domain.face_dofs(space, name)) for name in SIDES]
    u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    a = forms.bilinear(u, v, m, domain.dx)
    found = elastic.solve(a, None, space, bcs, rtol=1e-12, method="direct").u
    sigma = forms.full_stress(found, m)
    value = forms.principal(sigma)[0] if what == "first principal" else sigma[what, what]
    return by_region(domain, value), exact, found
