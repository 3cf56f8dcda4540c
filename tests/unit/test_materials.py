"""The material table: each value with unit and source, and consistent with the others."""

from __future__ import annotations

import math
import tomllib

import numpy as np
import pytest

from fem_spe.case import parse, schema, to_toml
from fem_spe.errors import CaseError
from fem_spe.materials import (
    ConductivityByTemperature,
    DiffusivityByConcentration,
    DiffusivityByTemperature,
    DiffusivityPolynomial,
    Material,
    entries,
    lookup,
    lowest,
)
from fem_spe.materials.table import MARKS
from fem_spe.units import (
    CONDUCTIVITY,
    DIFFUSIVITY,
    ELEMENTARY_CHARGE,
    ENERGY,
    FARADAY,
    GAS_CONSTANT,
    PRESSURE,
    REFERENCE_TEMPERATURE,
)

PARSERS = {
    "diffusivity": DIFFUSIVITY.parse,
    "conductivity": CONDUCTIVITY.parse,
    "activation_energy": ENERGY.parse,
    "partition": float,
    "youngs_modulus": PRESSURE.parse,
    "poisson_ratio": float,
    "yield_stress": PRESSURE.parse,
    "permittivity": float,
}
SALT = 1600.0  # mol/m^3 in the gel: the concentration that the table's sources name


@pytest.mark.parametrize("entry", entries(), ids=lambda e: f"{e.material}.{e.name}")
def test_every_entry_has_a_value_with_unit_a_source_and_a_known_mark(entry):
    value = PARSERS[entry.name](entry.value)
    assert 0 < value < math.inf
    assert getattr(lookup(entry.material), entry.name) == value
    assert len(entry.source) > 10
    assert entry.mark in MARKS


def test_no_entry_is_marked_as_remembered_without_saying_so():
    assert "not verified" in MARKS["m"]


@pytest.mark.parametrize("name", ["pegda-sn-litfsi", "llzto"])
def test_diffusivity_times_partition_is_conductivity_by_nernst_einstein(name):
    material = lookup(name)
    ions = SALT * (material.partition or 1.0)
    conductivity = FARADAY**2 * material.diffusivity * ions / (GAS_CONSTANT * REFERENCE_TEMPERATURE)
    assert conductivity == pytest.approx(material.conductivity, rel=5e-4)  # digits in the table


def test_diffusion_and_conduction_see_the_same_contrast_of_llzto_and_gel():
    gel, llzto = lookup("pegda-sn-litfsi"), lookup("llzto")
    by_diffusion = llzto.diffusivity * llzto.partition / gel.diffusivity
    assert by_diffusion == pytest.approx(llzto.conductivity / gel.conductivity, rel=5e-4)


def test_the_measured_electrolytes_stand_as_the_paper_orders_them():
    measured = [lookup(f"gou-{name}") for name in ("rse", "ase", "lase")]
    ratios = [m.conductivity / measured[0].conductivity for m in measured]
    assert ratios == pytest.approx([1.0, 1.255, 1.377], abs=1e-3)
    barriers = [m.activation_energy for m in measured]
    assert barriers == sorted(barriers, reverse=True)


def test_an_unknown_material_is_answered_by_the_nearest_and_all():
    with pytest.raises(CaseError) as caught:
        lookup("pegda-litfsi")
    message = str(caught.value)
    assert "did you mean 'pegda-sn-litfsi'?" in message
    assert all(name in message for name in ("llzto", "gou-ase", "impermeable"))


def test_a_value_with_an_activation_energy_holds_at_25_degrees():
    material = Material(conductivity=0.1, activation_energy=0.1 * ELEMENTARY_CHARGE)
    assert material.at("conductivity", REFERENCE_TEMPERATURE) == 0.1


def test_temperature_scales_by_arrhenius():
    material = Material(conductivity=0.1, activation_energy=0.1 * ELEMENTARY_CHARGE)
    boltzmann = 8.617333262e-5  # eV/K
    expected = 0.1 * math.exp(-0.1 / boltzmann * (1 / 333.15 - 1 / 298.15))
    assert material.at("conductivity", 333.15) == pytest.approx(expected, rel=1e-8)


