"""The campaign over pillars, cells over temperature, the edge of an array, wrong input."""

from __future__ import annotations

import math
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fem_spe as package
from fem_spe.errors import GeometryError
from fem_spe.geometry import Printed
from fem_spe.verify import printed_cell

WORKFLOWS = Path(__file__).parents[2] / "workflows" / "mu2024"
OWN = {"base": 75e-6, "width": 100e-6, "height": 150e-6, "gap": 200e-6}


@pytest.fixture(scope="module")
def script() -> Iterator[Callable[[str], Any]]:
    """A module of the workflows by name."""
    sys.path.insert(0, str(WORKFLOWS))
    yield import_module
    sys.path.remove(str(WORKFLOWS))


def test_the_volumes_and_areas_of_pillars_are_those_of_the_geometry(script: Any) -> None:
    campaign = script("which_pillar_campaign")
    for pillar in (campaign.Pillar(150, 100, 200), campaign.Pillar(50, 300, 50, 2)):
        tree = tomllib.loads(f"geometry = {pillar.geometry()}")["geometry"]
        part: Any = package.parse(
            {"study": "diffusion", "geometry": tree, "materials": {"electrolyte": "llzto"}}
        ).geometry
        flat = part.footprint * part.base
        printed = (part.volumes["electrolyte"] - flat) / part.footprint
        assert 1e6 * printed == pytest.approx(pillar.volume, rel=1e-9)
        assert part.interface_area_ratio == pytest.approx(pillar.area, rel=1e-9)


def test_the_surrogates_minimum_keeps_to_the_volume(script: Any) -> None:
    campaign = script("which_pillar_campaign")
    corners = np.log([[50.0, 100.0, 50.0], [200.0, 300.0, 300.0]])
    # more volume is better: the least is on the constraint, wherever the height is largest
    found, value = campaign._minimum(lambda x: -float(x[0]), corners, 16.0, 1)
    assert found.height == pytest.approx(200.0)
    assert found.volume <= 16.0 * (1 + 1e-3)
    assert value == pytest.approx(-math.log(200.0))
    # a minimum inside is found where it is
    middle = np.log([100.0, 150.0, 200.0])
    found, _ = campaign._minimum(lambda x: float(np.sum((x - middle) ** 2)), corners, 100.0, 1)
    assert found.lengths == pytest.approx((100.0, 150.0, 200.0), rel=1e-2)


def test_neighbours_take_up_the_volume_within_the_map(script: Any) -> None:
    campaign = script("which_pillar_campaign")
    corners = np.log([[50.0, 100.0, 50.0], [200.0, 300.0, 300.0]])
    middle = campaign.Pillar(60.0, 120.0, 110.0)
    near = campaign._neighbours(middle, middle.volume, 0.1, corners)
    assert near[0] == middle
    assert len(near) == 9
    for pillar in near:
        assert pillar.volume == pytest.approx(middle.volume, rel=5e-3)
        assert 50.0 <= pillar.gap <= 300.0


def test_a_small_campaign_finds_the_better_pillar_and_resumes(
    script: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    campaign = script("which_pillar_campaign")
    sizes = {"mesh.size": "40 um", "mesh.interface_size": "25 um"}
    dense, sparse = campaign.Pillar(50, 100, 50), campaign.Pillar(50, 100, 200)
    found = campaign.solved(tmp_path / "map", [dense, sparse], sizes)
    flat = campaign.film()
    assert found[dense]["overpotential"] < found[sparse]["overpotential"] < flat
    # no more than its area would give the interface that it enlarges, were that used evenly
    thermal = campaign.THERMAL
    even = 2 * thermal * (math.asinh(10 / 3.63) - math.asinh(10 / 3.63 / dense.area))
    assert flat - found[dense]["overpotential"] < even
    assert "in " in capsys.readouterr().out
    again = campaign.solved(tmp_path / "map", [dense, sparse], sizes)
    assert again == found
    assert capsys.readouterr().out.count("kept") == 4
    # the salt that pillars hold helps where they are plated on, and costs where they dissolve
    assert found[sparse]["overpotential"] < found[sparse]["mean"] < found[sparse]["turned"]


def test_conductivities_over_temperature_are_the_papers(script: Any) -> None:
    warm = script("temperature")
    assert pytest.approx(0.349, abs=5e-4) == warm.IMPLIED
    assert warm.COLD * warm.rise(warm.IMPLIED, warm.END) == pytest.approx(0.105)
    for energy, expected in ((warm.IMPLIED, 0.105), (0.25, 0.0315 * 2.3673)):
        changes = warm.warmed("flat", energy, warm.END, warm.WARMED)
        case = package.load(WORKFLOWS / "fig6b_flat.toml", changes)
        carried = sum(ion.diffusivity * ion.concentration for ion in case.species)
        sigma = 96485.33212**2 * carried / (8.314462618 * case.temperature)
        assert sigma == pytest.approx(expected, rel=5e-3)  # the case has 3.3e-12
    assert changes["boundary.top.kinetics.exchange_current"] == "4.29673 A/m^2"


def test_the_edge_of_an_array_is_bare_film() -> None:
    part = Printed(pattern="pillar", cell="array", count=(1, 2), margin=100e-6, **OWN)
    assert part.size == pytest.approx((500e-6, 800e-6, 225e-6))
    assert part.volumes["electrolyte"] == pytest.approx(0.4e-6 * 75e-6 + 2 * 1e-8 * 150e-6)
    with pytest.raises(GeometryError, match="bare film around an array"):
        Printed(pattern="pillar", margin=100e-6, **OWN)
    # the bare film adds what a flat one passes: between its overpotential and the array's
    geometry = {**printed_cell.PILLAR, "cell": "array", "count": 1}
    found = [
        printed_cell.run(geometry | {"margin": margin}, 30e-6).quantities
        for margin in (0.0, 100e-6)
    ]
    inner, edged = (q["overpotential"].value for q in found)
    assert inner < edged < 0.2182
    ratio = found[1]["interface_area_ratio"].value
    assert ratio == pytest.approx(1 + 4 * 100 * 150 / 500**2, rel=1e-6)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("geometry.width=400 um", "geometry.pitch=300 um"),
            "width = 400 um is not below pitch = 300 um",
        ),
        (("boundary.bottom.current_density=-4 mA/cm^2",), "1.35 of the limiting flux"),
    ],
)
def test_wrong_input_ends_in_one_line_with_its_numbers(
    fem_spe: Callable[..., Any], tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    name = "fig6b_pillar" if len(words) > 1 else "fig6b_flat"
    text = (WORKFLOWS / f"{name}.toml").read_text(encoding="utf-8")
    (tmp_path / "case.toml").write_text(text.replace('gap = "200 um"\n', ""), "utf-8")
    given = [word for value in words for word in ("--set", value)]
    done = fem_spe("run", "case.toml", "-o", "result", *given, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert "\n" not in done.stderr.strip()
