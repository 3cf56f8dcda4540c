"""Pictures of mechanical results: stress on the deformed body, balls, force curves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_hex
from PIL import Image

import fem_spe
from fem_spe.errors import CaseError
from fem_spe.figures import deformed, draw
from fem_spe.render import draw_deformed, draw_stressed_solids, stressed
from fem_spe.render.mechanical import magnification, stressed_solid
from fem_spe.render.scale import fitting
from fem_spe.render.style import BALL, WINDOW

SECTION = {
    "geometry": {
        "kind": "fiber_section", "arrangement": "parallel", "size": ["24 um", "12 um"],
        "fiber_diameter": "1 um", "fiber_fraction": 0.2, "cover": "0.8 um",
    },
    "mesh": {"size": "2 um", "interface_size": "0.7 um"},
    "materials": {"matrix": "pegda-sn-litfsi", "fiber": "pan"},
}  # fmt: skip
PRESSED = SECTION | {
    "title": "Two balls", "study": "indentation",
    "balls": {"radius": "3 um", "positions": [["6 um", "15 um"], ["18 um", "15.5 um"]]},
    "indentation": {"displacement": "1 um", "steps": 2, "contact_size": "0.4 um"},
}  # fmt: skip
PULLED = SECTION | {
    "study": "elasticity",
    "boundary": {
        "left": {"clamped": True},
        "right": {"displacement": ["0.01 um", "free"]},
    },
}
SOLID = {
    "study": "elasticity", "geometry": {"kind": "box", "size": ["4 um"] * 3},
    "mesh": {"size": "2 um"}, "materials": {"matrix": "pegda-sn-litfsi"},
    "boundary": {"bottom": {"clamped": True}, "top": {"displacement": [0.0, 0.0, "-0.4 um"]}},
}  # fmt: skip
PRESSED_SOLID = {
    "study": "indentation",
    "geometry": {
        "kind": "fiber_network", "size": ["8 um", "8 um", "5.5 um"], "fiber_diameter": "2 um",
        "fiber_count": 2, "seed": 1,
    },
    "mesh": {"size": "1.8 um", "interface_size": "0.9 um"},
    "materials": {"matrix": "pegda-sn-litfsi", "fiber": "pan"},
    "balls": {"radius": "3 um"}, "solver": {"degree": 1},
    "indentation": {"displacement": "1 um", "contact_size": "0.9 um"},
}  # fmt: skip


def result(case: dict, folder: Path) -> Path:
    fem_spe.run(fem_spe.parse(case, {"output.figures": False}), output=folder)
    return folder


@pytest.fixture(scope="module")
def pressed(tmp_path_factory) -> Path:
    return result(PRESSED, tmp_path_factory.mktemp("pressed") / "r")


@pytest.fixture(scope="module")
def pulled(tmp_path_factory) -> Path:
    return result(PULLED, tmp_path_factory.mktemp("pulled") / "r")


def pixels(file: Path) -> np.ndarray:
    """Shape (height, width, 3)."""
    with Image.open(file) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def share(picture: np.ndarray, color: str) -> float:
    """Of the pixels that have a colour, given as #rrggbb."""
    wanted = [int(color[k : k + 2], 16) for k in (1, 3, 5)]
    return float((np.abs(picture - wanted).max(axis=2) <= 3).mean())


def colorful(picture: np.ndarray) -> float:
    """Share of the pixels that are not grey."""
    return float((np.ptp(picture, axis=2) > 40).mean())


def test_indentation_is_drawn_with_stress_balls_mesh_and_force(pressed):
    """The picture shows colours, the balls in their grey and the window; the curve its points."""
    drawn = {file.name: pixels(file) for file in draw(pressed)}
    assert set(drawn) == {"von_mises.png", "mesh.png", "force.png"}
    stress = drawn["von_mises.png"]
    assert colorful(stress) > 0.3
    assert len(np.unique(stress.reshape(-1, 3), axis=0)) > 500
    assert share(stress, BALL) > 0.03
    assert share(stress, to_hex(WINDOW)) > 1e-4
    assert colorful(drawn["force.png"]) > 0.002