def test_each_axis_scales_alike():
    material = Material(diffusivity=(1e-11, 3e-11), activation_energy=0.1 * ELEMENTARY_CHARGE)
    x, y = material.at("diffusivity", 350.0)
    assert y == pytest.approx(3 * x)
    assert x > 1e-11


def test_without_an_activation_energy_temperature_changes_nothing():
    assert Material(diffusivity=2e-11).at("diffusivity", 400.0) == 2e-11


def test_a_property_that_is_not_there_is_asked_for_by_name():
    with pytest.raises(CaseError, match="no conductivity"):
        Material(diffusivity=2e-11).at("conductivity", 300.0)


@pytest.mark.parametrize("temperature", [25.0, 1.0])
def test_degrees_that_were_written_without_their_unit_are_refused(temperature):
    """25 is 25 K: what remains of the conductivity there is next to nothing."""
    with pytest.raises(CaseError, match=r'conductivity .* temperature .* "25 degC"'):
        lookup("gou-lase").at("conductivity", temperature)


def test_a_value_that_overflows_is_refused():
    material = Material(diffusivity=2e-11, activation_energy=1000 * ELEMENTARY_CHARGE)
    with pytest.raises(CaseError, match="kJ/mol"):  # what such an energy was meant to be
        material.at("diffusivity", 3000.0)


# --- values that change with temperature or concentration -----------------------------------

BY_TEMPERATURE = {"temperature": ["25 degC", "60 degC"], "values": ["1e-11 m^2/s", "5e-11 m^2/s"]}
BY_CONCENTRATION = {
    "concentration": ["0 mol/m^3", "1 mol/L"],
    "values": ["1e-11 m^2/s", "3e-11 m^2/s"],
}
POLYNOMIAL = {"value": "2e-11 m^2/s", "polynomial": [1.0, -0.3, 0.02], "reference": "1 mol/L"}
CONDUCTIVITY_TABLE = {"temperature": ["25 degC", "60 degC"], "values": ["1 mS/cm", "3 mS/cm"]}


def box(**material: object) -> dict:
    geometry = {"kind": "box", "size": ["10 um", "20 um"]}
    return {"study": "diffusion", "geometry": geometry, "materials": {"matrix": material}}


def test_between_temperatures_the_logarithm_is_linear_in_the_inverse_temperature():
    energy = 0.2 * ELEMENTARY_CHARGE
    arrhenius = Material(diffusivity=2e-11, activation_energy=energy)
    ends = (298.15, 350.0)
    values = tuple(arrhenius.at("diffusivity", t) for t in ends)
    table = Material(diffusivity=DiffusivityByTemperature(temperature=ends, values=values))
    for t in (298.15, 310.0, 333.15, 350.0):
        assert table.at("diffusivity", t) == pytest.approx(arrhenius.at("diffusivity", t), rel=1e-9)


@pytest.mark.parametrize("temperature", [298.0, 361.0])
def test_a_temperature_outside_the_table_is_refused_with_its_range(temperature):
    table = ConductivityByTemperature(temperature=(298.15, 360.0), values=(0.1, 0.3))
    with pytest.raises(CaseError, match=rf"{temperature:g} K .* 298.15 K .* 360 K"):
        Material(conductivity=table).at("conductivity", temperature)


def test_a_table_over_concentration_is_linear_between_and_constant_beyond():
    law = DiffusivityByConcentration(concentration=(0.0, 800.0, 2000.0), values=(1.0, 3.0, 2.0))
    c = np.array([-50.0, 0.0, 200.0, 800.0, 1400.0, 2000.0, 9000.0])
    assert law.at(c) == pytest.approx([1.0, 1.0, 1.5, 3.0, 2.5, 2.0, 2.0], rel=1e-13)
    assert lowest(law, 100.0, 1900.0) == (100.0, pytest.approx(1.25))


