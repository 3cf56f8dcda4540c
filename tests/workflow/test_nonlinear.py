"""Values that depend on temperature or concentration, and reactions: from case to numbers."""

from typing import Any

import numpy as np
import pytest
import ufl

import fem_spe
from fem_spe.errors import CaseError, ConvergenceError
from fem_spe.exact import diffusion as exact

WIDTH, LENGTH, D = 1e-5, 1e-4, 1e-11
SLAB: dict[str, Any] = {
    "study": "diffusion",
    "geometry": {"kind": "box", "size": [WIDTH, LENGTH]},
    "mesh": {"size": LENGTH / 15},
    "materials": {"matrix": {"diffusivity": D}},
    "boundary": {"bottom": {"concentration": 500.0}, "top": {"concentration": 1500.0}},
    "output": {"figures": False},
}
DRIVEN = {k: v for k, v in SLAB.items() if k != "boundary"}
RISING = {"value": D, "polynomial": [1.0, -0.3, 0.5], "reference": 1000.0}
FALLING = {"value": D, "polynomial": [1.0, -0.8], "reference": 1000.0}
FILLED = {"bottom": {"concentration": 0.0}, "top": {"flux": 1e-3}}  # far too much for FALLING
IN_TIME = {"diffusion": {"mode": "transient"}, "time": {"end": "30 min", "rtol": 1e-3}}


def run(base: dict[str, Any] = SLAB, **tables: Any) -> Any:
    """The result of `base` with whole tables replaced."""
    return fem_spe.run(fem_spe.parse({**base, **tables}))


def matrix(**properties: Any) -> dict[str, Any]:
    return {"matrix": properties}


# --- temperature --------------------------------------------------------------------------


def test_a_table_over_temperature_gives_the_flux_of_its_value() -> None:
    table = {"temperature": ["20 degC", "60 degC"], "values": [D, 4 * D]}
    middle = 2 / (1 / 293.15 + 1 / 333.15)  # K, half way in 1/T: the geometric mean
    found = run(DRIVEN, materials=matrix(diffusivity=table), temperature=middle)
    value = found.quantities["effective_diffusivity"].value
    assert value == pytest.approx(2 * D, rel=1e-9)
    assert found.quantities["relative_diffusivity"].value == pytest.approx(1.0, rel=1e-9)


def test_a_temperature_outside_the_table_names_region_and_range() -> None:
    table = {"temperature": ["20 degC", "60 degC"], "values": [D, 4 * D]}
    with pytest.raises(CaseError, match=r"matrix.*70 degC.*20 degC.*60 degC"):
        run(DRIVEN, materials=matrix(diffusivity=table), temperature="70 degC")


# --- concentration ------------------------------------------------------------------------


def test_a_law_without_change_gives_the_numbers_of_the_constant() -> None:
    constant = run().quantities
    law = {**RISING, "polynomial": [1.0]}
    found = run(materials=matrix(diffusivity=law)).quantities
    for name in ("flux_in", "flux_out"):
        assert found[name].value == pytest.approx(constant[name].value, rel=1e-12)


def test_a_table_with_bends_carries_the_integral_of_its_values() -> None:
    table = {"concentration": [0, 800, 1200, 2000], "values": [D, 2 * D, 0.5 * D, 3 * D]}
    found = run(materials=matrix(diffusivity=table))
    c = np.array([500, 800, 1200, 1500.0])
    integral = np.trapezoid(np.interp(c, table["concentration"], table["values"]), c)
    flux = integral / LENGTH * WIDTH
    # the bends lie within cells
    assert found.quantities["flux_in"].value == pytest.approx(flux, rel=5e-4)
    assert found.checks["flux_imbalance"].value < 1e-12


def test_a_transient_with_a_law_ends_in_the_steady_state_of_kirchhoff() -> None:
    found = run(materials=matrix(diffusivity=RISING), **IN_TIME)
    terms = [D * a / 1000.0**k for k, a in enumerate(RISING["polynomial"])]
    flux = (exact.kirchhoff(terms, 1500.0) - exact.kirchhoff(terms, 500.0)) / LENGTH * WIDTH
    assert found.quantities["flux_out"].value == pytest.approx(flux, rel=1e-2)
    assert found.checks["mass_imbalance"].value < 1e-11


