"""Simulated experiments as a person runs them: spectra, activation energies, depletion, anodes."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fem_spe
from fem_spe.ensemble import read_sweeps, sweep
from fem_spe.errors import CaseError
from fem_spe.exact.electrolyte import depletion_time
from fem_spe.figures import draw
from fem_spe.results import read_table
from fem_spe.units import FARADAY, GAS_CONSTANT

LENGTH, C0, D_CATION, D_ANION = 45e-6, 1600.0, 5.82e-12, 1.18e-11
LIMIT = 4 * D_CATION * C0 / LENGTH
VOLT = GAS_CONSTANT * 298.15 / FARADAY
BULK = LENGTH * VOLT / (FARADAY * C0 * (D_CATION + D_ANION))
SALT: list[dict[str, Any]] = [
    {"name": "Li+", "charge": 1, "diffusivity": D_CATION, "concentration": C0},
    {"name": "TFSI-", "charge": -1, "diffusivity": D_ANION, "concentration": C0},
]
STRIP: dict[str, Any] = {
    "study": "nernst_planck",
    "geometry": {"kind": "box", "size": [LENGTH / 40, LENGTH]},
    "mesh": {"size": LENGTH / 40},
    "materials": {"matrix": {}},
    "species": SALT,
    "output": {"figures": False},
}
SECTION: dict[str, Any] = {
    "study": "nernst_planck",
    "geometry": {
        "kind": "fiber_section", "arrangement": "aligned", "size": [40e-6, 20e-6],
        "count": [4, 2], "fiber_fraction": 0.3,
    },
    "mesh": {"size": 3e-6, "interface_size": 1.5e-6},
    "materials": {"matrix": {}, "fiber": "impermeable"},
    "species": SALT,
    "boundary": {
        "bottom": {
            "electrochemical_potential": 0.0, "kinetics": {"exchange_current": "30 A/m^2"},
        },
        "top": {"current_density": "20 A/m^2"},
    },
    "output": {"figures": False},
}  # fmt: skip


def electrode(times: float = 3.0, layer: str | None = "10 uF/cm^2") -> dict[str, Any]:
    """An electrode at rest whose reaction has so many times the resistance of the bulk."""
    kinetics = {"exchange_current": VOLT / (times * BULK)}
    return {
        "electrochemical_potential": 0.0,
        "kinetics": kinetics | ({"double_layer": layer} if layer else {}),
    }


def spectrum(top: dict[str, Any], bottom: dict[str, Any], **changes: Any) -> Any:
    asked = {"kind": "impedance", "per_decade": 2}
    faces = {"experiment": asked, "boundary": {"top": top, "bottom": bottom}}
    return fem_spe.run(fem_spe.parse(STRIP, faces | changes))


def test_a_spectrum_shows_two_arcs_and_the_picture_the_fitted_circuit(tmp_path: Path) -> None:
    case = fem_spe.parse(
        STRIP,
        {
            "experiment": {"kind": "impedance"},
            "boundary": {"top": electrode(), "bottom": electrode()},
        },
    )
    result = fem_spe.run(case, output=tmp_path / "r")
    quantities = {n: q.value for n, q in result.quantities.items()}
    assert quantities["bulk_resistance"] == pytest.approx(BULK, rel=5e-3)
    assert quantities["charge_transfer_resistance"] == pytest.approx(6 * BULK, rel=5e-3)
    assert quantities["effective_conductivity"] == pytest.approx(
        quantities["conductivity"], rel=5e-3
    )
    assert quantities["circuit_misfit"] < 5e-3
    table = result.solution.tables["impedance"]
    minus_imaginary = table["-Im Z [ohm m^2]"]
    summits = np.sum(np.diff(np.sign(np.diff(minus_imaginary))) < 0)
    assert summits == 2  # diffusion and reaction
    assert table["f [Hz]"][-1] / table["f [Hz]"][0] > 1e6
    assert (tmp_path / "r" / "tables" / "impedance_fit.csv").exists()
    assert [f.name for f in draw(tmp_path / "r", "impedance")] == ["impedance.png"]


def test_reactions_of_different_speed_have_an_arc_each() -> None:
    result = spectrum(electrode(0.5, "1 uF/cm^2"), electrode(5.0, "50 uF/cm^2"))
    found = result.quantities["charge_transfer_resistance"].value
    assert found == pytest.approx(5.5 * BULK, rel=5e-3)
    assert result.quantities["bulk_resistance"].value == pytest.approx(BULK, rel=5e-3)
    assert result.quantities["circuit_misfit"].value < 5e-3


def test_without_double_layers_bulk_and_reactions_are_one_resistance() -> None:
    result = spectrum(electrode(3.0, None), electrode(3.0, None))
    assert "bulk_resistance" not in result.quantities
    assert "charge_transfer_resistance" not in result.quantities
    assert result.quantities["high_frequency_resistance"].value == pytest.approx(7 * BULK, rel=0.02)
    ideal = {"electrochemical_potential": 0.0}
    bare = spectrum(ideal, ideal).quantities
    assert bare["bulk_resistance"].value == pytest.approx(BULK, rel=5e-3)
    assert bare["diffusion_resistance"].value == pytest.approx(BULK * D_ANION / D_CATION, rel=5e-3)


def test_double_layers_are_refused_where_they_have_no_meaning() -> None:
    with pytest.raises(CaseError, match=r"\[boundary.top\].*double_layer.*alone; remove it"):
        fem_spe.run(fem_spe.parse(STRIP, {"boundary": {"top": electrode(), "bottom": electrode()}}))
    with pytest.raises(CaseError, match=r"\[boundary.bottom\].*both or none"):
        spectrum(electrode(), electrode(3.0, None))
    with pytest.raises(CaseError, match=r"capacitance per area.*10 uF/cm"):
        spectrum(electrode(3.0, "10 uF"), electrode())
    with pytest.raises(CaseError, match=r"lowest = 1e\+12 Hz is not below"):
        spectrum(electrode(), electrode(), experiment={"kind": "impedance", "lowest": 1e12})


SWEPT = """
study = "diffusion"
[geometry]
kind = "fiber_section"
arrangement = "aligned"
size = ["40 um", "20 um"]
count = [4, 2]
fiber_fraction = 0.2
[mesh]
size = "4 um"
interface_size = "1.5 um"
[materials]
matrix = { diffusivity = "1e-11 m^2/s", activation_energy = "0.094 eV" }
fiber = "impermeable"
[diffusion]
direction = "y"
[output]
figures = false
"""


def test_a_sweep_over_temperature_tells_the_activation_energy_that_was_put_in(
    tmp_path: Path,
) -> None:
    file, told = tmp_path / "small.toml", list[str]()
    file.write_text(SWEPT, encoding="utf-8")
    keys = ["temperature=10 degC,25 degC,60 degC", "geometry.fiber_fraction=0.1,0.2"]
    sweep(file, read_sweeps(keys), tmp_path / "s", tell=lambda line, _: told.append(line))
    energies = [line for line in told if line.startswith("activation energy of")]
    assert len(energies) == 2
    assert energies[0].startswith(
        "activation energy of effective_diffusivity (geometry.fiber_fraction=0.1): 0.094 ± "
    )
    with (tmp_path / "s" / "arrhenius.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["geometry.fiber_fraction"] for row in rows] == ["0.1", "0.2"]
    for row in rows:
        assert float(row["activation energy [eV]"]) == pytest.approx(0.094, rel=1e-8)
    assert (tmp_path / "s" / "arrhenius.png").stat().st_size > 10_000
    # two temperatures tell no interval
    two = read_sweeps(["temperature=10 degC,25 degC"])
    sweep(file, two, tmp_path / "two", tell=lambda line, _: told.append(line))
    assert not (tmp_path / "two" / "arrhenius.csv").exists()


def test_temperature_scales_the_ions_by_their_own_energies() -> None:
    ions = [SALT[0] | {"activation_energy": "0.1 eV"}, SALT[1]]
    faces = {"top": {"flux": {"Li+": 0.1 * LIMIT}}, "bottom": {"electrochemical_potential": 0.0}}
    at = {"species": ions, "boundary": faces, "temperature": "60 degC"}
    found = fem_spe.run(fem_spe.parse(STRIP, at)).quantities["transference_number"].value
    boltzmann = 8.617333262e-5  # eV / K
    faster = D_CATION * np.exp(-0.1 / boltzmann * (1 / 333.15 - 1 / 298.15))
    assert found == pytest.approx(faster / (faster + D_ANION), rel=1e-8)
    with pytest.raises(CaseError, match=r"\[\[species\]\] Li\+: the diffusivity would change"):
        fem_spe.run(fem_spe.parse(STRIP, at | {"temperature": "3 K"}))


def chronopotentiometry(times: float, **changes: Any) -> Any:
    case = {
        "nernst_planck.mode": "transient",
        "experiment": {"kind": "chronopotentiometry"},
        "time": {"end": "10 min", "rtol": 1e-3},
        "boundary": {
            "bottom": {"flux": {"Li+": -times * LIMIT}},
            "top": {"electrochemical_potential": 0.0},
        },
    }
    return fem_spe.run(fem_spe.parse(STRIP, case | changes))


def test_depletion_is_told_beside_sand_and_the_closed_form_of_the_cell() -> None:
    found = {n: q.value for n, q in chronopotentiometry(1.5).quantities.items()}
    assert next(iter(found)) == "depletion_time"  # what a sweep over currents shows
    assert found["flux_over_limit"] == pytest.approx(1.5, rel=1e-9)
    assert found["depletion_time"] == pytest.approx(found["plain_depletion_time"], rel=1e-3)
    ambipolar = 2 * D_CATION * D_ANION / (D_CATION + D_ANION)
    expected = LENGTH**2 / ambipolar * depletion_time(1.5)
    assert found["plain_depletion_time"] == pytest.approx(expected, rel=1e-9)
    assert found["depletion_over_sand"] > 1.02  # the cell is not deep


def test_a_current_that_depletes_nothing_is_refused_with_the_numbers() -> None:
    with pytest.raises(CaseError, match=r"0\.9 of the limiting flux 0.000828.*Sand's time 63 s"):
        chronopotentiometry(0.9)
    with pytest.raises(CaseError, match=r"\[time\] end: nothing is depleted until 0.01 s"):
        chronopotentiometry(2.0, **{"time.end": "10 ms"})
    held = {"electrochemical_potential": 0.0}
    with pytest.raises(CaseError, match="needs a current_density or a flux of Li"):
        chronopotentiometry(2.0, boundary={"top": held, "bottom": held})
    with pytest.raises(CaseError, match=r"immobile_fraction = 0"):
        chronopotentiometry(2.0, species=[SALT[0], SALT[1] | {"immobile_fraction": 0.2}])
    with pytest.raises(CaseError, match=r'needs .nernst_planck. mode = "transient"'):
        chronopotentiometry(0.5, **{"nernst_planck.mode": "steady", "time": None})


def test_the_anode_tells_how_even_concentration_and_potential_are() -> None:
    result = fem_spe.run(fem_spe.parse(SECTION))
    assert result.failed_checks == []
    quantities = {n: q.value for n, q in result.quantities.items()}
    table = result.solution.tables["anode_state"]
    c, phi = table["concentration [mol/m^3]"], table["potential [V]"]
    assert quantities["concentration_range"] == pytest.approx(np.ptp(c), rel=1e-12)
    assert quantities["potential_range"] == pytest.approx(np.ptp(phi), rel=1e-12)
    assert np.all(np.diff(table["x [um]"]) > 0)
    # nodes of second-order cells along a line, Simpson's weights: the integrals are exact enough
    x = table["x [um]"]
    weights = np.gradient(x)
    mean = np.average(phi, weights=weights)
    spread = np.sqrt(np.average((phi - mean) ** 2, weights=weights)) / VOLT
    assert quantities["potential_uniformity"] == pytest.approx(spread, rel=0.05)
    even = fem_spe.run(fem_spe.parse(SECTION, {"materials.fiber": {}}))
    for name in ("concentration_range", "potential_range", "potential_uniformity"):
        assert even.quantities[name].value < 1e-6 * max(quantities[name], 1.0)


def test_lines_of_current_are_written_where_there_is_a_current() -> None:
    result = fem_spe.run(fem_spe.parse(SECTION, {"output.figures": True}))
    psi = result.fields["stream_function"].x.array
    # all of the current passes between the first and the last line, in units of F D+ c0
    total = result.quantities["current"].value / (FARADAY * D_CATION * C0)
    assert np.ptp(psi) == pytest.approx(total, rel=5e-3)
    held = {"electrochemical_potential": 0.0}
    rest = fem_spe.parse(
        SECTION, {"output.figures": True, "boundary": {"top": held, "bottom": held}}
    )
    assert np.all(fem_spe.run(rest).fields["stream_function"].x.array == 0.0)


@pytest.mark.mpi
def test_a_spectrum_is_the_same_on_two_ranks(tmp_path: Path, python: Any) -> None:
    case = fem_spe.parse(
        SECTION,
        {
            "experiment": {"kind": "impedance", "per_decade": 1},
            "boundary": {"top": electrode(), "bottom": electrode()},
        },
    )
    alone = fem_spe.run(case)
    file = tmp_path / "case.json"
    file.write_text(json.dumps(case.to_dict()), encoding="utf-8")
    code = (
        "import json, sys, fem_spe; from mpi4py import MPI; "
        f"case = fem_spe.parse(json.load(open({str(file)!r}))); "
        f"fem_spe.run(case, comm=MPI.COMM_WORLD, output={str(tmp_path / 'r')!r})"
    )
    done = python(code, cwd=tmp_path, ranks=2)
    assert done.returncode == 0, done.stderr
    both = read_table(tmp_path / "r" / "tables" / "impedance.csv")
    for head, values in alone.solution.tables["impedance"].items():
        assert np.allclose(both[head], values, rtol=1e-6, atol=1e-12 * np.abs(values).max())