@pytest.mark.parametrize(
    ("coefficients", "place"),
    [((1.0, -2.0, 1.5), 2 / 3), ((1.0, 2.0), 0.0), ((1.0, -1.0, 0.0), 1.0), ((3.0,), 0.0)],
)
def test_the_lowest_value_of_a_polynomial_is_found_inside_or_at_the_ends(coefficients, place):
    law = DiffusivityPolynomial(value=2.0, polynomial=coefficients, reference=1000.0)
    c, value = lowest(law, 0.0, 1000.0)
    assert c == pytest.approx(1000 * place)
    assert value == pytest.approx(2.0 * np.polynomial.Polynomial(coefficients)(place))


@pytest.mark.parametrize("law", [BY_CONCENTRATION, POLYNOMIAL], ids=["table", "polynomial"])
def test_an_activation_energy_scales_a_law(law):
    material = parse(box(diffusivity=law, activation_energy="0.1 eV")).materials["matrix"]
    plain = Material(diffusivity=1.0, activation_energy=material.activation_energy)
    factor = plain.at("diffusivity", 333.15)
    expected = factor * material.diffusivity.at(700.0)
    assert material.law(333.15).at(700.0) == pytest.approx(expected, rel=1e-13)
    assert material.law(REFERENCE_TEMPERATURE) == material.diffusivity


@pytest.mark.parametrize(
    "material",
    [
        {"diffusivity": BY_TEMPERATURE, "conductivity": CONDUCTIVITY_TABLE},
        {"diffusivity": BY_CONCENTRATION, "partition": 2.0},
        {"diffusivity": POLYNOMIAL, "activation_energy": "0.1 eV"},
    ],
    ids=["temperature", "concentration", "polynomial"],
)
def test_a_law_survives_being_written_and_read_and_the_schema_has_it(material):
    case = parse(box(**material))
    assert parse(tomllib.loads(to_toml(case))) == case
    text = str(schema()["$defs"]["Material"])
    assert all(name in text for name in ("ByTemperature", "ByConcentration", "Polynomial"))


@pytest.mark.parametrize(
    ("material", "told"),
    [
        ({"diffusivity": {**BY_TEMPERATURE, "x": 1}}, ["'x'", "known are temperature, values"]),
        (
            {"diffusivity": {"temprature": [300, 330], "values": [1, 2]}},
            ["'temprature'", "[materials.matrix.diffusivity]", "did you mean 'temperature'"],
        ),
        (
            {"diffusivity": {"concentrtion": [0, 1], "values": [1, 2]}},
            ["did you mean 'concentration'", "known are concentration, values"],
        ),
        (
            {"diffusivity": {"value": 1, "polynomal": [1], "reference": 1}},
            ["did you mean 'polynomial'"],
        ),
        ({"conductivity": BY_CONCENTRATION}, ["'concentration'", "known are temperature, values"]),
        ({"diffusivity": {"values": [1, 2]}}, ["{ temperature, values }", "{ concentration"]),
        ({"diffusivity": {**POLYNOMIAL, "polynomial": []}}, ["polynomial = []", "few"]),
        ({"diffusivity": {**POLYNOMIAL, "polynomial": 1}}, ["polynomial = 1", "list"]),
        ({"diffusivity": {**POLYNOMIAL, "polynomial": [math.nan]}}, ["polynomial[0]", "finite"]),
        ({"diffusivity": {**POLYNOMIAL, "value": "1 S/m"}}, ["value", "conductivity"]),
        ({"diffusivity": {**BY_CONCENTRATION, "values": [1, 0]}}, ["values[1]", "than 0"]),
        ({"diffusivity": {**BY_CONCENTRATION, "values": [1]}}, ["2 entries", "has 1"]),
        ({"diffusivity": {"temperature": [300], "values": [1]}}, ["two or more"]),
        ({"diffusivity": {**BY_TEMPERATURE, "temperature": [330, 300]}}, ["temperature must rise"]),
        (
            {"diffusivity": BY_TEMPERATURE, "activation_energy": "0.1 eV"},
            ["[materials.matrix", "activation_energy", "one of the two"],
        ),
    ],
    ids=lambda v: v[0] if isinstance(v, list) else None,
)  # fmt: skip
def test_a_wrong_law_is_answered_with_the_key_and_what_would_work(material, told):
    with pytest.raises(CaseError) as caught:
        parse(box(**material))
    message = str(caught.value)
    assert "\n" not in message
    assert [part for part in told if part not in message] == []