def test_balls_stand_where_they_end_and_the_body_yields_to_them(pressed):
    """Ball k is drawn at its first centre less the displacement; no drawn point lies inside."""
    section = deformed(pressed, "named")
    assert section.title == "named"
    assert section.radius == pytest.approx(3.0)
    assert section.centres == pytest.approx(np.array([[6.0, 14.0], [18.0, 14.5]]))
    for centre in section.centres:
        apart = np.linalg.norm(section.points - centre, axis=1).min()
        assert apart == pytest.approx(3.0, abs=2e-3)
    at = section.largest()
    assert at is not None
    left, right, bottom, top = section.window()
    x, y = section.middles[at]
    assert left < x < right
    assert bottom < y < top


def test_a_small_displacement_is_drawn_larger_and_the_factor_told(pulled, pressed):
    """Balls are never drawn with a factor: they would no longer touch."""
    assert deformed(pressed).note == "displacement to scale"
    section = deformed(pulled)
    assert section.note == "displacement × 50"
    moved = np.linalg.norm(section.points - section.field.points, axis=1).max()
    assert moved == pytest.approx(0.5, rel=0.2)
    assert len(section.centres) == 0
    assert deformed(pulled, factor=2.0).note == "displacement × 2"


def test_the_largest_stress_is_not_looked_for_in_clamped_corners(pulled):
    section = deformed(pulled)
    at = section.field.points[section.field.triangles].mean(axis=1)
    corner = (at[:, 0] < 0.6) & ((at[:, 1] < 0.6) | (at[:, 1] > 11.4))
    assert corner.any()
    assert (section.counted == ~corner).all()


def test_several_sections_share_a_picture(pressed, pulled, tmp_path):
    both = [deformed(pressed), deformed(pulled)]
    one, two = (pixels(draw_deformed(both[:n], tmp_path / f"{n}.png", dpi=100)) for n in (1, 2))
    assert one.shape[1] == two.shape[1] == 800
    assert two.shape[0] > 1.7 * one.shape[0]
    assert colorful(two) > 0.3


def test_a_solid_is_drawn_deformed(tmp_path):
    """The stress has colours, and there is white between the box and the lowered top."""
    (file,) = draw(result(SOLID, tmp_path / "r"))
    assert file.name == "von_mises.png"
    assert colorful(pixels(file)) > 0.2


@pytest.fixture(scope="module")
def pressed_solid(tmp_path_factory) -> Path:
    return result(PRESSED_SOLID, tmp_path_factory.mktemp("pressed_solid") / "r")


def test_a_solid_is_drawn_with_the_ball_that_it_yields_to(pressed_solid, tmp_path):
    """The ball stands at its last place, is seen through, and no drawn node lies inside it."""
    solid = stressed_solid(pressed_solid)
    assert solid.centres == pytest.approx(np.array([[4.0, 4.0, 7.5]]))
    assert (solid.radius, solid.note) == (3.0, "displacement to scale")
    moved = 1e6 * (solid.grid.points + solid.grid.point_data["displacement"])
    assert np.linalg.norm(moved - solid.centres[0], axis=1).min() == pytest.approx(3.0, abs=1e-3)
    without = replace(solid, centres=np.empty((0, 3)))
    both = [pixels(draw_stressed_solids([s], tmp_path / "r.png")) for s in (solid, without)]
    grey = [((np.ptp(p, axis=2) < 12) & (p.min(axis=2) > 90) & (p.max(axis=2) < 240)).mean()
            for p in both]  # fmt: skip
    assert grey[0] > grey[1] + 0.03


