"""Nernst-Planck with Poisson's equation, from case to folder."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fem_spe
from fem_spe.case.templates import template
from fem_spe.errors import CaseError
from fem_spe.results import read_table
from fem_spe.studies.ions.space_charge_model import Model
from fem_spe.studies.ions.walls import walls

LENGTH, C0, D_CATION, D_ANION = 45e-6, 1600.0, 5.82e-12, 1.18e-11
VOLT = 0.025692579121
LIMIT = 4 * D_CATION * C0 / LENGTH
SALT = [
    {"name": "Li+", "charge": 1, "diffusivity": D_CATION, "concentration": C0},
    {"name": "TFSI-", "charge": -1, "diffusivity": D_ANION, "concentration": C0},
]
STRIP: dict[str, Any] = {
    "study": "nernst_planck",
    "geometry": {"kind": "box", "size": [LENGTH / 10, LENGTH]},
    "mesh": {"size": LENGTH / 10},
    "materials": {"matrix": {}},
    "nernst_planck": {"closure": "poisson", "debye_length": LENGTH / 100},
    "species": SALT,
    "boundary": {
        "bottom": {"electrochemical_potential": "0 mV"},
        "top": {"flux": {"Li+": 0.5 * LIMIT}},
    },
    "output": {"figures": False},
}
CAPACITOR = {"boundary": {"bottom": {"potential": -2 * VOLT}, "top": {"potential": 2 * VOLT}}}
TRANSIENT = {"nernst_planck.mode": "transient", "time": {"end": "0.2 s", "rtol": 1e-2}}


def solved(changes: dict[str, Any] | None = None) -> Any:
    """The strip with `changes`; all its checks passed."""
    result = fem_spe.run(fem_spe.parse(STRIP, changes))
    assert result.failed_checks == []
    return result


def test_a_current_passes_layers_of_charge_to_an_almost_electroneutral_bulk() -> None:
    found = solved()
    quantities = {name: q.value for name, q in found.quantities.items()}
    assert quantities["flux_out"] / found.domain.size[0] == pytest.approx(0.5 * LIMIT, rel=1e-9)
    assert quantities["concentration_drop"] == pytest.approx(C0, rel=3e-2)  # layers
    assert quantities["overpotential"] == pytest.approx(4 * np.arctanh(0.5) * VOLT, rel=1e-3)
    assert quantities["limiting_flux"] == pytest.approx(LIMIT, rel=1e-12)
    assert quantities["debye_length"] == pytest.approx(LENGTH / 100)
    assert quantities["min_concentration"] > 0.0
    assert found.solution.solver["method"] == "direct-newton"


def test_the_permittivity_makes_the_debye_length_of_the_cell() -> None:
    physical = {"nernst_planck": {"closure": "poisson", "permittivity": 40}}
    assert solved(physical).quantities["debye_length"].value == pytest.approx(0.17e-9, rel=0.02)


def test_blocking_walls_bear_opposite_charges_and_keep_the_ions(tmp_path: Path) -> None:
    case = fem_spe.parse(STRIP, {**CAPACITOR, **TRANSIENT})
    result = fem_spe.run(case, output=tmp_path / "r")
    assert result.failed_checks == []
    quantities = {name: q.value for name, q in result.quantities.items()}
    low, high = (quantities[f"surface_charge.{face}"] for face in ("bottom", "top"))
    assert high > 0.0
    assert low == pytest.approx(-high, rel=1e-9)
    assert quantities["mean_concentration"] == pytest.approx(C0, rel=1e-10)
    history = read_table(tmp_path / "r" / "tables" / "history.csv")
    assert history["min / bulk"].min() > 0.0
    # the layers are there, row by row: negative charge at the positive wall
    layers = read_table(tmp_path / "r" / "tables" / "layers.csv")
    assert layers["y [um]"][0] == 0.0
    assert len(layers["y [um]"]) == len(np.unique(np.round(layers["y [um]"], 8)))
    assert layers["charge density [C/m^3]"][-1] < 0.0 < layers["charge density [C/m^3]"][0]
    # the folder's own case runs again: of permittivity and debye_length it names one
    assert fem_spe.load(tmp_path / "r" / "case.toml").nernst_planck.permittivity is None


def test_charges_alone_leave_the_level_free_and_the_mean_potential_is_zero() -> None:
    charge = 100.0  # C/m^2, of so thick a layer
    sides = {"bottom": {"surface_charge": -charge}, "top": {"surface_charge": charge}}
    found = solved({"boundary": sides})
    assert found.quantities["surface_charge.top"].value == pytest.approx(charge, rel=1e-9)
    potential = found.fields["potential [V]"]
    mean = found.domain.integrate(potential * found.domain.dx)
    assert abs(mean) < 1e-12 * found.domain.integrate(1.0 * found.domain.dx)
    assert potential.x.array.max() > 0.3 * VOLT


def test_gummel_finds_what_newton_finds() -> None:
    reservoir = {"concentration": C0, "potential": 0.0}
    case = fem_spe.parse(STRIP, {"boundary": {"bottom": {"potential": 0.1}, "top": reservoir}})
    by_newton = fem_spe.run(case)
    model = Model(by_newton.case, by_newton.domain, walls(case))
    model.gummel(np.zeros(model.owned))
    psi = VOLT * model.part(2).x.array
    assert np.allclose(psi, by_newton.fields["potential [V]"].x.array, atol=1e-9)


def test_gummel_is_the_fallback_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from fem_spe.errors import ConvergenceError
    from fem_spe.solve.newton import Newton

    plain = Newton.solve

    def fails_for_all_unknowns(self: Newton, guess: Any) -> Any:
        if len(self.bcs) <= 4:  # of the walls alone, nothing held
            raise ConvergenceError("made up; give up")
        return plain(self, guess)

    monkeypatch.setattr(Newton, "solve", fails_for_all_unknowns)
    reservoir = {"concentration": C0, "potential": 0.0}
    found = solved({"boundary": {"bottom": {"potential": 0.1}, "top": reservoir}})
    assert found.solution.solver["method"] == "gummel"


def test_the_fixed_charge_of_a_membrane_attracts_counterions() -> None:
    fixed = [SALT[0], {**SALT[1], "immobile_fraction": 0.4}]
    reservoir = {"concentration": 2 * C0, "potential": 0.0}
    changes = {"species": fixed, "boundary": {"top": reservoir, "bottom": {"surface_charge": 0.0}}}
    c = solved(changes).fields["concentration of TFSI- [mol/m^3]"].x.array
    assert np.allclose(c, 2 * C0 - 0.4 * C0, rtol=1e-8)  # neutral, so that no layer is there


def test_a_section_has_its_layers_by_small_cells_or_says_which_it_could_have() -> None:
    tree = tomllib.loads(template("nernst_planck"))
    changes = {"output.figures": False, "solver.degree": 1, "mesh.size": "2 um"}
    closure = {"closure": "poisson", "debye_length": "1 um"}
    result = fem_spe.run(fem_spe.parse(tree, {**changes, "nernst_planck": closure}))
    assert result.failed_checks == []
    neutral = fem_spe.run(fem_spe.parse(tree, changes))
    share = result.quantities["flux_in"].value / neutral.quantities["flux_in"].value
    assert 0.8 < share < 1.2
    thin = {**closure, "debye_length": "1 nm"}
    with pytest.raises(CaseError, match=r'cells along bottom, top.*give debye_length = "13 nm"'):
        fem_spe.run(fem_spe.parse(tree, {**changes, "nernst_planck": thin}))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"species": []}, r"\[\[species\]\] are missing"),
        (
            {"species": [SALT[0], {**SALT[1], "concentration": 1500.0}]},
            "not neutral.*TFSI- must have 1600",
        ),
        ({"species": [{**s, "immobile_fraction": 1.0} for s in SALT]}, "every ion is fixed"),
        ({"species": [SALT[0], {**SALT[1], "name": "Li+"}]}, "2 ions have this name"),
        ({"boundary.top": {"flux": {"Li+": 2 * LIMIT}}}, "no steady state: flux.*= 2 of the lim"),
        (
            {"boundary.top": {"potential": "1 mV", "current_density": 1.0}},
            "potential and current_density are given at once",
        ),
        ({"boundary.top": {"concentration": C0}}, "concentration needs potential"),
        ({"boundary.top": {"flux": {"Na+": 1.0}}}, r"\[boundary.top\] there is no mobile ion"),
        ({"boundary.top": {"flux": {"TFSI-": 1e-5}}}, "fluxes of TFSI- do not add up"),
        ({"boundary.top": {"flux": 1.0}}, "of which ion"),
        ({"boundary": {"top": {"surface_charge": 1.0}}}, "surface charges do not add up"),
        ({"boundary.top": {"potential": "5 V"}}, r"would bear 195 RT/F"),
        ({"boundary": {}}, "nothing drives"),
        ({"nernst_planck.permittivity": 40}, "one of permittivity and debye_length"),
        ({"experiment": {"kind": "impedance"}}, "experiment.*electroneutral"),
        (
            {"nernst_planck.closure": "electroneutral", "boundary.top": {"surface_charge": 1.0}},
            'surface_charge: .*closure = "poisson"',
        ),
    ],
)
def test_what_is_ill_posed_is_refused(changes: dict[str, Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(CaseError, match=told) as raised:
        fem_spe.run(fem_spe.parse(STRIP, changes), output=tmp_path / "r")
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "r").exists()


@pytest.mark.mpi
def test_two_ranks_find_the_same(python: Callable[..., Any], tmp_path: Path) -> None:
    program = (
        "import json, sys, fem_spe\n"
        "case = fem_spe.parse(json.loads(sys.argv[1]))\n"
        "found = {n: q.value for n, q in fem_spe.run(case).quantities.items()}\n"
        "from mpi4py import MPI\n"
        "if MPI.COMM_WORLD.rank == 0: print(json.dumps(found))\n"
    )
    case = fem_spe.parse(STRIP, {**TRANSIENT, "time.end": "0.02 s"})
    one = {name: q.value for name, q in fem_spe.run(case).quantities.items()}
    done = python(program, json.dumps(case.to_dict()), cwd=tmp_path, ranks=2)
    assert done.returncode == 0, done.stderr
    two = json.loads(done.stdout.strip().splitlines()[-1])
    for name, value in one.items():
        assert two[name] == pytest.approx(value, rel=1e-9, abs=1e-12), name
