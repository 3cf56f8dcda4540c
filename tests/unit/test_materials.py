"""The material table: each value with unit and source, and consistent with the others."""

from __future__ import annotations

import math

import pytest

from fem_spe.errors import CaseError
from fem_spe.materials import Material, entries, lookup
from fem_spe.materials.table import MARKS
from fem_spe.units import (
    CONDUCTIVITY,
    DIFFUSIVITY,
    ELEMENTARY_CHARGE,
    ENERGY,
    FARADAY,
    GAS_CONSTANT,
    REFERENCE_TEMPERATURE,
)

PARSERS = {
    "diffusivity": DIFFUSIVITY.parse,
    "conductivity": CONDUCTIVITY.parse,
    "activation_energy": ENERGY.parse,
    "partition": float,
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
