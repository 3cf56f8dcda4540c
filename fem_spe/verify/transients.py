"""Diffusion in time, against series and orders."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fem_spe.verify.row import Row, compared

_CELL = 10e-6  # m, side of the unit cells
_D = 2e-11  # m^2/s; any value gives the same relative results


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
            yield compared(
                f"slab in time, D t / L^2 = {fourier}: {name}", value, exact, 1e-3, source
            )
    check = result.checks["mass_imbalance"]
    yield Row("slab in time: mass balance of each step", check.value, 0.0, check.value, 1e-10, "")


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