def test_what_is_embedded_is_not_cut_away(pressed_solid):
    """The quarter is missing in the matrix alone, and its edge is the ball's axis."""
    solid = stressed_solid(pressed_solid)
    low, high = np.zeros(3), np.array([8.0, 8.0, 5.5])
    assert stressed.corner(solid, low, high) == pytest.approx([4.0, 4.0])
    aside = replace(solid, centres=np.array([[2.0, 2.0, 7.5], [6.0, 2.0, 7.5], [2.0, 6.0, 7.5]]))
    assert stressed.corner(aside, low, high) == pytest.approx([6.0, 2.0])  # in front, right
    edge = replace(solid, centres=np.array([[0.0, 0.0, 7.5]]))
    assert stressed.corner(edge, low, high) == pytest.approx([4.0, 4.0])
    parts = list(stressed.parts(solid.grid, embedded=True))
    assert [whole for _, whole in parts] == [False, True]
    assert sum(part.n_cells for part, _ in parts) == solid.grid.n_cells


def test_a_section_is_no_solid_and_the_other_way_round(pressed, pressed_solid):
    with pytest.raises(CaseError, match="a 2-D result does not fit"):
        stressed_solid(pressed)
    with pytest.raises(CaseError, match="a 3-D result does not fit"):
        deformed(pressed_solid)


def test_a_result_without_stress_is_refused(tmp_path):
    case = {
        "study": "diffusion", "geometry": {"kind": "box", "size": ["4 um", "4 um"]},
        "mesh": {"size": "2 um"}, "materials": {"matrix": "pegda-sn-litfsi"},
    }  # fmt: skip
    folder = result(case, tmp_path / "r")
    with pytest.raises(CaseError, match="mechanical study"):
        deformed(folder)


def test_meshes_of_a_study_are_drawn_too(tmp_path):
    """[mesh] study adds its curve to the picture of the finest mesh."""
    case = PULLED | {"mesh": {"size": "4 um", "interface_size": "2 um", "study": 3}}
    drawn = {file.name for file in draw(result(case, tmp_path / "r"))}
    assert drawn == {"von_mises.png", "mesh.png", "mesh_study.png"}


@pytest.mark.parametrize(
    ("values", "low", "high", "logarithmic"),
    [
        ([0.3, 40.0], 0.2, 50.0, True),
        ([1e-9, 40.0], 5e-3, 50.0, True),
        ([3.0, 3.0], 0.0, 3.0, False),
        ([1.0, 5.5], 0.0, 6.0, False),
        ([0.0, 0.0], 0.0, 1.0, False),
    ],
)
def test_scales_have_round_ends(values, low, high, logarithmic):
    """Logarithmic beyond a decade, at most four decades."""
    scale = fitting([np.array(values)], [np.ones(2)])
    assert (scale.low, scale.high, scale.logarithmic) == (low, high, logarithmic)


def test_what_a_scale_leaves_out_is_told():
    """A singular point and the least stressed hundredth are clipped, and counted."""
    values = np.concatenate([[0.001], np.full(5000, 1.0), np.full(5000, 30.0), [9e3]])
    sizes = np.concatenate([[50.0], np.ones(10000), [1e-3]])
    scale = fitting([values], [sizes])
    assert (scale.low, scale.high) == (1.0, 50.0)
    assert scale.clipped("area") == "0.5 % of the area below 1\n< 0.01 % of the area above 50"
    assert scale.ticks() == [1, 2, 5, 10, 20, 50]


@pytest.mark.parametrize(("moved", "factor"), [(0.0, 1.0), (0.3, 1.0), (0.012, 20.0), (1e-4, 2e3)])
def test_factors_are_round_and_show_about_a_twentieth(moved, factor):
    """A fiftieth to a twentieth of the smaller side, 8; a hundredth is seen as it is."""
    points = np.array([[0.0, 0.0], [10.0, 8.0]])
    assert magnification(np.array([[moved, 0.0], [0.0, 0.0]]), points) == factor
