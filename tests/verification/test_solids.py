"""The exact answers for arrays of spheres, by themselves and on finer meshes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fem_spe.exact import spheres
from fem_spe.exact.spheres import simple_cubic, simple_cubic_series
from fem_spe.verify import solids

CONTRASTS = (0.0, 0.01, 0.5, 2.0, 50.0, math.inf)


def maxwell(fraction: float, contrast: float) -> float:
    beta = 1.0 if math.isinf(contrast) else (contrast - 1) / (contrast + 2)
    return 1 + 3 * fraction * beta / (1 - fraction * beta)


@pytest.mark.parametrize("contrast", CONTRASTS)
def test_few_spheres_are_maxwells(contrast: float) -> None:
    # the next term is of the order of fraction^(13/3)
    assert simple_cubic(1e-3, contrast) == pytest.approx(maxwell(1e-3, contrast), abs=1e-12)


@pytest.mark.parametrize("contrast", CONTRASTS)
@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.3, 0.4])
def test_rayleighs_method_agrees_with_a_published_series(fraction: float, contrast: float) -> None:
    limit = 5e-4 if contrast <= 1 else 4e-3
    exact = simple_cubic(fraction, contrast)
    assert exact == pytest.approx(simple_cubic_series(fraction, contrast), rel=limit)
    if fraction <= 0.2:
        assert exact == pytest.approx(simple_cubic_series(fraction, contrast), rel=2e-6)


@pytest.mark.parametrize("contrast", [0.0, 10.0, math.inf])
def test_more_multipoles_change_nothing(contrast: float, monkeypatch: pytest.MonkeyPatch) -> None:
    many = simple_cubic(0.4, contrast)
    monkeypatch.setattr(spheres, "_HIGHEST", 15)
    assert simple_cubic(0.4, contrast) == pytest.approx(many, rel=3e-7)


def test_lattice_sums_are_those_of_the_points() -> None:
    n = np.arange(-60, 61)
    x, y, z = np.meshgrid(n, n, n)
    square = (x * x + y * y + z * z).astype(float)
    # only points within a sphere: their sum over harmonics of cubic symmetry converges fast
    inside = (square > 0) & (square <= 60**2)
    r2, z2 = square[inside], z[inside].astype(float) ** 2
    # 6! r^-7 P_6(z / r), and 4! r^-5 P_4(z / r)
    p4 = (35 * z2**2 - 30 * z2 * r2 + 3 * r2**2) / 8 / r2**4.5
    p6 = (231 * z2**3 - 315 * z2**2 * r2 + 105 * z2 * r2**2 - 5 * r2**3) / 16 / r2**6.5
    assert spheres._sum(4, 0) == pytest.approx(24 * p4.sum(), rel=1e-3)
    assert spheres._sum(6, 0) == pytest.approx(720 * p6.sum(), rel=1e-4)


def test_second_order_elements_converge_on_the_spheres() -> None:
    """The whole way: distance, mesh, file, study. The share is exact, so the rest is the shape."""
    exact = simple_cubic(0.35, 10.0)
    errors = []
    for cells in (7, 14):
        with solids.meshed(0.35, cells) as file:
            errors.append(abs(solids.relative_diffusivity(file, 10.0) / exact - 1))
    assert errors[0] < 1e-3
    assert errors[1] < errors[0] / 2
