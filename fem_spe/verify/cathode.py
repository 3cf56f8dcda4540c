"""Porous cathodes: planar closed forms, balances, symmetry, the crossing of two profiles."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from fem_spe.exact import cathode as exact
from fem_spe.results import Result
from fem_spe.units import FARADAY, GAS_CONSTANT
from fem_spe.verify.printed_cell import PILLAR, mirrored
from fem_spe.verify.row import Row, compared

_UM = 1e-6
_FILM, _THICKNESS = 75 * _UM, 200 * _UM
_C0, _D_CATION, _D_ANION = 1750.0, 3.3e-12, 1.553e-12  # Mu 2024, p-3DSE at 30 degC
_KELVIN = 303.15
_VOLT = GAS_CONSTANT * _KELVIN / FARADAY
_POROSITY, _FACTOR = 0.3, 0.3**1.5
FLAT = {
    "kind": "printed", "pattern": "flat", "base": _FILM, "pitch": 40 * _UM,
    "cathode": _THICKNESS,
}  # fmt: skip
INSIDE = PILLAR | {"facing": "cathode", "cathode": _THICKNESS, "cell": "quarter"}
REACTING = {
    "kinetics": {"exchange_current": 0.1}, "specific_area": 2e5, "open_circuit": 3.4,
}  # fmt: skip
_SOURCE = "Newman 2004, ch. 11, 22"


def case(
    geometry: dict[str, Any],
    size: float,
    current: float,
    cathode: dict[str, Any] | None = None,
    changes: dict[str, Any] | None = None,
) -> Any:
    """A cell of lithium, printed electrolyte and porous cathode at `current` A/m^2."""
    from fem_spe.case import parse

    tree = {
        "study": "nernst_planck",
        "temperature": _KELVIN,
        "geometry": geometry,
        "mesh": {"size": size, "interface_size": size},
        "materials": {"electrolyte": {}, "cathode": {}},
        "species": [
            {"name": "Li+", "charge": 1, "diffusivity": _D_CATION, "concentration": _C0},
            {"name": "TFSI-", "charge": -1, "diffusivity": _D_ANION, "concentration": _C0},
        ],
        "boundary": {"bottom": {"electrochemical_potential": 0.0}},
        "reaction": {
            "cathode": {"porosity": _POROSITY, "current_density": current, **(cathode or {})}
        },
        "output": {"figures": False},
    }
    return parse(tree, changes)


def run(*args: Any) -> Result:
    """`case`, solved."""
    from fem_spe.job import run as solved

    return solved(case(*args))


def even_uptake() -> Iterator[Row]:
    """A planar cathode with even uptake: c is a line and a parabola, and has a limit."""
    limit = exact.limiting_flux(_D_CATION, _C0, _FILM, _THICKNESS, _POROSITY, _FACTOR)
    current = 0.5 * FARADAY * limit
    result = run(FLAT, 12 * _UM, current, None, {"solver.degree": 2})
    slope = 0.5 * limit / (2.0 * _D_CATION * _C0)
    form = (slope, _FILM, _THICKNESS, _POROSITY, _FACTOR)
    ends = _C0 * exact.even_uptake(np.array([0.0, _FILM + _THICKNESS]), *form)
    found = result.quantities
    for name, expected in (
        ("min_concentration", ends[1]),
        ("concentration_drop", ends[0] - ends[1]),
        ("limiting_flux", limit),
    ):
        yield compared(f"even uptake, {name}", found[name].value, expected, 1e-4, _SOURCE)
    depth = result.solution.tables["depth"]
    curve = _C0 * exact.even_uptake(depth["z [um]"] * _UM, *form)
    off = float(np.abs(depth["concentration [mol/m^3]"] / curve - 1.0).max())
    yield Row("even uptake, c over the depth, largest error", off, 0.0, off, 1e-4, _SOURCE)


def linear_kinetics() -> Iterator[Row]:
    """Small currents and linear kinetics: the reaction falls off as a cosh."""
    exchange = 5e3  # a i0, A/m^3
    nu = exact.thiele(exchange / (FARADAY * _D_CATION * _C0), _THICKNESS, _FACTOR)
    given = {
        "kinetics": {"exchange_current": exchange / 1e5, "law": "linear"}, "specific_area": 1e5,
    }  # fmt: skip
    current = 1e-5  # A/m^2: 4e-6 of the limit
    result = run(FLAT, 12 * _UM, current, given, {"solver.degree": 2})
    found = result.quantities
    across = exact.resistance(nu, _FILM, _THICKNESS, _FACTOR) * current
    volts = _VOLT * across / (FARADAY * _D_CATION * _C0)
    yield compared("linear kinetics, overpotential", found["overpotential"].value, volts, 1e-4,
                   "Newman & Tobias 1962")  # fmt: skip
    spread = exact.reaction_spread(nu)
    yield compared(
        "linear kinetics, spread of the reaction", found["reaction_uniformity"].value, spread,
        1e-4, "Newman & Tobias 1962",
    )  # fmt: skip
    depth = result.solution.tables["depth"]
    z = (depth["z [um]"] * _UM - _FILM) / _THICKNESS
    inside = z > 0.0
    mean = current / _THICKNESS
    off = depth["reaction [A/m^3]"][inside] / mean / exact.reaction(z[inside], nu) - 1.0
    worst = float(np.abs(off).max())
    yield Row("linear kinetics, reaction over the depth", worst, 0.0, worst, 3e-2,
              "cosh; constant in each cell")  # fmt: skip


def crossing() -> Iterator[Row]:
    """Planar cathodes of two tortuosities cross where their parabolas do."""
    porosity, thick = 0.9, 400 * _UM
    for film, thickness, share in ((_FILM, _THICKNESS, _POROSITY), (0.5 * _UM, thick, porosity)):
        geometry = FLAT | {"base": film, "pitch": 20 * _UM, "cathode": thickness}
        profiles = []
        for factor in (0.1, 0.3):
            given = {"porosity": share, "tortuosity": share / factor}
            result = run(geometry, 8 * _UM, 0.1, given)
            depth = result.solution.tables["depth"]
            profiles.append(depth["concentration [mol/m^3]"])
        z = (depth["z [um]"] * _UM - film) / thickness
        inside = z > 0.0
        found = float(np.interp(0.0, (profiles[1] - profiles[0])[inside], z[inside]))
        expected = exact.even_crossing(film, thickness, share)
        what = f"{film / _UM:g} um film"
        yield compared(f"cathodes on a {what}: crossing / H", found, expected, 5e-3, _SOURCE)
    expected = 1.0 - 1.0 / math.sqrt(3.0)
    yield compared("the same, 1 - 1/sqrt 3", found, expected, 5e-3, "parabolas of a flux")


def pillars() -> Iterator[Row]:
    """Pillars in a cathode: currents and lithium balance, and a quarter tells all."""
    size, current = 16 * _UM, 0.5
    quarter = run(INSIDE, size, current, REACTING)
    whole = run(INSIDE | {"cell": "unit"}, size, current, REACTING)
    image = mirrored(case(INSIDE, size, current, REACTING))
    for name, result, share in (("quarter", quarter, 0.25), ("whole", whole, 1.0)):
        asked = current * share * (300 * _UM) ** 2
        passed = result.quantities["current"].value
        yield compared(f"cathode, {name} pillar: current / asked", passed, asked, 1e-9,
                       "conservation")  # fmt: skip
        for check in ("current_imbalance", "interface_imbalance"):
            off = abs(result.checks[check].value)
            yield Row(f"cathode, {name} pillar: {check}", off, 0.0, off, 1e-9, "conservation")
    for other, result, limit in (("mirrored", image, 1e-6), ("of its own mesh", whole, 1e-3)):
        for name in ("overpotential", "concentration_drop", "min_concentration"):
            yield compared(
                f"cathode, pillar {other} and its quarter: {name}",
                result.quantities[name].value, quarter.quantities[name].value, limit, "symmetry",
            )  # fmt: skip


def discharge() -> Iterator[Row]:
    """A discharge: lithium is kept, and a slow one fills the solid."""
    given = REACTING | {"capacity": 3.6e8, "cutoff": 0.3}
    changes = {"nernst_planck.mode": "transient", "time": {"end": "200 h", "rtol": 1e-3}}
    result = run(FLAT, 24 * _UM, 0.4, given, changes)
    found = result.quantities
    off = result.checks["lithium_lost"].value
    yield Row("discharge: lithium lost", off, 0.0, off, 1e-9, "conservation")
    time = found["discharge_time"].value
    yield compared("discharge: charge / time", found["inserted_charge"].value / time, 0.4, 1e-9,
                   "conservation")  # fmt: skip
    yield compared("discharge: utilisation when slow", found["utilisation"].value, 1.0, 1e-2,
                   "a full solid")  # fmt: skip
