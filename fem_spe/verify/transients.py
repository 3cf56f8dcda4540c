"""Diffusion in time, against series; orders and numbers of steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fem_spe.exact import transient as exact
from fem_spe.results import Result
from fem_spe.verify.row import Row

_LENGTH = 100e-6  # m, thickness of the slabs
_D = 2e-11  # m^2/s; any value gives the same relative results
_UNIT = _LENGTH**2 / _D  # s, a Fourier number of 1
_CELLS = 60  # across the thickness; the slabs are one cell wide
_TIGHT = 1e-7  # step tolerance that leaves less than the limits
_WITHIN, _BALANCE = 1e-5, 1e-12

CHARGING = (0.01, 0.03, 0.1, 0.3, 1.0)  # Fourier numbers where a charging curve is asked for


def step_at_a_face() -> Iterator[Row]:
    """A deep slab after a step at its face, before the other face feels it."""
    fourier = 0.015
    result = _charge([exact.Layer(_LENGTH, _D)], [fourier], _TIGHT)
    table = result.solution.tables["charging"]
    depth, value = _nodes(result, 0)
    depth = _LENGTH - depth
    source = "erfc, Carslaw & Jaeger 1959, 2.4"
    middle = int(np.argmin(np.abs(depth - np.sqrt(_D * fourier * _UNIT))))
    expected = exact.half_space(depth, fourier * _UNIT, _D)
    name = f"step at a face, D t / L^2 = {fourier}"
    yield _profile(name, value, expected, middle, source)
    amount = 2 * np.sqrt(fourier / np.pi)
    yield _relative(f"{name}: mean", table["mean"][-1], amount, amount, source)
    inflow = table["flux in [mol/m/s]"][-1] / (_D * _LENGTH / _CELLS / _LENGTH)
    expected_inflow = 1 / np.sqrt(np.pi * fourier)
    yield _relative(f"{name}: inflow", inflow, expected_inflow, expected_inflow, source)


def step_within() -> Iterator[Row]:
    """Two regions of different diffusivity, partition and initial value, long before the faces."""
    fourier = 0.005
    layers = [exact.Layer(0.5 * _LENGTH, 0.4 * _D, 3.0), exact.Layer(0.5 * _LENGTH, _D)]
    result = _charge(layers, [fourier], _TIGHT, {
        "diffusion.initial": {"matrix": 0.0, "coating": 1.0}, "boundary.top.flux": 0.0,
    })  # fmt: skip
    position, value = _nodes(result, 0)
    expected = exact.contact(position - 0.5 * _LENGTH, fourier * _UNIT, *layers)
    middle = int(np.argmin(np.abs(position - 0.5 * _LENGTH)))
    source = "erfc, Carslaw & Jaeger 1959, 2.15"
    name = f"step within, D t / L^2 = {fourier}"
    yield _profile(name, value, expected, middle, source)
    amount = 0.5 * _LENGTH * _LENGTH / _CELLS
    stored = result.quantities["stored_amount"].value
    yield _relative(f"{name}: stored", stored, amount, amount, source)


def slab_in_time() -> Iterator[Row]:
    """Charging of a slab: profile, mean, outflow, balance."""
    layers = [exact.Layer(_LENGTH, _D)]
    yield from _series("slab in time", layers, (0.05, 0.2), "Carslaw & Jaeger 1959, 3.4")


def layers_in_time() -> Iterator[Row]:
    """The same of two layers of different diffusivity and partition."""
    layers = [exact.Layer(0.6 * _LENGTH, _D), exact.Layer(0.4 * _LENGTH, 0.3 * _D, 4.0)]
    source = "Mikhailov & Ozisik 1984, ch. 9"
    yield from _series("layers in time", layers, (0.2, 1.0), source)


def time_order() -> Iterator[Row]:
    """Fixed steps of second order on u' = -u + cos t: order of the error at the end."""
    from fem_spe.solve.bdf import Array, Rate, integrate

    end, errors = 2.0, []
    sizes = [0.02, 0.01, 0.005, 0.0025]
    expected = (np.cos(end) + np.sin(end) - np.exp(-end)) / 2

    def advance(time: float, rate: Rate, guess: Array) -> Array:
        return np.asarray((np.cos(time) - rate.rest) / (rate.weight + 1.0))

    for size in sizes:
        steps = integrate(
            advance, np.zeros(1), end=end, rtol=1.0, norm=np.max, first=size, fixed=True, highest=2
        )
        errors.append(abs(list(steps)[-1].values[0] - expected))
    order = float(np.polyfit(np.log(sizes), np.log(errors), 1)[0])
    yield Row("order of fixed time steps", order, 1.9, max(0.0, 1.9 - order), 0.0, "theory: 2")


def time_steps() -> Iterator[Row]:
    """A charging curve within 1e-4 of the steady values, from D t / L^2 = 0.01 to 1."""
    asked, allowed, fixed = 1e-4, 60, 300
    result = _charge([exact.Layer(_LENGTH, _D)], CHARGING, 1.7e-4)
    steps, error = len(result.solution.tables["charging"]["t [s]"]), 0.0
    for k, fourier in enumerate(CHARGING):
        mean, outflow = _curve(result, fourier)
        position, value = _nodes(result, k)
        error = max(
            error,
            float(np.abs(value - exact.slab(position / _LENGTH, fourier)).max()),
            abs(mean / 0.5 - exact.slab_mean(fourier) / 0.5),
            abs(outflow - exact.slab_outflow(fourier)),
        )
    source = "series"
    yield Row("charging curve: adaptive steps", steps, allowed, max(0, steps - allowed), 0, source)
    yield Row("charging curve: their largest error", error, 0.0, error, asked, source)
    _, other = modal_charging(rtol=1.0, fixed=fixed)
    short = max(0.0, asked - other)
    yield Row(f"charging curve: error of {fixed} fixed steps", other, asked, short, 0.0, source)


