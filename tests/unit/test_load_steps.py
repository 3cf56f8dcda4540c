"""Steps of a load: marks that are met, steps that are cut back, loads that are out of reach."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from fem_spe import comm as _comm  # noqa: F401 - what DOLFINx needs before it

# isort: split
from dolfinx import fem
from dolfinx.mesh import create_unit_square
from mpi4py import MPI

from fem_spe.errors import ConvergenceError
from fem_spe.physics.hyperelasticity import stretch
from fem_spe.solve.solids.large_strain import Upright
from fem_spe.solve.solids.load_steps import climb


@dataclass(frozen=True)
class Reached:
    """A state that remembers the part of the load it stands for."""

    part: float
    iterations: int


def test_marks_are_met_and_easy_steps_grow() -> None:
    def advance(at: float, to: float, state: Reached | None) -> Reached:
        assert at == (0.0 if state is None else state.part)
        return Reached(to, 3)

    parts = [part for part, _ in climb(advance, [0.25, 0.5, 1.0], 0.05)]
    assert parts[0] == 0.05
    assert {0.25, 0.5, 1.0} <= set(parts)
    assert parts == sorted(set(parts))
    assert len(parts) <= 8


def test_a_step_that_fails_is_cut_back_from_the_state_before() -> None:
    tried: list[tuple[float, float]] = []

    def advance(at: float, to: float, state: Reached | None) -> Reached:
        assert at == (0.0 if state is None else state.part)
        tried.append((at, to))
        if to - at > 0.3:
            raise ConvergenceError("too far")
        return Reached(to, 5)

    parts = [part for part, _ in climb(advance, [1.0], 1.0)]
    assert parts == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert tried[:3] == [(0.0, 1.0), (0.0, 0.5), (0.0, 0.25)]


def test_hard_steps_make_the_next_ones_shorter_but_not_without_end() -> None:
    def advance(at: float, to: float, state: Reached | None) -> Reached:
        return Reached(to, 11)

    parts = [part for part, _ in climb(advance, [1.0], 0.4)]
    assert parts[:3] == pytest.approx([0.4, 0.6, 0.7])
    assert parts[-1] == 1.0


def test_a_load_out_of_reach_tells_why_after_the_last_good_step() -> None:
    def advance(at: float, to: float, state: Reached | None) -> Reached:
        if to > 0.6:
            raise ConvergenceError("beyond six tenths")
        return Reached(to, 4)

    parts: list[float] = []
    with pytest.raises(ConvergenceError, match="beyond six tenths"):
        parts.extend(part for part, _ in climb(advance, [1.0], 0.5))
    assert 0.6 - 2.0**-9 < parts[-1] <= 0.6


def test_a_way_that_turns_cells_inside_out_is_gone_in_part() -> None:
    """det F = 1 - c of a square that is drawn together by the part c; c = 1.5, then 20."""
    mesh = create_unit_square(MPI.COMM_WORLD, 2, 2)
    space = fem.functionspace(mesh, ("Lagrange", 1, (2,)))
    u, goal = fem.Function(space), fem.Function(space)
    upright = Upright(u, stretch(u), 1)
    goal.interpolate(lambda x: np.stack([-1.5 * x[0], 0.0 * x[0]]))
    start = np.zeros_like(u.x.array)
    assert upright.approach(start, goal.x.array) == 0.5
    assert u.x.array == pytest.approx(0.5 * goal.x.array)
    goal.x.array[:] *= 20.0 / 1.5
    with pytest.raises(ConvergenceError, match="inside out"):
        upright.approach(start, goal.x.array)
