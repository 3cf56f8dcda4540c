"""Comparisons with exact answers: each with its error, its limit and its source.

`fem-spe verify` prints them; the tests run the same functions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fem_spe.exact import conduction

_CELL = 10e-6  # m, side of the unit cells
_D = 2e-11  # m^2/s; any value gives the same relative results


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes:
        name: What is compared.
        value: What the program finds.
        exact: What it should find; for orders and balances, the least or zero.
        error: Relative difference, or how far an order falls short.
        limit: Of the error.
        source: Of the exact answer.
    """

    name: str
    value: float
    exact: float
    error: float
    limit: float
    source: str

    @property
    def passed(self) -> bool:
        """True where the error keeps to the limit."""
        return self.error <= self.limit


def run_all() -> list[Row]:
    """All comparisons, in the order of `COMPARISONS`."""
    return [row for compare in COMPARISONS.values() for row in compare()]


def print_table(rows: list[Row], *, as_json: bool = False) -> None:
    """The comparisons as a table, or as JSON."""
    if as_json:
        print(json.dumps([{**asdict(row), "passed": row.passed} for row in rows], indent=2))
        return
    print(f"{'comparison':52} {'value':>13} {'exact':>13} {'error':>9} {'limit':>8}")
    for row in rows:
        verdict = "" if row.passed else "  FAILED"
        print(
            f"{row.name:52} {row.value:13.9g} {row.exact:13.9g} {row.error:9.1e} "
            f"{row.limit:8.0e}{verdict}  {row.source}"
        )
    failed = sum(not row.passed for row in rows)
    print(f"\n{len(rows) - failed} of {len(rows)} comparisons within their limits")


def square_arrays() -> Iterator[Row]:
    """D_eff of square arrays of circles."""
    source = "Perrins et al. 1979"
    for fraction in (0.1, 0.2, 0.3, 0.4, 0.5):
        for contrast in (0.0, 0.01, 50.0):
            exact = conduction.square_array(fraction, contrast)
            value = _relative(fraction, contrast, size=0.04)
            yield _row(
                f"square array, f = {fraction}, s = {contrast:g}", value, exact, 2e-5, source
            )
    for fraction in (0.1, 0.2, 0.3):
        for contrast in (0.0, 0.01, 50.0):
            exact = conduction.square_array(fraction, contrast)
            value = _relative(fraction, contrast, size=0.02)
            name = f"square array, fine mesh, f = {fraction}, s = {contrast:g}"
            yield _row(name, value, exact, 2e-6, source)


def reciprocity() -> Iterator[Row]:
    """Keller: interchanging the phases inverts the relative conductivity."""
    for fraction in (0.2, 0.5):
        product = _relative(fraction, 50.0, 0.04) * _relative(fraction, 1 / 50.0, 0.04)
        yield _row(f"reciprocity, f = {fraction}, s = 50", product, 1.0, 1e-4, "Keller 1964")


def layers() -> Iterator[Row]:
    """Layers in series and in parallel, and a partition coefficient: linear, so exact."""
    thickness = {"matrix": 0.3 * _CELL, "coating": 0.7 * _CELL}
    first, second, partition = _D, 0.1 * _D, 3.0
    materials = {
        "matrix": {"diffusivity": first},
        "coating": {"diffusivity": second, "partition": partition},
    }
    heights, values = list(thickness.values()), [first, partition * second]
    for size in ((_CELL, _CELL), (_CELL, _CELL, _CELL)):
        dimension = len(size)
        thickness_axis = "xyz"[dimension - 1]
        for direction, exact in (
            (thickness_axis, conduction.layers_in_series(heights, values)),
            ("x", conduction.layers_in_parallel(heights, values)),
        ):
            quantities = _run(
                {"kind": "box", "size": size, "layers": thickness}, materials, 0.2, direction
            )
            value = quantities["effective_diffusivity"].value
            name = f"two layers, {dimension}-D, along {direction}"
            yield _row(name, value, exact, 1e-11, "harmonic / arithmetic mean")


