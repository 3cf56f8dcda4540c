"""Simulated experiments: what an experimenter reads from a cell, against what was put in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from fem_spe.exact import electrolyte as exact
from fem_spe.results import Result
from fem_spe.units import FARADAY, GAS_CONSTANT, REFERENCE_TEMPERATURE
from fem_spe.verify.row import Row, compared

_LENGTH, _C0, _D_CATION = 45e-6, 1600.0, 5.82e-12  # as in Gou 2025, Fig. 2f
_T_PLUS = 0.33
_VOLT = GAS_CONSTANT * REFERENCE_TEMPERATURE / FARADAY
_BULK = _LENGTH * _T_PLUS * _VOLT / (FARADAY * _C0 * _D_CATION)  # L / sigma, ohm m^2
_AMBIPOLAR = 2 * (1 - _T_PLUS) * _D_CATION
_TAU = _LENGTH**2 / (4 * _AMBIPOLAR)
_CAPACITANCE = 0.1  # F/m^2, 10 uF/cm^2


def double_layers() -> Iterator[Row]:
    """Spectra of cells whose reactions have a double layer, and the circuit fitted to them."""
    for times in (0.8, 20.0):
        reaction = times * _BULK  # of each electrode, ohm m^2
        kinetics = {"exchange_current": _VOLT / reaction, "double_layer": _CAPACITANCE}
        electrode = {"electrochemical_potential": 0.0, "kinetics": kinetics}
        result = _cell(
            100,
            {
                "experiment": {"kind": "impedance", "per_decade": 3},
                "boundary": {"top": electrode, "bottom": electrode},
            },
        )
        name = f"double layers, R_ct = {2 * times:g} R_b"
        yield from _spectrum(name, result, reaction)
        diffusion = _BULK * (1 - _T_PLUS) / _T_PLUS
        for quantity, expected, limit in (
            ("bulk_resistance", _BULK, 2e-3),
            ("charge_transfer_resistance", 2 * reaction, 5e-4),
            ("diffusion_resistance", diffusion, 1e-3),
            ("diffusion_time", _TAU, 1e-3),
        ):
            found = result.quantities[quantity].value
            what = f"{name}: fitted {quantity.replace('_', ' ')}"
            yield compared(what, found, expected, limit, "what was put in")


def _spectrum(name: str, result: Result, reaction: float) -> Iterator[Row]:
    """Against the closed form, and against the circuit of elements in a row."""
    table = result.solution.tables["impedance"]
    frequency, z = table["f [Hz]"], table["Re Z [ohm m^2]"] - 1j * table["-Im Z [ohm m^2]"]
    omega, time = 2 * np.pi * frequency * _TAU, reaction * _CAPACITANCE / _TAU
    ratio = reaction / _BULK
    whole = [_BULK * exact.charged_impedance(w, _T_PLUS, ratio, time) for w in omega]
    row = [_BULK * exact.impedance(w, _T_PLUS) + 2 * reaction / (1 + 1j * w * time) for w in omega]
    decades = np.log10(frequency[-1] / frequency[0])
    middle = len(z) // 2
    for what, expected, limit, source in (
        ("closed form", np.array(whole), 1e-3, "Macdonald 1973, Randles 1947"),
        ("R_b, arcs, Warburg in a row", np.array(row), 5e-3, "Gou 2025, Fig. 2c"),
    ):
        error = float(np.abs(z / expected - 1).max())
        yield Row(
            f"{name}: {what}, {decades:.0f} decades", abs(z[middle]) / _BULK,
            abs(expected[middle]) / _BULK, error, limit, source,
        )  # fmt: skip


def depletion() -> Iterator[Row]:
    """Chronopotentiometry at several currents: a closed cell, not a deep one."""
    limit = exact.limiting_flux(_D_CATION, _C0, _LENGTH)
    for times in (1.2, 3.0, 10.0):
        seconds = _LENGTH**2 / _AMBIPOLAR * exact.depletion_time(times)
        result = _cell(
            200,
            {
                "nernst_planck.mode": "transient",
                "experiment": {"kind": "chronopotentiometry"},
                "time": {"end": 2 * seconds, "rtol": 1e-4},
                "boundary.bottom": {"flux": {"Li+": -times * limit}},
                "boundary.top": {"flux": {"Li+": times * limit}},
            },
        )
        found = result.quantities["depletion_time"].value
        name = f"depletion of a closed cell at {times:g} times the limiting flux"
        yield compared(name, found, seconds, 1e-4, "Carslaw & Jaeger 1959, 3.8")


def _cell(cells: int, changes: dict[str, Any]) -> Result:
    """A strip one cell wide between the electrodes, `cells` of them."""
    from fem_spe.case import parse
    from fem_spe.job import run

    size = _LENGTH / cells
    ion = {"name": "Li+", "charge": 1, "diffusivity": _D_CATION, "concentration": _C0}
    other = _D_CATION * (1 - _T_PLUS) / _T_PLUS
    tree = {
        "study": "nernst_planck",
        "geometry": {"kind": "box", "size": [size, _LENGTH]},
        "mesh": {"size": size},
        "materials": {"matrix": {}},
        "species": [ion, ion | {"name": "TFSI-", "charge": -1, "diffusivity": other}],
        "output": {"figures": False},
    }
    return run(parse(tree, changes))
