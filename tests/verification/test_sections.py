"""Bounds and reciprocity that hold for every section, by runs on small meshes."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import fem_spe
from fem_spe.errors import GeometryError
from fem_spe.exact.conduction import hashin_shtrikman_bounds, wiener_bounds

ROUNDING = 1e-9
MATRIX = {"diffusivity": 2e-11}


def relative(
    geometry: dict[str, object], contrast: float, direction: str = "y", size: float = 0.1
) -> tuple[float, float]:
    """D_eff / D_matrix and the measured fraction; contrast 0 makes holes of the fibres."""
    fiber = {"diffusivity": 2e-11 * contrast} if contrast else "impermeable"
    diameter = float(geometry.get("fiber_diameter", 4e-6))  # type: ignore[arg-type]
    case = {
        "study": "diffusion",
        "geometry": {"kind": "fiber_section", **geometry},
        "mesh": {"size": 4 * size * diameter, "interface_size": size * diameter},
        "materials": {"matrix": MATRIX, "fiber": fiber},
        "diffusion": {"direction": direction},
        "output": {"figures": False},
    }
    found = fem_spe.run(fem_spe.parse(case))
    assert all(check.passed for check in found.checks.values())
    values = found.quantities
    return float(values["relative_diffusivity"].value), float(values["fiber_fraction"].value)


def square(fraction: float) -> dict[str, object]:
    return {
        "arrangement": "aligned", "size": [8e-6, 8e-6], "count": [1, 1], "fiber_fraction": fraction
    }  # fmt: skip


@st.composite
def random_sections(draw: st.DrawFn) -> dict[str, object]:
    """Small random sections of all kinds."""
    boundary = draw(st.sampled_from(["cut", "periodic", "inside"]))
    fused = draw(st.booleans())
    most = 0.3 if boundary == "inside" or fused else 0.5
    return {
        "arrangement": "random",
        "size": [30e-6, 24e-6],
        "fiber_diameter": 4e-6,
        "fiber_fraction": draw(st.floats(0.05, most)),
        "shape": draw(st.sampled_from(["ellipse", "rod"])),
        "aspect": draw(st.floats(1.0, 3.0)),
        "orientation": {"kappa": draw(st.sampled_from([0.0, 4.0]))},
        "boundary": boundary,
        "fused": fused,
        "seed": draw(st.integers(0, 1000)),
    }


@pytest.mark.slow
@settings(max_examples=25)
@given(
    section=random_sections(),
    contrast=st.sampled_from([0.0, 0.01, 0.2, 1.0, 5.0, 50.0]),
    direction=st.sampled_from(["x", "y"]),
)
def test_every_random_section_keeps_to_wieners_bounds(
    section: dict[str, object], contrast: float, direction: str
) -> None:
    try:
        value, fraction = relative(section, contrast, direction)
    except GeometryError as error:  # fused fibres may close every path, or miss the fraction
        assume("no path" not in str(error) and "fused" not in str(error))
        raise
    low, high = wiener_bounds(fraction, contrast)
    assert low * (1 - ROUNDING) <= value <= high * (1 + ROUNDING)
    if contrast == 1.0:
        assert value == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("contrast", [0.0, 0.01, 0.5, 2.0, 50.0])
@pytest.mark.parametrize("fraction", [0.1, 0.4, 0.7])
def test_square_arrays_keep_to_the_bounds_of_hashin_and_shtrikman(
    fraction: float, contrast: float
) -> None:
    value, measured = relative(square(fraction), contrast, size=0.04)
    low, high = hashin_shtrikman_bounds(fraction, contrast)
    assert measured == pytest.approx(fraction, rel=1e-4)
    # at low fractions the array lies on a bound up to higher powers of the fraction
    assert low * (1 - 1e-5) <= value <= high * (1 + 1e-5)


@pytest.mark.parametrize("contrast", [2.0, 50.0])
@pytest.mark.parametrize("fraction", [0.2, 0.4, 0.6])
def test_exchanging_conductor_and_resistor_inverts_the_effective_value(
    fraction: float, contrast: float
) -> None:
    """Keller's reciprocity (J. Math. Phys. 5 (1964) 548) for arrays with two mirror lines."""
    values = [relative(square(fraction), s, size=0.05)[0] for s in (contrast, 1 / contrast)]
    product = values[0] * values[1]
    assert product == pytest.approx(1.0, abs=1e-4)


def test_a_square_array_conducts_alike_along_both_axes() -> None:
    along = [relative(square(0.4), 0.0, direction)[0] for direction in "xy"]
    assert along[0] == pytest.approx(along[1], rel=1e-5)