def balance() -> Iterator[Row]:
    """In = out, and flux = dissipated energy, on a random section with cut fibres."""
    from fem_spe.case import parse
    from fem_spe.job import run

    for filler in ("impermeable", {"diffusivity": 0.01 * _D}):
        case = parse(
            {
                "study": "diffusion",
                "geometry": {
                    "kind": "fiber_section", "arrangement": "random",
                    "size": [6 * _CELL, 4 * _CELL], "fiber_diameter": 0.5 * _CELL,
                    "fiber_fraction": 0.35, "aspect": 2.0, "seed": 7,
                },
                "materials": {"matrix": {"diffusivity": _D}, "fiber": filler},
                "output": {"figures": False},
            }
        )  # fmt: skip
        what = "holes" if filler == "impermeable" else "contrast 0.01"
        for name, check in run(case).checks.items():
            title = f"random section, {what}: {name.replace('_', ' ')}"
            yield Row(title, check.value, 0.0, abs(check.value), check.limit, "conservation")


def slab_in_time() -> Iterator[Row]:
    """Charging of a slab: mean, outflow and profile, at a step tolerance of 1e-6."""
    from fem_spe.case import parse
    from fem_spe.exact import transient
    from fem_spe.job import run

    length = 10 * _CELL
    ends = [fourier * length**2 / _D for fourier in (0.05, 0.2)]
    case = parse(
        {
            "study": "diffusion",
            "geometry": {"kind": "box", "size": [_CELL, length]},
            "mesh": {"size": length / 40},
            "materials": {"matrix": {"diffusivity": _D}},
            "diffusion": {"mode": "transient"},
            "time": {"end": ends[-1], "output": ends[:1], "rtol": 1e-6},
            "output": {"figures": False},
        }
    )
    result = run(case)
    table = result.solution.tables["charging"]
    source = "Carslaw & Jaeger 1959, 3.4"
    for end, fourier in zip(ends, (0.05, 0.2), strict=True):
        k = int(np.argmin(np.abs(table["t [s]"] - end)))
        outflow = transient.slab_outflow(fourier) * _D / length * _CELL
        for name, value, exact in (
            ("mean", table["mean"][k], transient.slab_mean(fourier)),
            ("outflow", table["flux out [mol/m/s]"][k], outflow),
        ):
            yield _row(f"slab in time, D t / L^2 = {fourier}: {name}", value, exact, 1e-3, source)
    check = result.checks["mass_imbalance"]
    yield Row("slab in time: mass balance of each step", check.value, 0.0, check.value, 1e-10, "")


def convergence() -> Iterator[Row]:
    """Manufactured solution around curved holes: order of the L2 error."""
    for degree, least in ((1, 1.95), (2, 2.9)):
        order = manufactured_order(degree)
        short = max(0.0, least - order)
        yield Row(f"L2 order, P{degree}, around a hole", order, least, short, 0.0, "theory: p + 1")


def time_order() -> Iterator[Row]:
    """Fixed steps on u' = -u + cos t: order of the error at the end."""
    from fem_spe.solve.bdf2 import Array, Rate, integrate

    end, errors = 2.0, []
    sizes = [0.04, 0.02, 0.01, 0.005]
    exact = (np.cos(end) + np.sin(end) - np.exp(-end)) / 2

    def advance(time: float, rate: Rate, guess: Array) -> Array:
        return np.asarray((np.cos(time) - rate.rest) / (rate.weight + 1.0))

    for size in sizes:
        steps = integrate(
            advance, np.zeros(1), end=end, rtol=1.0, norm=np.max, first=size, fixed=True
        )
        errors.append(abs(list(steps)[-1].values[0] - exact))
    order = float(np.polyfit(np.log(sizes), np.log(errors), 1)[0])
    yield Row("order of fixed time steps", order, 1.9, max(0.0, 1.9 - order), 0.0, "theory: 2")