def test_layers_with_laws_and_a_partition_carry_one_flux() -> None:
    """Kirchhoff's integral over each layer, up to the concentration found at their interface."""
    height = {"matrix": 0.4 * LENGTH, "coating": 0.6 * LENGTH}
    found = run(
        geometry={**SLAB["geometry"], "layers": height},
        materials={
            "matrix": {"diffusivity": RISING},
            "coating": {"diffusivity": {**RISING, "value": 0.3 * D}, "partition": 2.0},
        },
    )
    domain, u = found.domain, found.fields["concentration"]
    inner = ufl.Measure("dS", domain=domain.mesh, subdomain_data=domain.facet_tags)
    (face,) = {"matrix-coating", "coating-matrix"} & domain.faces.keys()
    between = domain.integrate(u("+") * inner(domain.face(face))) / WIDTH
    terms = [D * a / 1000.0**k for k, a in enumerate(RISING["polynomial"])]
    lower = exact.kirchhoff(terms, between) - exact.kirchhoff(terms, 500.0)
    upper = exact.kirchhoff(terms, 2 * 1500.0) - exact.kirchhoff(terms, 2 * between)
    flux = found.quantities["flux_in"].value / WIDTH
    assert lower / height["matrix"] == pytest.approx(flux, rel=1e-6)
    assert 0.3 * upper / height["coating"] == pytest.approx(flux, rel=1e-6)


def test_a_box_in_three_dimensions_converges_with_law_and_reaction() -> None:
    found = run(
        geometry={"kind": "box", "size": [2e-5, 2e-5, 2e-5]},
        mesh={"size": 5e-6},
        materials=matrix(diffusivity=RISING),
        reaction=matrix(rate=1e-2),
    )
    assert found.solution.solver["method"] == "multigrid-newton"
    assert found.checks["flux_imbalance"].value < 1e-10


def test_a_law_without_concentrations_is_refused_with_what_would_work() -> None:
    with pytest.raises(CaseError, match=r"matrix.*depends on concentration.*\[boundary"):
        run(DRIVEN, materials=matrix(diffusivity=RISING))


def test_a_law_that_is_negative_in_the_given_range_is_refused_before_meshing() -> None:
    with pytest.raises(CaseError, match=r"matrix.*negative, -2e-12 m\^2/s, at 1500 mol"):
        run(materials=matrix(diffusivity=FALLING), mesh={"size": 1e-12})
    initial = {"diffusion": {"mode": "transient", "initial": 2000.0}, "time": {"end": 1.0}}
    with pytest.raises(CaseError, match="at 2000 mol"):
        run(
            materials=matrix(diffusivity=FALLING),
            boundary={"bottom": {"concentration": 0.0}},
            **initial,
        )


@pytest.mark.parametrize("tables", [{}, IN_TIME], ids=["steady", "in time"])
def test_a_law_that_becomes_negative_in_the_run_names_place_and_value(tables: Any) -> None:
    told = r"matrix.*negative, -\d.* m\^2/s, at \(.*, 9.*\) um, where the concentration is \d+"
    with pytest.raises(CaseError, match=told):
        run(materials=matrix(diffusivity=FALLING), boundary=FILLED, **tables)


def test_a_flux_beyond_any_steady_state_ends_where_the_diffusivity_is_negative() -> None:
    # by Kirchhoff at most 6.25e-5 mol/m^2/s pass, where D reaches zero
    boundary = {**FILLED, "top": {"flux": 6.2e-5}}
    assert run(materials=matrix(diffusivity=FALLING), boundary=boundary).checks
    boundary = {**FILLED, "top": {"flux": 7e-5}}
    with pytest.raises(CaseError, match="negative"):
        run(materials=matrix(diffusivity=FALLING), boundary=boundary)


@pytest.mark.parametrize("cells", [20, 80])
@pytest.mark.parametrize("values", [[1, 1, 30, 30], [30, 30, 1, 1]], ids=["rise", "fall"])
def test_newton_gets_over_bends_whatever_the_mesh(cells: int, values: list[float]) -> None:
    table = {"concentration": [0, 950, 1050, 2000], "values": [D * v for v in values]}
    found = run(materials=matrix(diffusivity=table), mesh={"size": LENGTH / cells})
    flux = D * (450 * 1 + 450 * 30 + 100 * 15.5) / LENGTH * WIDTH
    assert found.quantities["flux_in"].value == pytest.approx(flux, rel=3e-3)
    assert found.checks["flux_imbalance"].value < 1e-12


