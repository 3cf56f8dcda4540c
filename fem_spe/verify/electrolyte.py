"""Electroneutral Nernst-Planck against closed forms, and its orders in space and time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from fem_spe.exact import electrolyte as exact
from fem_spe.results import Result
from fem_spe.units import FARADAY, GAS_CONSTANT, REFERENCE_TEMPERATURE
from fem_spe.verify.row import Row, compared

_LENGTH, _C0 = 45e-6, 1600.0  # m, mol/m^3, of the cell of Gou 2025, Fig. 2f
_D_CATION, _T = 5.82e-12, REFERENCE_TEMPERATURE
_VOLT = GAS_CONSTANT * _T / FARADAY
_SOURCE = "Newman 2004, ch. 11"
# D- / D+ for the t+ of Fig. 2f
TRANSFERENCE = (0.33, 0.41, 0.55)
_NODES = 1e-8  # of a profile, over c0


def steady_profile() -> Iterator[Row]:
    """A given flux through the closed cell: profile, voltage, balances."""
    for flux in (0.3, 0.8):
        given = flux * exact.limiting_flux(_D_CATION, _C0, _LENGTH)
        result = _cell(
            100 if flux < 0.5 else 500,
            {"boundary.top": {"flux": {"Li+": given}}, "boundary.bottom": _at(0.0)},
        )
        x, c, _ = nodes(result)
        error = float(np.abs(c - exact.profile(1 - x, flux)).max())
        name = f"steady salt at {flux:g} of the limiting flux"
        low = float(c.min())
        yield Row(f"{name}: profile", low, 1 - flux, error, _NODES, _SOURCE)
        voltage = result.quantities["overpotential"].value
        expected = _VOLT * exact.steady_voltage(flux)
        yield compared(f"{name}: voltage", voltage, expected, 1e-7, _SOURCE)
        yield from _balances(name, result)


def steady_voltages() -> Iterator[Row]:
    """Flux between electrodes of given electrochemical potential: j = tanh(FV / 4RT)."""
    for voltage, cells in ((1e-3, 40), (10e-3, 40), (50e-3, 40), (100e-3, 80), (200e-3, 200)):
        result = _cell(cells, {"boundary.top": _at(voltage), "boundary.bottom": _at(0.0)})
        name = f"salt cell at {voltage * 1e3:g} mV: flux over the limiting one"
        flux = exact.steady_flux(voltage / _VOLT)
        yield compared(name, limited(result), flux, 1e-6, _SOURCE)


def fixed_potentials() -> Iterator[Row]:
    """The same with phi given instead, twice the flux at small voltages: j = tanh(FV / 2RT)."""
    for voltage in (1e-3, 50e-3):
        faces = {"boundary.top": {"potential": voltage}, "boundary.bottom": {"potential": 0.0}}
        name = f"salt cell at {voltage * 1e3:g} mV of phi: flux over the limiting one"
        flux = exact.steady_flux(2 * voltage / _VOLT)
        yield compared(name, limited(_cell(80, faces)), flux, 1e-6, _SOURCE)


def kinetics() -> Iterator[Row]:
    """The same with Butler-Volmer's kinetics on both electrodes."""
    limiting = exact.limiting_flux(_D_CATION, _C0, _LENGTH)
    for flux, law in ((0.6, "full"), (1e-4, "linear")):
        exchange = 0.2  # over the limiting current
        kinetic = {"exchange_current": exchange * limiting * FARADAY, "law": law}
        voltage = exact.steady_voltage(flux) + 2 * exact.charge_transfer(flux, exchange)
        sides = {
            f"boundary.{face}": {**_at(v), "kinetics": kinetic}
            for face, v in (("top", voltage * _VOLT), ("bottom", 0.0))
        }
        name = f"salt cell with {law} Butler-Volmer kinetics: flux"
        yield compared(name, limited(_cell(300, sides)), flux, 1e-7, "Newman 2004, ch. 8")


def fixed_anions() -> Iterator[Row]:
    """Where 40 % of the anions are fixed: profile and flux, beyond the limit without them."""
    fixed, flux = 0.4, 1.2  # J over D+ c0 / L
    given = flux * _D_CATION * _C0 / _LENGTH
    result = _cell(
        200,
        {
            "boundary.top": {"flux": {"Li+": given}},
            "boundary.bottom": _at(0.0),
            "species": _species(0.33, fixed),
        },
    )
    x, c, _ = nodes(result)
    expected, voltage = exact.fixed_anions(1 - x, flux, fixed)
    error = float(np.abs(c - fixed - expected).max())
    source = "by separation of variables"
    low = float(c.min()) - fixed
    yield Row("fixed anions: profile", low, float(expected.min()), error, 1e-6, source)
    found = result.quantities["overpotential"].value
    yield compared("fixed anions: voltage", found, voltage * _VOLT, 1e-6, source)


