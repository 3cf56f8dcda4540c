"""Units at the edge: what is written is what is meant, and what is wrong says what would work."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fem_spe import units
from fem_spe.units import (
    ANGLE,
    AVOGADRO,
    CONCENTRATION,
    CONDUCTIVITY,
    DIFFUSIVITY,
    ELEMENTARY_CHARGE,
    ENERGY,
    FARADAY,
    GAS_CONSTANT,
    LENGTH,
    MOLAR_FLUX,
    TEMPERATURE,
    Unit,
)

ALL = [unit for unit in vars(units).values() if isinstance(unit, Unit)]
finite = st.floats(allow_nan=False, allow_infinity=False)


def refusal(unit: Unit, value: object) -> str:
    """The message that refuses `value`: one line, with an example that is accepted."""
    with pytest.raises(ValueError, match=r"\S") as caught:
        unit.parse(value)
    message = str(caught.value)
    assert "\n" not in message
    assert unit.example in message
    unit.parse(unit.example)
    return message


@pytest.mark.parametrize("unit", ALL, ids=lambda u: u.name)
@given(value=finite)
@example(value=5e-324)
@example(value=1.7976931348623157e308)
@example(value=-0.0)
def test_a_value_that_is_printed_is_read_back_to_the_last_bit(unit, value):
    assert unit.parse(unit.format(value)) == value


@given(digits=st.integers(1, 999_999), point=st.integers(-6, 6), name=st.sampled_from(["um", "nm"]))
def test_a_length_reads_as_the_decimal_number_that_was_typed(digits, point, name):
    shift = {"um": -6, "nm": -9}[name]
    assert LENGTH.parse(f"{digits}e{point} {name}") == float(f"{digits}e{point + shift}")


@pytest.mark.parametrize(
    ("unit", "text", "si"),
    [
        (LENGTH, "250 um", 250e-6),
        (LENGTH, "250um", 250e-6),
        (LENGTH, " 2.5e2 µm ", 250e-6),  # the micro sign
        (LENGTH, "250 μm", 250e-6),  # the Greek letter
        (LENGTH, ".25 mm", 250e-6),
        (LENGTH, "-1 nm", -1e-9),
        (ANGLE, "180 deg", math.pi),
        (DIFFUSIVITY, "2e-7 cm^2/s", 2e-11),
        (DIFFUSIVITY, "2e-7 cm**2/s", 2e-11),
        (CONDUCTIVITY, "1.46 mS/cm", 0.146),
        (CONCENTRATION, "1.6 mol/L", 1600.0),
        (CONCENTRATION, "1.6 M", 1600.0),
        (MOLAR_FLUX, "2.5e-4 mol/m^2/s", 2.5e-4),
        (TEMPERATURE, "25 degC", 298.15),
        (TEMPERATURE, "298.15 K", 298.15),
        (TEMPERATURE, "-40 degC", 233.15),
        (TEMPERATURE, "77 degF", 298.15),
        (ENERGY, "0.1 eV", 0.1 * ELEMENTARY_CHARGE),
    ],
)
def test_a_string_with_a_unit_becomes_si(unit, text, si):
    assert unit.parse(text) == pytest.approx(si, rel=1e-14)


@pytest.mark.parametrize("unit", ALL, ids=lambda u: u.name)
def test_a_bare_number_is_si(unit):
    assert unit.parse(3) == 3.0
    assert isinstance(unit.parse(3), float)


def test_an_energy_per_mole_stands_for_one_per_particle():
    assert ENERGY.parse("9.64853321233 kJ/mol") == pytest.approx(0.1 * ELEMENTARY_CHARGE, rel=1e-11)


def test_a_length_per_mole_is_no_length():
    assert "not a length" in refusal(LENGTH, "1 m/mol")


@pytest.mark.parametrize(
    ("unit", "value", "told"),
    [
        (LENGTH, "250 kg", ["'250 kg'", "mass", "not a length"]),
        (LENGTH, "5 cm2", ["cm2", "'cm^2'"]),
        (DIFFUSIVITY, "2e-11 m2/s", ["m2/s", "'m^2/s'"]),
        (DIFFUSIVITY, "2e-11 cm2s-1", ["cm2s-1"]),
        (CONCENTRATION, "1000 mol/m3", ["'mol/m^3'"]),
        (DIFFUSIVITY, "1.46 mS/cm", ["a conductivity", "not a diffusivity"]),
        (CONDUCTIVITY, "1.46 mS", ["not a conductivity"]),
        (TEMPERATURE, "0.1 eV", ["an energy", "not a temperature"]),
        (ENERGY, "25 degC", ["a temperature", "not an activation energy"]),
        (LENGTH, "250", ["no unit", "bare number in m"]),
        (LENGTH, "um", ["no number"]),
        (LENGTH, "", ["no number"]),
        (LENGTH, "five um", ["no number"]),
        (LENGTH, "5 um um", ["an area", "not a length"]),
        (LENGTH, "5 umm", ["'umm' is not a unit", "'um'"]),
        (LENGTH, "5 micron metres", ["an area"]),
        (LENGTH, "5,0 um", ["is not a unit"]),
        (LENGTH, "5 zork", ["'zork' is not a unit"]),
        (LENGTH, "5 um +", ["is not a unit"]),
        (LENGTH, "5 km^999999", ["not finite"]),
        (LENGTH, "nan um", ["not finite"]),
        (LENGTH, "-inf um", ["not finite"]),
        (LENGTH, "5e400 um", ["not finite"]),
        (LENGTH, float("nan"), ["not finite"]),
        (LENGTH, float("inf"), ["not finite"]),
        pytest.param(LENGTH, 10**400, ["not finite"], id="10**400"),
        (LENGTH, True, ["True", "not a length"]),
        (LENGTH, None, ["not a length"]),
        (LENGTH, [1.0], ["not a length"]),
    ],
)
def test_what_is_no_quantity_is_refused_with_what_would_work(unit, value, told):
    message = refusal(unit, value)
    assert [part for part in told if part not in message] == []


@given(
    text=st.text(
        st.sampled_from("0123456789.eE+- umkgcMSKVm^*/()[]{}%°,_;'\"\\=:<>\n\t"), max_size=12
    )
)
def test_no_text_raises_anything_but_a_refusal(text):
    with contextlib.suppress(ValueError):
        assert math.isfinite(LENGTH.parse(text))


def test_the_constants_are_those_of_codata_2018_and_agree_with_one_another():
    assert math.isclose(FARADAY, ELEMENTARY_CHARGE * AVOGADRO, rel_tol=1e-10)
    boltzmann = 1.380649e-23  # J/K, exact
    assert math.isclose(GAS_CONSTANT, boltzmann * AVOGADRO, rel_tol=1e-9)
    assert TEMPERATURE.parse("25 degC") == units.REFERENCE_TEMPERATURE