def test_newton_that_finds_no_way_raises_with_its_reason() -> None:
    table = {"concentration": [0, 950, 1050, 2000], "values": [D, D, 1e4 * D, 1e4 * D]}
    with pytest.raises(ConvergenceError, match=r"Newton.*diffusion.*relative residual.*\("):
        run(materials=matrix(diffusivity=table))


# --- reactions ----------------------------------------------------------------------------


def test_a_source_leaves_through_both_faces() -> None:
    boundary = {"bottom": {"concentration": 0.0}, "top": {"concentration": 0.0}}
    found = run(boundary=boundary, reaction=matrix(consumption="-0.1 mol/m^3/s")).quantities
    made = 0.1 * WIDTH * LENGTH
    assert found["consumed"].value == pytest.approx(-made, rel=1e-12)
    assert found["flux_out"].value == pytest.approx(made, rel=1e-10)
    assert found["consumed"].unit == found["flux_in"].unit == "mol/m/s"


def test_a_reaction_sees_the_concentration_of_its_region_not_that_of_the_matrix() -> None:
    boundary = {"top": {"flux": 1e-5}}
    materials = matrix(diffusivity=D, partition=4.0)
    found = run(boundary=boundary, materials=materials, reaction=matrix(rate=1e-3))
    u, domain = found.fields["concentration"], found.domain
    stored = 4.0 * domain.integrate(u * domain.dx)
    assert found.quantities["consumed"].value == pytest.approx(1e-3 * stored, rel=1e-12)
    assert found.quantities["consumed"].value == pytest.approx(1e-5 * WIDTH, rel=1e-10)


def test_under_a_unit_difference_a_reaction_leaves_out_what_has_no_meaning() -> None:
    found = run(DRIVEN, reaction=matrix(rate=1e-3), output={"figures": True})
    assert {"flux_in", "flux_out", "consumed"} <= found.quantities.keys()
    without = {"relative_diffusivity", "effective_diffusivity", "tortuosity_factor"}
    assert not (without | {"pathway_length"}) & found.quantities.keys()
    assert found.fields.keys() == {"concentration"}


def test_a_transient_tells_what_reacts_in_its_curve() -> None:
    found = run(reaction=matrix(rate=1e-3), materials=matrix(diffusivity=RISING), **IN_TIME)
    curve = found.solution.tables["charging"]
    assert curve["consumed [mol/m/s]"][-1] == found.quantities["consumed"].value
    values = {name: q.value for name, q in found.quantities.items()}
    # at the end nothing changes any more
    left = values["flux_in"] - values["flux_out"] - values["consumed"]
    assert abs(left) < 1e-2 * values["flux_in"]


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        ({"reaction": {"matrx": {"rate": 1.0}}}, r"reaction.matrx.*did you mean 'matrix'"),
        ({"reaction": {"matrix": {}}}, r"\[reaction.matrix\] give rate.*or consumption"),
        ({"reaction": {"matrix": {"rte": 1.0}}}, "did you mean 'rate'"),
        ({"reaction": {"matrix": {"rate": -1.0}}}, "rate = -1.0: .*greater than or equal to 0"),
        ({"reaction": {"matrix": {"rate": "1 mol/m^3/s"}}}, "not a reaction rate"),
        (
            {"reaction": {"matrix": {"rate": 1.0}}, "materials": matrix(conductivity=1.0)},
            "needs a diffusivity",
        ),
        ({"boundary": {"top": {"flux": 1e-5}}}, "no face has a concentration"),
        (
            {"boundary": {}, "reaction": {"matrix": {"consumption": 1.0}}},
            r"consumption.*\[boundary.*rate in place",
        ),
    ],
    ids=lambda v: None if isinstance(v, dict) else v[:24],
)
def test_a_wrong_reaction_is_answered_with_what_would_work(tables: Any, told: str) -> None:
    with pytest.raises(CaseError, match=told):
        run(**tables)


def test_a_reaction_in_a_hole_is_refused() -> None:
    geometry = {
        "kind": "fiber_section", "arrangement": "aligned", "size": [3e-5, 3e-5],
        "count": [1, 1], "fiber_fraction": 0.2,
    }  # fmt: skip
    with pytest.raises(CaseError, match=r"reaction.fiber.*impermeable"):
        run(
            geometry=geometry,
            materials={"matrix": {"diffusivity": D}, "fiber": "impermeable"},
            reaction={"fiber": {"rate": 1.0}},
        )
