"""Nernst-Planck with Poisson's equation against closed forms, and its orders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from fem_spe.exact import double_layer
from fem_spe.exact import electrolyte as exact
from fem_spe.results import Result
from fem_spe.units import FARADAY, GAS_CONSTANT, REFERENCE_TEMPERATURE
from fem_spe.verify.row import Row, compared

_LENGTH, _C0 = 45e-6, 1600.0  # m, mol/m^3, of the cell of Gou 2025, Fig. 2f
_D_CATION, _D_ANION = 5.82e-12, 1.18e-11
_VOLT = GAS_CONSTANT * REFERENCE_TEMPERATURE / FARADAY
_LIMIT = exact.limiting_flux(_D_CATION, _C0, _LENGTH)
_RATIOS = (1e-2, 1e-4, 1e-6)  # Debye length over the cell's


def layers() -> Iterator[Row]:
    """A wall at a potential, far from a reservoir: its layer and its charge."""
    for zeta in (4.0, 10.0):
        for ratio in _RATIOS:
            result = _wall(ratio, {"potential": zeta * _VOLT})
            height, potential = _potential(result)
            error = np.abs(potential - double_layer.potential(height / ratio, zeta)).max()
            name = f"layer of zeta = {zeta:g} at lambda / L = {ratio:.0e}"
            yield Row(
                f"{name}: potential", float(potential.max()), zeta, float(error), 1e-4,
                "Gouy 1910, Chapman 1913",
            )  # fmt: skip
            charge = result.quantities["surface_charge.bottom"].value
            expected = _grahame(ratio) * double_layer.wall_charge(zeta)
            yield compared(f"{name}: charge", charge, expected, 1e-3, "Grahame 1947")


def charged_walls() -> Iterator[Row]:
    """The other way round, and with three ions and a fixed charge."""
    zeta, ratio = 10.0, 1e-4
    charge = _grahame(ratio) * double_layer.wall_charge(zeta)
    result = _wall(ratio, {"surface_charge": charge})
    found = result.quantities["wall_potential.bottom"].value / _VOLT
    yield compared("potential of a wall with a charge", found, zeta, 1e-4, "Grahame 1947")

    species = [
        {"name": "Li+", "charge": 1, "diffusivity": _D_CATION, "concentration": 1000.0},
        {"name": "Mg2+", "charge": 2, "diffusivity": 1e-12, "concentration": 200.0},
        {
            "name": "TFSI-", "charge": -1, "diffusivity": _D_ANION, "concentration": 1400.0,
            "immobile_fraction": 0.3,
        },
    ]  # fmt: skip
    reservoir = {"Li+": 1000.0, "Mg2+": 200.0, "TFSI-": 980.0}
    result = _wall(
        ratio,
        {"potential": -2.0 * _VOLT},
        {
            "species": species,
            "boundary.top": {"potential": 0.0, "concentration": reservoir},
        },
    )
    strength = (1000.0 + 4 * 200.0 + 980.0) / 2
    shares = [c / strength for c in (1000.0, 200.0, 980.0)]
    field = double_layer.wall_field(-2.0, (1, 2, -1), shares, -420.0 / strength)
    # eps RT/F over the Debye length
    expected = -field * 2 * ratio * _LENGTH * FARADAY * strength
    charge = result.quantities["surface_charge.bottom"].value
    source = "first integral"
    yield compared("charge of a wall, three ions and a fixed one", charge, expected, 1e-5, source)


def towards_neutrality() -> Iterator[Row]:
    """Thinner and thinner layers: the bulk tends to the electroneutral one as lambda^2."""
    flux, ratios = 0.5, np.array([8e-3, 4e-3, 2e-3])
    errors = np.array([bulk_errors(ratio, flux) for ratio in ratios])
    for name, own in zip(("salt", "potential"), errors.T, strict=True):
        order = float(np.polyfit(np.log(ratios), np.log(own), 1)[0])
        what = f"order in lambda of the {name}, to electroneutral"
        yield Row(what, order, 1.9, max(0.0, 1.9 - order), 0.0, "theory: 2")


def bulk_errors(ratio: float, flux: float) -> tuple[float, float]:
    """Largest errors of c / c0 and F phi / RT more than 10 Debye lengths from both walls."""
    sides = {"boundary.top": {"flux": {"Li+": flux * _LIMIT}}, "boundary.bottom": _ELECTRODE}
    result = _cell(ratio, 50, sides)
    height, potential = _potential(result)
    c = result.fields["concentration [mol/m^3]"].x.array / _C0
    bulk = np.abs(height - 0.5) < 0.42
    salt = exact.profile(1 - height, flux)
    # the anions rest, and the cation's potential is zero at the bottom
    neutral = np.log(salt) - 2 * np.log(1 - flux)
    return (
        float(np.abs(c - salt)[bulk].max()),
        float(np.abs(potential - neutral)[bulk].max()),
    )


def thin_layers_in_time() -> Iterator[Row]:
    """A current of half the limit is switched on in a cell with very thin layers."""
    ratio = 3e-6
    result = _cell(
        ratio,
        20,
        {
            "nernst_planck.mode": "transient",
            "time": {"end": _LENGTH**2 / _D_CATION, "rtol": 1e-3},
            "boundary.top": {"flux": {"Li+": 0.5 * _LIMIT}},
            "boundary.bottom": _ELECTRODE,
        },
    )
    name, told = f"half the limiting flux at lambda / L = {ratio:.0e}", result.solution.solver
    steps, rejected = told["steps"], told["rejected"]
    yield Row(f"{name}: steps, at most 60", steps, 60.0, max(0.0, steps - 60.0), 0.0, "")
    yield Row(f"{name}: steps rejected", rejected, 0.0, rejected, 0.0, "")
    drop = result.quantities["concentration_drop"].value / _C0
    yield compared(f"{name}: drop of the salt at the end", drop, 1.0, 1e-3, "Newman 2004, ch. 11")
    lost = result.checks["ions_lost"].value
    yield Row(f"{name}: ions lost", lost, 0.0, lost, 1e-10, "")


_ELECTRODE = {"electrochemical_potential": 0.0}


def _grahame(ratio: float) -> float:
    """sqrt(8 eps R T c0), C/m^2, of the bulk with this Debye length: 4 lambda F c0."""
    return 4 * ratio * _LENGTH * FARADAY * _C0


def _wall(ratio: float, wall: dict[str, float], changes: dict[str, Any] | None = None) -> Result:
    reservoir = {"potential": 0.0, "concentration": _C0}
    sides = {"boundary.top": reservoir, "boundary.bottom": wall}
    return _cell(ratio, 10, {**sides, **(changes or {})})


def _cell(ratio: float, cells: int, changes: dict[str, Any]) -> Result:
    """A strip between two walls whose Debye length is `ratio` of its thickness."""
    from fem_spe.case import parse
    from fem_spe.job import run

    tree = {
        "study": "nernst_planck",
        "geometry": {"kind": "box", "size": [_LENGTH / 10, _LENGTH]},
        "mesh": {"size": _LENGTH / max(cells, 10)},
        "materials": {"matrix": {}},
        "nernst_planck": {"closure": "poisson", "debye_length": ratio * _LENGTH},
        "species": [
            {"name": "Li+", "charge": 1, "diffusivity": _D_CATION, "concentration": _C0},
            {"name": "TFSI-", "charge": -1, "diffusivity": _D_ANION, "concentration": _C0},
        ],
        "output": {"figures": False},
    }
    return run(parse(tree, changes))


def _potential(result: Result) -> tuple[np.ndarray, np.ndarray]:
    """Height over the thickness and potential over RT/F at each node."""
    psi = result.fields["potential [V]"]
    height = psi.function_space.tabulate_dof_coordinates()[:, 1] / _LENGTH
    return height, psi.x.array / _VOLT
