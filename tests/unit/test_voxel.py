"""The voxel path: exact means, converged energies, and what it says of its own error."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import spsolve

from fem_spe.case import parse
from fem_spe.errors import CaseError, GeometryError
from fem_spe.geometry import Voxels
from fem_spe.measure.geodesic import path_tortuosity
from fem_spe.measure.pores import pore_sizes
from fem_spe.progress import Clock
from fem_spe.solve.voxel import conduct
from fem_spe.studies import lookup
from fem_spe.verify import COMPARISONS

OPEN_CLOSED = np.array([[1.0] * 3, [0.0] * 3])
CASE = {
    "study": "diffusion",
    "geometry": {"kind": "box", "size": ["8 um", "8 um", "8 um"]},
    "materials": {"matrix": {"diffusivity": "2e-11 m^2/s"}, "fiber": "impermeable"},
    "diffusion": {"method": "voxel", "direction": "z"},
}


def rods(count: int, number: int = 6) -> np.ndarray:
    """Round rods in the plane, a seventh of the box thick."""
    rng = np.random.default_rng(2)
    x, y, z = np.meshgrid(*[(np.arange(count) + 0.5) / count] * 3, indexing="ij")
    labels = np.zeros((count,) * 3, dtype=np.uint8)
    for _ in range(number):
        (a, b, c), angle = rng.random(3), np.pi * rng.random()
        off = (x - a) * np.sin(angle) - (y - b) * np.cos(angle)
        labels[off**2 + (z - c) ** 2 < 0.07**2] = 1
    return labels


@pytest.mark.parametrize("name", ["voxel_laminates", "voxel_distance", "voxel_spheres"])
def test_the_comparisons_keep_to_their_limits(name):
    assert [row for row in COMPARISONS[name]() if not row.passed] == []


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_multigrid_finds_what_a_direct_solver_finds(axis):
    labels, edges = rods(14)[:, :13, :11].copy(), (1.0, 0.7, 1.3)
    values = np.array([[1.0, 1.0, 2.0], [20.0, 20.0, 20.0]])
    found = conduct(labels, values, edges, axis, rtol=1e-12)
    assert found.effective == pytest.approx(_direct(labels, values, edges, axis), rel=1e-6)
    assert found.flows == pytest.approx((found.effective,) * 2, rel=1e-4)


def _direct(labels, values, edges, axis):
    """The same finite volumes, assembled and factorised."""
    number = np.arange(labels.size).reshape(labels.shape)
    rows, columns, weights = [], [], []
    diagonal, load = np.zeros(labels.size), np.zeros(labels.size)
    ends = 0.0
    for across in range(3):
        k = values[:, across][labels]
        face = np.prod(edges) / edges[across] ** 2
        low, high = (np.moveaxis(k, across, 0)[s].ravel() for s in (slice(-1), slice(1, None)))
        a, b = (np.moveaxis(number, across, 0)[s].ravel() for s in (slice(-1), slice(1, None)))
        g = face * 2 * low * high / (low + high)
        rows, columns, weights = [*rows, a, b], [*columns, b, a], [*weights, -g, -g]
        np.add.at(diagonal, a, g)
        np.add.at(diagonal, b, g)
        if across == axis:
            for end, value in ((0, 0.0), (-1, 1.0)):
                at = np.moveaxis(number, across, 0)[end].ravel()
                g = face * 2 * k.ravel()[at]
                diagonal[at] += g
                load[at] += g * value
                ends += np.sum(g * value**2)
    n = labels.size
    entries = (np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns)))
    matrix = csr_array(entries, shape=(n, n)) + diags_array(diagonal)
    energy = ends - load @ spsolve(matrix.tocsc(), load)
    length = labels.shape[axis] * edges[axis]
    return energy * length / (np.prod(edges) * labels.size / length)


def test_the_energy_falls_to_the_converged_one_within_what_is_told():
    labels = rods(40)
    reference = conduct(labels, OPEN_CLOSED, (1.0,) * 3, 2, rtol=1e-13).effective
    for rtol in (1e-3, 1e-5, 1e-7):
        found = conduct(labels, OPEN_CLOSED, (1.0,) * 3, 2, rtol=rtol)
        assert 0.0 <= found.effective / reference - 1.0 + 1e-10 < found.change + 2e-10
        assert found.change < rtol


def test_a_dead_end_is_no_path_and_a_pocket_is_left_out():
    work = lookup("diffusion").on_structure
    labels = np.zeros((16, 16, 16), dtype=np.uint8)
    labels[:, :, 8] = 1
    with pytest.raises(GeometryError, match="no path leads through"):
        work(parse(CASE), Voxels(labels, (5e-7,) * 3), Clock())
    labels[2, 2, 8] = 0
    open_ = work(parse(CASE), Voxels(labels, (5e-7,) * 3), Clock())
    assert 0 < open_.quantities["relative_diffusivity"].value < 0.1
    pocket = np.zeros((16, 16, 16), dtype=np.uint8)
    pocket[3:9, 3:9, 3:9] = 1
    full = work(parse(CASE), Voxels(pocket.copy(), (5e-7,) * 3), Clock()).quantities
    pocket[4:8, 4:8, 4:8] = 0
    hollow = work(parse(CASE), Voxels(pocket, (5e-7,) * 3), Clock()).quantities
    assert hollow["isolated_fraction"].value == pytest.approx(64 / (4096 - 152))
    key = "relative_diffusivity"
    assert hollow[key].value == pytest.approx(full[key].value, rel=1e-12)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"diffusion.mode": "transient", "time.end": 1}, "steady"),
        ({"boundary": {"top": {"concentration": 1.0}}}, r"\[boundary\]"),
        ({"mesh.study": 3}, "no mesh"),
        ({"geometry.size": ["8 um", "8 um"]}, "3-D"),
        ({"probe": {"a": {"point": ["1 um", "1 um", "1 um"]}}}, r"\[probe\]"),
    ],
)
def test_what_the_voxel_path_cannot_do_is_told(changes, words):
    case = parse({**CASE, "materials": {"matrix": {"diffusivity": 2e-11}}}, changes)
    with pytest.raises(CaseError, match=words):
        lookup("diffusion").plan(case, case.geometry.regions)


def test_the_shortest_way_is_straight_where_it_may_be_and_leads_around_a_wall():
    assert path_tortuosity(np.ones((9, 8, 7), dtype=bool), (1.0, 1.0, 2.0), 2) == 1.0
    count = 64
    pores = np.ones((count, 3, count), dtype=bool)
    pores[: count // 2, :, count // 2 - 1 : count // 2 + 1] = False
    x = (np.arange(count) + 0.5) / count
    around = np.where(x < 0.5, 0.5 + np.hypot(0.5, 0.5 - x), 1.0).mean()
    found = path_tortuosity(pores, (1.0, 1.0, 1.0), 2)
    assert around < found < 1.015 * around  # first order: a little too long around the corner
    pores[:, :, 5] = False
    assert path_tortuosity(pores, (1.0, 1.0, 1.0), 2) is None


def test_pore_sizes_of_a_tube_and_of_an_ink_bottle():
    x, y = np.meshgrid(*[np.arange(40) + 0.5 - 20] * 2, indexing="ij")
    tube = np.repeat((np.hypot(x, y) < 12.3)[:, :, None], 48, axis=2)
    thick, intruded = pore_sizes(tube, 0.5, most=20)
    for sizes in (thick, intruded):
        assert sizes.mean == pytest.approx(0.5 * 24.6, abs=0.75)  # a voxel and a half
        assert sizes.share.sum() == pytest.approx(1.0)
    bottle = tube.copy()
    bottle[np.hypot(x, y) > 5.0, :6] = False
    bottle[np.hypot(x, y) > 5.0, -6:] = False
    thick, intruded = pore_sizes(bottle, 0.5, most=20)
    assert thick.peak == pytest.approx(0.5 * 24.6, abs=1.0)
    assert intruded.peak == pytest.approx(0.5 * 10.0, abs=1.0)  # that of its neck