COMPARISONS: dict[str, Callable[[], Iterator[Row]]] = {
    "square_arrays": square_arrays,
    "reciprocity": reciprocity,
    "layers": layers,
    "balance": balance,
    "convergence": convergence,
    "slab_in_time": slab_in_time,
    "time_order": time_order,
}


def manufactured_order(degree: int, levels: int = 3) -> float:
    """Fitted order of the L2 error for an anisotropic K and a smooth solution.

    The unit cell has a circular hole, with the flux prescribed there and the solution on
    the box; cells are curved for degree 2.
    """
    sizes = [0.05 / 2**level for level in range(levels)]
    errors = [_manufactured_error(degree, size) for size in sizes]
    return float(np.polyfit(np.log(sizes), np.log(errors), 1)[0])


def _manufactured_error(degree: int, size: float) -> float:
    import ufl
    from dolfinx import fem
    from mpi4py import MPI

    from fem_spe.geometry import AlignedSection
    from fem_spe.meshing import MeshPlan, Sizes, build
    from fem_spe.physics import diffusion
    from fem_spe.solve.linear import solve

    section = AlignedSection(size=(_CELL, _CELL), count=(1, 1), fiber_fraction=0.2).build()
    sizes = Sizes(size * _CELL, size * _CELL, degree)
    domain = build(MPI.COMM_WORLD, MeshPlan(section, sizes, frozenset({"fiber"})))
    space = fem.functionspace(domain.mesh, ("Lagrange", degree))
    x = ufl.SpatialCoordinate(domain.mesh)
    exact = ufl.sin(3.0 * x[0] / _CELL) * ufl.cos(2.0 * x[1] / _CELL) + (x[0] / _CELL) ** 2
    mobility = fem.Constant(domain.mesh, (1.0, 3.0))
    u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    a = diffusion.bilinear(u, v, mobility, domain.dx)
    current = diffusion.flux(exact, mobility)
    into = -ufl.inner(current, ufl.FacetNormal(domain.mesh))
    load = ufl.div(current) * v * domain.dx
    load -= diffusion.inflow(v, -into, domain.ds(domain.face("matrix-fiber")))
    given = fem.Function(space)
    given.interpolate(fem.Expression(exact, space.element.interpolation_points))
    box = ("left", "right", "bottom", "top")
    bcs = [fem.dirichletbc(given, domain.face_dofs(space, name)) for name in box]
    found = solve(a, load, space, bcs, rtol=1e-12, method="direct", name="manufactured").u
    difference = (found - exact) ** 2 * domain.dx(metadata={"quadrature_degree": 2 * degree + 4})
    return float(np.sqrt(domain.integrate(difference)))


def _array(fraction: float) -> dict[str, Any]:
    return {
        "kind": "fiber_section", "arrangement": "aligned", "size": [_CELL, _CELL],
        "count": [1, 1], "fiber_fraction": fraction,
    }  # fmt: skip


def _relative(fraction: float, contrast: float, size: float) -> float:
    """D_eff / D_matrix of a square array on cells of `size` times the unit cell."""
    fiber: Any = "impermeable" if contrast == 0 else {"diffusivity": contrast * _D}
    materials = {"matrix": {"diffusivity": _D}, "fiber": fiber}
    quantities = _run(_array(fraction), materials, size, "y")
    return float(quantities["relative_diffusivity"].value)


def _run(
    geometry: dict[str, Any], materials: dict[str, Any], size: float, direction: str
) -> dict[str, Any]:
    from fem_spe.case import parse
    from fem_spe.job import run

    case = parse(
        {
            "study": "diffusion",
            "geometry": geometry,
            "mesh": {"size": size * _CELL, "interface_size": size * _CELL},
            "materials": materials,
            "diffusion": {"direction": direction},
            "output": {"figures": False},
        }
    )
    return dict(run(case).quantities)


def _row(name: str, value: float, exact: float, limit: float, source: str) -> Row:
    return Row(name, value, exact, abs(value / exact - 1.0), limit, source)