def sand() -> Iterator[Row]:
    """Depletion at many times the limiting flux."""
    transference, times = 0.33, 20
    flux = times * exact.limiting_flux(_D_CATION, _C0, _LENGTH)
    ambipolar = 2 * (1 - transference) * _D_CATION
    expected = exact.sand_time(flux, _C0, ambipolar, transference)
    result = _cell(
        300,
        {
            "nernst_planck.mode": "transient",
            "time": {"end": 2 * expected, "rtol": 1e-4},
            "boundary.bottom": {"flux": {"Li+": -flux}},
            "boundary.top": {"flux": {"Li+": flux}},
        },
    )
    found = result.quantities["depletion_time"].value
    name = f"depletion at {times} times the limiting flux"
    yield compared(name, found, expected, 1e-3, "Sand 1901")
    yield from _balances(name, result)


def bruce_vincent() -> Iterator[Row]:
    """Chronoamperometry: t+ from steady over initial current, in the limit and at 10 mV."""
    small, source = 1e-3, "Bruce & Vincent 1987"
    for transference in TRANSFERENCE:
        found = _chronoamperometry(small, transference)
        name = f"Bruce-Vincent at {small * 1e3:g} mV, t+ = {transference}"
        yield compared(name, found, transference, 5e-4, source)
    voltage, transference = 10e-3, TRANSFERENCE[0]
    v = voltage / _VOLT
    expected = exact.steady_flux(v) / exact.ohmic_flux(v, transference)
    found = _chronoamperometry(voltage, transference)
    name = f"Bruce-Vincent at {voltage * 1e3:g} mV, t+ = {transference}"
    yield compared(name, found, expected, 1e-5, source)


def _chronoamperometry(voltage: float, transference: float) -> float:
    """t+ as the simulated experiment finds it."""
    changes = {
        "species": _species(transference),
        "nernst_planck.mode": "transient",
        "experiment": {"kind": "chronoamperometry"},
        "time": {"end": _LENGTH**2 / ((1 - transference) * _D_CATION), "rtol": 1e-4},
        "boundary.top": _at(voltage),
        "boundary.bottom": _at(0.0),
    }
    return _cell(40, changes).quantities["bruce_vincent"].value


def impedance() -> Iterator[Row]:
    """The spectrum of the symmetric cell over six decades."""
    transference = 0.33
    result = _cell(
        400,
        {
            "species": _species(transference),
            "experiment": {"kind": "impedance", "per_decade": 2},
            "boundary.top": _at(0.0),
            "boundary.bottom": _at(0.0),
        },
    )
    table = result.solution.tables["impedance"]
    z = table["Re Z [ohm m^2]"] - 1j * table["-Im Z [ohm m^2]"]
    ambipolar = 2 * (1 - transference) * _D_CATION
    tau = _LENGTH**2 / (4 * ambipolar)
    bulk = _LENGTH / result.quantities["conductivity"].value
    expected = np.array(
        [bulk * exact.impedance(2 * np.pi * f * tau, transference) for f in table["f [Hz]"]]
    )
    error = float(np.abs(z / expected - 1).max())
    decades = float(np.log10(table["f [Hz]"][-1] / table["f [Hz]"][0]))
    middle = len(z) // 2
    yield Row(
        f"impedance over {decades:.0f} decades: |Z| over R_b", abs(z[middle]) / bulk,
        abs(expected[middle]) / bulk, error, 5e-3, "Macdonald 1973",
    )  # fmt: skip


def _balances(name: str, result: Result) -> Iterator[Row]:
    """The checks of a run, as rows."""
    for check in ("current_imbalance", "salt_imbalance", "salt_lost"):
        value = result.checks[check].value
        yield Row(f"{name}: {check}", value, 0.0, value, 1e-10, "")


def _at(voltage: float) -> dict[str, float]:
    return {"electrochemical_potential": voltage}


def _species(transference: float, fixed: float = 0.0) -> list[dict[str, Any]]:
    anion = _D_CATION * (1 - transference) / transference
    return [
        {"name": "Li+", "charge": 1, "diffusivity": _D_CATION, "concentration": _C0},
        {
            "name": "TFSI-", "charge": -1, "diffusivity": anion, "concentration": _C0,
            "immobile_fraction": fixed,
        },
    ]  # fmt: skip


def _cell(cells: int, changes: dict[str, Any]) -> Result:
    """A strip one cell wide between the electrodes, `cells` of them."""
    from fem_spe.case import parse
    from fem_spe.job import run

    size = _LENGTH / cells
    tree = {
        "study": "nernst_planck",
        "geometry": {"kind": "box", "size": [size, _LENGTH]},
        "mesh": {"size": size},
        "materials": {"matrix": {}},
        "species": _species(0.33),
        "output": {"figures": False},
    }
    return run(parse(tree, changes))


def nodes(result: Result) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Height over the thickness, cations over c0 and potential over RT/F at each node."""
    c = result.fields["concentration [mol/m^3]"]
    height = c.function_space.tabulate_dof_coordinates()[:, 1] / _LENGTH
    potential = result.fields["potential [V]"].x.array / _VOLT
    return height, c.x.array / _C0, potential


def limited(result: Result) -> float:
    """Flux per width over the limiting one."""
    assert result.domain is not None
    flux = result.quantities["flux_in"].value / result.domain.size[0]
    return flux / result.quantities["limiting_flux"].value
