"""Electroneutral Nernst-Planck, from case to folder."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fem_spe
from fem_spe.case.templates import template
from fem_spe.errors import CaseError
from fem_spe.results import read_table

ROOT = Path(__file__).parents[2]
LENGTH, C0, D_CATION, D_ANION = 45e-6, 1600.0, 5.82e-12, 1.18e-11
LIMIT = 4 * D_CATION * C0 / LENGTH
STRIP: dict[str, Any] = {
    "study": "nernst_planck",
    "geometry": {"kind": "box", "size": [LENGTH / 30, LENGTH]},
    "mesh": {"size": LENGTH / 30},
    "materials": {"matrix": {}},
    "species": [
        {"name": "Li+", "charge": 1, "diffusivity": D_CATION, "concentration": C0},
        {"name": "TFSI-", "charge": -1, "diffusivity": D_ANION, "concentration": C0},
    ],
    "boundary": {
        "bottom": {"electrochemical_potential": "0 mV"},
        "top": {"flux": {"Li+": 0.3 * LIMIT}},
    },
    "output": {"figures": False},
}
TRANSIENT = {"nernst_planck.mode": "transient", "time": {"end": "20 s", "rtol": 1e-3}}


def solved(changes: dict[str, Any] | None = None) -> Any:
    """The strip with `changes`; all its checks passed."""
    result = fem_spe.run(fem_spe.parse(STRIP, changes))
    assert result.failed_checks == []
    return result


def test_a_steady_cell_tells_its_limits_and_its_drop() -> None:
    quantities = {name: q.value for name, q in solved().quantities.items()}
    assert quantities["limiting_flux"] == pytest.approx(LIMIT, rel=1e-12)
    assert quantities["transference_number"] == pytest.approx(
        D_CATION / (D_CATION + D_ANION), rel=1e-12
    )
    assert quantities["concentration_drop"] == pytest.approx(0.6 * C0, rel=1e-6)
    assert quantities["min_concentration"] == pytest.approx(0.7 * C0, rel=1e-6)
    # one face away from the other by 4 RT/F artanh 0.3
    assert quantities["overpotential"] == pytest.approx(0.0318094, rel=1e-5)
    assert quantities["debye_length"] == pytest.approx(0.17e-9, rel=0.02)


def test_the_folder_holds_fields_profiles_and_the_printed_case(tmp_path: Path) -> None:
    fem_spe.run(fem_spe.parse(STRIP, {"output.figures": True}), output=tmp_path / "r")
    drawn = {file.stem for file in (tmp_path / "r" / "figures").glob("*.png")}
    assert {"concentration", "potential", "profile", "potential_profile", "anode_flux"} <= drawn
    assert fem_spe.load(tmp_path / "r" / "case.toml").study == "nernst_planck"
    table = read_table(tmp_path / "r" / "tables" / "profile.csv")
    height = table["y [um]"] * 1e-6 / LENGTH
    assert np.allclose(table["mean [mol/m^3]"], C0 * (0.7 + 0.6 * height), rtol=0.01)
    assert (tmp_path / "r" / "fields" / "nernst_planck.pvd").exists()


def test_a_galvanostatic_current_is_the_same_as_the_flux_that_it_carries() -> None:
    current = 0.3 * LIMIT * 96485.33212
    by_flux, by_current = solved(), solved({"boundary.top": {"current_density": current}})
    for name, quantity in by_flux.quantities.items():
        other = by_current.quantities[name].value
        assert other == pytest.approx(quantity.value, rel=1e-9, abs=1e-9), name


def test_currents_alone_leave_the_level_free_and_the_mean_potential_is_zero() -> None:
    flux = {"Li+": 0.3 * LIMIT}
    free = solved({"boundary": {"top": {"flux": flux}, "bottom": {"flux": {"Li+": -0.3 * LIMIT}}}})
    assert free.quantities["overpotential"].value == pytest.approx(0.0318094, rel=1e-5)
    domain, potential = free.domain, free.fields["potential [V]"]
    mean = domain.integrate(potential * domain.dx) / domain.integrate(1.0 * domain.dx)
    assert abs(mean) < 1e-12


def test_salt_between_reservoirs_diffuses_with_the_ambipolar_coefficient() -> None:
    reservoirs = {
        "bottom": {"concentration": "1000 mol/m^3"},
        "top": {"concentration": {"Li+": "2200 mol/m^3", "TFSI-": "2200 mol/m^3"}},
    }
    found = solved({"boundary": reservoirs})
    ambipolar = 2 * D_CATION * D_ANION / (D_CATION + D_ANION)
    flux = found.quantities["flux_in"].value / found.domain.size[0]
    assert flux == pytest.approx(ambipolar * 1200 / LENGTH, rel=1e-9)
    assert found.quantities["current"].value < 1e-9 * 96485 * flux
    # the diffusion potential (1 - 2 t+) RT/F ln(c/c), and no more
    phi = found.fields["potential [V]"].x.array
    transference = D_CATION / (D_CATION + D_ANION)
    expected = (1 - 2 * transference) * 0.025692579 * np.log(2.2)
    assert phi.max() - phi.min() == pytest.approx(expected, rel=1e-5)


def test_a_transient_beyond_the_limit_stops_at_depletion(tmp_path: Path) -> None:
    case = fem_spe.parse(
        STRIP, {**TRANSIENT, "boundary.top.flux": {"Li+": 2 * LIMIT}, "time.end": "100 s"}
    )
    result = fem_spe.run(case, output=tmp_path / "r")
    assert result.failed_checks == []
    stop, sand = (result.quantities[n].value for n in ("depletion_time", "sand_time"))
    assert stop == pytest.approx(sand, rel=0.02)  # a coarse mesh and a long step
    assert 0.0 < result.quantities["min_concentration"].value < 0.02 * C0
    flux = result.quantities["flux_out"].value / result.domain.size[0]
    assert flux == pytest.approx(2 * LIMIT, rel=1e-9)
    history = read_table(tmp_path / "r" / "tables" / "history.csv")
    assert history["min [mol/m^3]"].min() > 0.0


def test_a_transient_below_the_limit_tends_to_the_steady_state() -> None:
    late = solved({**TRANSIENT, "time.end": "2000 s", "time.output": ["20 s"]})
    assert [frame.time for frame in late.solution.frames] == [20.0, 2000.0]
    assert "depletion_time" not in late.quantities
    steady = solved().quantities["overpotential"].value
    assert late.quantities["overpotential"].value == pytest.approx(steady, rel=1e-3)


def test_a_structure_passes_less_than_the_plain_cell() -> None:
    tree = tomllib.loads(template("nernst_planck"))
    result = fem_spe.run(fem_spe.parse(tree, {"output.figures": False}))
    assert result.failed_checks == []
    quantities = {name: q.value for name, q in result.quantities.items()}
    plain = quantities["limiting_flux"] * np.tanh(0.010 / (4 * 0.025692579))
    share = quantities["flux_in"] / (20e-6 * plain)
    assert 0.6 < share < 0.75  # the relative diffusivity of these fibres is 0.6665
    assert quantities["current_uniformity"] > 0.01


@pytest.mark.parametrize("name", ["rse", "ase", "lase"])
def test_both_readings_of_the_flux_of_figure_2f_are_well_posed(name: str) -> None:
    folder = ROOT / "workflows" / "gou2025"
    steady = fem_spe.run(fem_spe.load(folder / f"fig2f_{name}.toml"))
    ratio = 2.5e-4 / steady.quantities["limiting_flux"].value
    expected, transference = {
        "rse": (0.30, 0.33), "ase": (0.19, 0.41), "lase": (0.13, 0.55)
    }[name]  # fmt: skip
    assert ratio == pytest.approx(expected, abs=0.006)
    assert steady.quantities["transference_number"].value == pytest.approx(transference, abs=2e-3)
    drop = steady.quantities["concentration_drop"].value
    assert drop == pytest.approx(2 * ratio * C0, rel=1e-5)
    transient = fem_spe.load(folder / f"fig2f_{name}_transient.toml")
    study, _ = fem_spe.job.check(transient)
    assert study.name == "nernst_planck"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"species": []}, r"\[\[species\]\] are missing"),
        ({"species": STRIP["species"][:1]}, "one cation and one anion"),
        (
            {"species": [STRIP["species"][0], {**STRIP["species"][1], "concentration": 1500.0}]},
            "not neutral.*TFSI- must have 1600",
        ),
        (
            {"species": [STRIP["species"][0], {**STRIP["species"][1], "immobile_fraction": 1.0}]},
            r"t\+ = 1, outside \(0, 1\)",
        ),
        ({"boundary.top": {"flux": {"Li+": "0.025 mol/m^2/s"}}}, "no steady state.*30.2 of the"),
        (
            {"boundary.top": {"potential": "1 mV", "current_density": 1.0}},
            "potential and current_density are given at once",
        ),
        (
            {"boundary.top": {"electrochemical_potential": 0.1, "current_density": 1.0}},
            "given at once",
        ),
        ({"boundary.top": {"potential": "10 mV"}}, "potential fixes phi alone"),
        ({"boundary.top": {"flux": {"Na+": 1e-4}}}, r"\[boundary.top\] there is no ion 'Na\+'"),
        ({"boundary.top": {"flux": 1e-4}}, "of which ion"),
        ({"boundary": {}}, "nothing drives"),
        ({"boundary.bottom": {"flux": {"Li+": 0.0}}}, "do not add up to zero"),
        ({"nernst_planck.mode": "transient"}, "needs \\[time\\] end"),
        ({"experiment": {"kind": "impedance"}}, "two faces"),
        ({"materials": {"matrix": "impermeable"}}, "nothing carries ions"),
    ],
)
def test_what_is_ill_posed_is_refused(changes: dict[str, Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(CaseError, match=told) as raised:
        fem_spe.run(fem_spe.parse(STRIP, changes), output=tmp_path / "r")
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "r").exists()


def test_a_structure_that_cannot_pass_what_the_plain_cell_could_is_refused() -> None:
    tree = tomllib.loads(template("nernst_planck"))
    limit = 4 * D_CATION * C0 / 10e-6
    changes = {"boundary.top": {"flux": {"Li+": 0.9 * limit}}, "output.figures": False}
    with pytest.raises(CaseError, match=r"no steady state in which every ion is left \(\d+ %"):
        fem_spe.run(fem_spe.parse(tree, changes))
