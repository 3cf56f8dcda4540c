"""A ball on random and aligned fibres in space: what is computed, and what is kept of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from campaign import Changes, Done, column, members, seeds
from fig5fg_campaign import RSES_OWN
from scipy import stats

from fem_spe.ensemble import statistics
from fem_spe.ensemble.statistics import Estimate, mean

HERE = Path(__file__).parent
FILES = {"ASE": HERE / "fig5fg_3d_ase.toml", "RSE": HERE / "fig5fg_3d_rse.toml"}
LEAST = 3  # seeds, for a spread
REGIONS = ("fiber", "matrix")
STRESSES = ("p99", "p999", "max")
# what a member tells, by the heads of its columns
FORCE, ENERGY, SHARE = "force [mN]", "energy [pJ]", "fibres' share of the load"
FIBRES_ENERGY, FRACTION, NEAR = "fibres' share of the energy", "fraction", "fibre under the ball"


def stress(measure: str, region: str) -> str:
    """The head of a von Mises stress, of STRESSES in REGIONS."""
    return f"{measure} {region} [MPa]"


@dataclass(frozen=True)
class Plan:
    """How large the campaign is.

    Attributes:
        seeds: Networks of each, random and aligned, and of the random ones with moduli of
            their own.
        checks: Networks of each that are pressed on the finer mesh, too.
        cells: At the fibres and under the ball, um: of all, and of the finer mesh.
        changes: For all, which make everything smaller.
    """

    seeds: int = 16
    checks: int = 2
    cells: tuple[float, float] = (1.2, 0.9)
    changes: Changes = field(default_factory=dict)


QUICK = Plan(
    seeds=LEAST,
    checks=1,
    cells=(1.1, 0.9),
    changes={
        "geometry.size": ["12 um", "12 um", "8 um"],
        "geometry.fiber_diameter": "2.4 um",
        "solver.degree": 1,
    },
)


@dataclass(frozen=True)
class Pressed:
    """What one member tells.

    Attributes:
        seed: That placed its fibres.
        folder: Its result.
        values: By the heads above.
    """

    seed: int
    folder: Path
    values: dict[str, float]


Samples = dict[str, list[Pressed]]  # electrolyte -> its members, one for each seed


@dataclass(frozen=True)
class Data:
    """The whole campaign.

    Attributes:
        pair: Both with the moduli of the table.
        own: RSE with the modulus of the fibres that its own measured moduli ask for.
        finer: The first seeds of each on the finer mesh.
    """

    pair: Samples
    own: list[Pressed]
    finer: Samples


def campaign(folder: Path, plan: Plan) -> Data:
    """Run what is not there yet, and read all of it. Collective."""
    cells, fine = plan.cells

    def press(name: str, what: str, number: int, changes: Changes) -> list[Pressed]:
        where = folder / f"{name.lower()}_{what}"
        found = members(FILES[name], [seeds(number)], where, plan.changes | changes)
        return [pressed(done) for done in found]

    pair = {name: press(name, "table", plan.seeds, mesh(cells)) for name in FILES}
    finer = {name: press(name, "finer", plan.checks, mesh(fine)) for name in FILES}
    own = press("RSE", "own", plan.seeds, mesh(cells) | RSES_OWN)
    return Data(pair, own, finer)


def mesh(cells: float) -> Changes:
    """A mesh with cells of `cells` um at the fibres and under the ball; no pictures."""
    size = f"{cells:g} um"
    return {
        "mesh.interface_size": size,
        "indentation.contact_size": size,
        "output.figures": False,
    }


def pressed(done: Done) -> Pressed:
    """What one member tells."""
    told = {name: quantity["value"] for name, quantity in done.quantities.items()}
    values = {
        FORCE: 1e3 * told["contact_force"],
        ENERGY: 1e12 * told["strain_energy"],
        SHARE: told["load_share.fiber"],
        FIBRES_ENERGY: told["energy_share.fiber"],
    }
    for region in REGIONS:
        for measure in STRESSES:
            values[stress(measure, region)] = 1e-6 * told[f"{measure}_von_mises.{region}"]
    values |= dict(zip((FRACTION, NEAR), fibres(done), strict=True))
    return Pressed(done.case.geometry.seed, done.folder, values)


def fibres(done: Done) -> tuple[float, float]:
    """Share of the fibres in the box, and in the half ball that the ball would displace.

    That half has the ball's radius and its centre where the ball first touches.
    """
    size, radius = np.asarray(done.case.geometry.size), done.case.balls.radius
    shape = tuple(np.ceil(size / (done.case.geometry.diameter[0] / 12)).astype(int) + 1)
    inside = done.case.geometry.build().distance(shape) < 0
    axes = np.meshgrid(*(np.linspace(0, s, n) for s, n in zip(size, shape, strict=True)),
                       indexing="ij")  # fmt: skip
    (touch,) = done.case.balls.centres(tuple(size))
    away = sum((x - c) ** 2 for x, c in zip(axes, (*touch[:2], size[2]), strict=True))
    weight = np.ones(shape)
    for axis in range(3):  # points in the faces stand for half a cell
        for end in (0, -1):
            weight[(slice(None),) * axis + (end,)] /= 2
    near = away < radius**2
    whole, part = (np.average(inside[at], weights=weight[at]) for at in (near | True, near))
    return float(whole), float(part)


def middle(rows: Sequence[Pressed], name: str) -> Estimate:
    """Geometric mean, with Student's interval of the logarithms.

    Forces and stresses over placements are skewed, their logarithms much less so.
    """
    return Estimate(*np.exp(mean(np.log(column(rows, name)))).tolist())


def ratio(upper: Sequence[Pressed], lower: Sequence[Pressed], name: str) -> Estimate:
    """Ratio of two geometric means."""
    return statistics.ratio(column(upper, name), column(lower, name))


def at_equal(upper: Sequence[Pressed], lower: Sequence[Pressed], name: str) -> Estimate:
    """Ratio as of `ratio` between members with the same share of fibre under the ball.

    The logarithms are fitted by least squares, linear in the share with one slope for both;
    Student's interval of the step between the two.
    """
    y = np.log(np.concatenate([column(upper, name), column(lower, name)]))
    share = np.concatenate([column(upper, NEAR), column(lower, NEAR)])
    which = np.repeat([1.0, 0.0], [len(upper), len(lower)])
    a = np.column_stack([which, share, np.ones_like(y)])
    normal = np.linalg.inv(a.T @ a)
    fitted = normal @ a.T @ y
    free = len(y) - 3
    error = np.sqrt(np.sum((y - a @ fitted) ** 2) / free * normal[0, 0])
    reach = stats.t.ppf(0.975, free) * error
    return Estimate(*np.exp(fitted[0] + [0.0, -reach, reach]).tolist())


def more_often(upper: Sequence[Pressed], lower: Sequence[Pressed], name: str) -> float:
    """In which share of all pairs of one of each the first tells the larger number."""
    a, b = column(upper, name), column(lower, name)
    return float(np.mean(a[:, None] > b[None, :]))