def modal_charging(*, rtol: float, fixed: int = 0, highest: int = 4) -> tuple[int, float]:
    """Steps of a charging curve and its largest error at `CHARGING`, from time alone.

    The slab is exact in space: 400 sine modes about the steady state. Errors of profile,
    mean and outflow are relative to their steady values.

    Args:
        rtol: Of the steps.
        fixed: Number of even steps in place of adaptive ones.
        highest: Order up to which the formulas go.
    """
    from fem_spe.solve.bdf import Array, Rate, integrate

    wave = np.pi * np.arange(1, 401)
    start = 2 * np.cos(wave) / wave  # of u - x, which is -x at first
    shapes = np.sin(np.multiply.outer(np.linspace(0.0, 1.0, 201), wave))
    mean = 2 * (1 - np.cos(wave)) / wave  # over the steady mean of 1/2

    def advance(time: float, rate: Rate, guess: Array) -> Array:
        return np.asarray(-rate.rest / (rate.weight + wave**2))

    def norm(difference: Array) -> float:
        return float(np.abs(shapes @ difference).mean())

    steps = integrate(
        advance,
        start,
        end=CHARGING[-1],
        outputs=CHARGING[:-1],
        rtol=rtol,
        norm=norm,
        first=1.0 / fixed if fixed else CHARGING[0] * np.sqrt(rtol),
        fixed=bool(fixed),
        highest=highest,
    )
    count, error = 0, 0.0
    for step in steps:
        count = step.index
        if step.is_output:
            off = step.values - start * np.exp(-(wave**2) * step.time)
            error = max(error, np.abs(shapes @ off).max(), abs(mean @ off), abs(wave @ off))
    return count, float(error)


def _charge(
    layers: Sequence[exact.Layer],
    fouriers: Sequence[float],
    rtol: float,
    changes: dict[str, Any] | None = None,
) -> Result:
    """The slab charged by the program, with output at the Fourier numbers."""
    from fem_spe.case import parse
    from fem_spe.job import run

    names = ("matrix", "coating")[: len(layers)]
    thickness = {n: layer.thickness for n, layer in zip(names, layers, strict=True)}
    materials = {
        n: {"diffusivity": layer.diffusivity, "partition": layer.partition}
        for n, layer in zip(names, layers, strict=True)
    }
    times = [fourier * _UNIT for fourier in fouriers]
    size = _LENGTH / _CELLS
    tree = {
        "study": "diffusion",
        "geometry": {"kind": "box", "size": [size, _LENGTH], "layers": thickness},
        "mesh": {"size": size},
        "materials": materials,
        "diffusion": {"mode": "transient"},
        "time": {"end": times[-1], "output": times[:-1], "rtol": rtol},
        "output": {"figures": False},
    }
    return run(parse(tree, changes))


def _curve(result: Result, fourier: float) -> tuple[float, float]:
    """Mean, and outflow over D / L, at an output."""
    table = result.solution.tables["charging"]
    k = int(np.argmin(np.abs(table["t [s]"] - fourier * _UNIT)))
    width = _LENGTH / _CELLS
    return float(table["mean"][k]), float(table["flux out [mol/m/s]"][k] * _LENGTH / _D / width)


def _nodes(result: Result, frame: int) -> tuple[np.ndarray, np.ndarray]:
    """Height and value of each node at an output."""
    space = result.fields["concentration"].function_space
    values = result.solution.frames[frame].values["concentration"]
    return space.tabulate_dof_coordinates()[:, 1], values


def _series(
    name: str, layers: Sequence[exact.Layer], fouriers: Sequence[float], source: str
) -> Iterator[Row]:
    result = _charge(layers, fouriers, _TIGHT)
    steady_mean = exact.layered_mean(layers, np.inf)
    steady_outflow = exact.layered_outflow(layers, np.inf) * _LENGTH / _D
    for k, fourier in enumerate(fouriers):
        time, what = fourier * _UNIT, f"{name}, D t / L^2 = {fourier}"
        position, value = _nodes(result, k)
        middle = int(np.argmin(np.abs(position - 0.5 * _LENGTH)))
        yield _profile(what, value, exact.layered(layers, position, time), middle, source)
        mean, outflow = _curve(result, fourier)
        expected = exact.layered_mean(layers, time)
        yield _relative(f"{what}: mean", mean, expected, steady_mean, source)
        expected = exact.layered_outflow(layers, time) * _LENGTH / _D
        yield _relative(f"{what}: outflow", outflow, expected, steady_outflow, source)
    imbalance = result.checks["mass_imbalance"].value
    yield Row(f"{name}: mass balance of each step", imbalance, 0.0, imbalance, _BALANCE, "")


def _profile(name: str, value: np.ndarray, expected: np.ndarray, shown: int, source: str) -> Row:
    """The largest error at a node over the step of 1; the row shows one node."""
    error = float(np.abs(value - expected).max())
    return Row(f"{name}: profile", value[shown], expected[shown], error, _WITHIN, source)


def _relative(name: str, value: float, expected: float, size: float, source: str) -> Row:
    """The error over the size that the value tends to."""
    return Row(name, float(value), float(expected), abs(value - expected) / size, _WITHIN, source)
