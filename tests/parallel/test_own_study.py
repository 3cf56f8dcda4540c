"""A study registered by a script outside the package, on one and on two ranks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.mpi

SCRIPT = """
import sys
import fem_spe
from fem_spe import Check, Plan, Quantity, Solution, Study, register
from dolfinx import fem
import ufl
from fem_spe.solve.linear import choose, solve


def plan(case, regions):
    return Plan(frozenset(r for r in regions if case.material(r) is None), anchors=("bottom",))


def poisson(case, domain, clock):
    with clock.stage("solve"):
        space = fem.functionspace(domain.mesh, ("Lagrange", case.solver.degree))
        u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
        a = ufl.inner(ufl.grad(u), ufl.grad(v)) * domain.dx
        load = case.options["source"] * v * domain.dx
        fixed = fem.dirichletbc(0.0, domain.face_dofs(space, "bottom"), space)
        size = space.dofmap.index_map.size_global
        solved = solve(a, load, space, [fixed], rtol=case.solver.rtol,
                       method=choose(size, domain.dimension), name="poisson")
    area = domain.integrate(1.0 * domain.dx)
    x = ufl.SpatialCoordinate(domain.mesh)
    quantities = {
        "mean_x": Quantity(domain.integrate(x[0] * domain.dx) / area, "m", "mean of x"),
        "mean": Quantity(domain.integrate(solved.u * domain.dx) / area, "V", "mean potential"),
    }
    checks = {"residual": Check(solved.residual, 1e-10)}
    return Solution(quantities, checks, {"potential [V]": solved.u}, {},
                    {"iterations": solved.iterations}, size)


register(Study("mine", plan, poisson))
case = fem_spe.load(sys.argv[1]).with_(**{
    "study": "mine", "options": {"source": 2.0, "more": {"of": ["it"]}},
    "output.figures": sys.argv[3] == "1",
})
result = fem_spe.run(case, output=sys.argv[2])
if sys.argv[3] == "2":
    picture = result.figure("potential")  # on every rank
    assert picture.size[0] > 600, picture.size
    try:
        result.figure("concentration")
    except ValueError as error:
        assert "there are potential, mesh" in str(error), error
"""


def test_a_study_from_outside_gives_the_same_on_any_ranks(
    tmp_path: Path, small_case: Path, python: Any
) -> None:
    summaries = {}
    for ranks in (1, 2):
        folder = tmp_path / str(ranks)
        done = python(SCRIPT, small_case, folder, ranks, cwd=tmp_path, ranks=ranks)
        assert done.returncode == 0, done.stderr
        assert 'of = [\n    "it",\n]' in (folder / "case.toml").read_text("utf-8")
        summaries[ranks] = json.loads((folder / "summary.json").read_text("utf-8"))
        assert summaries[ranks]["study"] == "mine"
        assert summaries[ranks]["provenance"]["ranks"] == ranks
    pictures = (tmp_path / "1" / "figures").iterdir()
    assert {file.name for file in pictures} == {"potential.png", "mesh.png"}
    one, two = (summaries[n]["quantities"] for n in (1, 2))
    assert one.keys() == two.keys() == {"mean_x", "mean"}
    for name, quantity in one.items():
        assert two[name]["value"] == pytest.approx(quantity["value"], rel=1e-9)
    assert one["mean_x"]["value"] == pytest.approx(10e-6, rel=1e-9)  # the section is symmetric
    # without fibres source * thickness^2 / 3
    assert 1.0 < one["mean"]["value"] / (2.0 * 10e-6**2 / 3) < 1.5
