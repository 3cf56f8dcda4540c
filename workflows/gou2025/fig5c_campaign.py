"""The members of the campaign over dendrites, and what each of them tells."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from campaign import Changes, Choice, both, members, place, seeds

from fem_spe.results import Table, read_table

HERE = Path(__file__).parent
FILES = {name: HERE / f"fig5c_{name.lower()}.toml" for name in ("ASE", "RSE", "SCATTERED")}
PAIR = ("ASE", "RSE")  # what the paper compares
PAPER = {"ASE": 0.33, "RSE": 0.75}  # R_a, um
LEAST = 3  # seeds, for a spread
CHARGE, ROUGHNESS, COVERAGE = "charge [mA h/cm^2]", "R_a [um]", "coverage"

FRACTION, GAP, DRIVE = "geometry.fiber_fraction", "geometry.min_gap", "dendrite.overpotential"
_CLOSE = {GAP: "1.8 um"}
CHOICES = (
    both("fibre fraction", "0.10", {FRACTION: 0.10}),
    Choice("fibre fraction", "0.20, gap 1.8 µm", {FRACTION: 0.20}, {FRACTION: 0.20, **_CLOSE}),
    both("overpotential", "-0.1 V", {DRIVE: "-0.1 V"}),
    both("overpotential", "-0.3 V", {DRIVE: "-0.3 V"}),  # at -0.05 V the front stalls
    Choice("narrowest gap", "1.8 µm", None, _CLOSE),
    Choice("rows", "staggered", {"geometry.lattice": "hexagonal"}, None),
)


@dataclass(frozen=True)
class Plan:
    """How large the campaign is.

    The large cell tells the curves. The small one, that of the cases, tells what the mesh
    and each assumption do to them.

    Attributes:
        large: What makes the cell large, for each electrolyte.
        deep: What makes it deep, for a front that passes several rows of fibres; or nothing.
        seeds: Sections in the large cell where places are random.
        deep_seeds: The same in the deep cell.
        replicas: RSE sections in the small cell for each choice.
        cells: In the small cell, um, from coarse to fine, the last half of the one before; all
            others have the first.
        choices: Other assumptions, in the small cell.
        changes: For all.
    """

    large: dict[str, Changes] = field(
        default_factory=lambda: {
            "ASE": {"geometry.size": ["48 um", "24 um"], "geometry.count": [6, 3], **_LONG},
            "RSE": {"geometry.size": ["48 um", "24 um"], **_LONG},
            "SCATTERED": {"geometry.size": ["48 um", "24 um"], **_LONG},
        }
    )
    deep: dict[str, Changes] = field(
        default_factory=lambda: {
            "ASE": {"geometry.size": ["24 um", "32 um"], "geometry.count": [3, 4], **_FAR},
            "RSE": {"geometry.size": ["24 um", "32 um"], **_FAR},
            "SCATTERED": {"geometry.size": ["24 um", "32 um"], **_FAR},
        }
    )
    seeds: int = 16
    deep_seeds: int = 8
    replicas: int = 3
    cells: tuple[float, ...] = (0.28, 0.2, 0.1)
    choices: tuple[Choice, ...] = CHOICES
    changes: Changes = field(default_factory=dict)


_LONG = {"dendrite.charge": "1 mA*h/cm^2", "dendrite.frames": 8}
_FAR = {"dendrite.charge": "3 mA*h/cm^2", "dendrite.frames": 8}
QUICK = Plan(
    large={name: {"dendrite.charge": "0.6 mA*h/cm^2"} for name in FILES},
    deep={},
    seeds=LEAST,
    replicas=1,
    cells=(0.3, 0.2),
    choices=tuple(c for c in CHOICES if c.value == "-0.1 V"),
    changes={"dendrite.charge": "0.25 mA*h/cm^2", "dendrite.frames": 4},
)


@dataclass(frozen=True)
class Grown:
    """What one member tells.

    Attributes:
        folder: Its result.
        front: The front, step by step.
        along: Concentration and potential along the last front.
    """

    folder: Path
    front: Table
    along: Table

    @property
    def end(self) -> float:
        """The charge at the end, mA h/cm^2."""
        return float(self.front[CHARGE][-1])

    def at(self, charge: Any, head: str) -> np.ndarray:
        """A column of the front at these charges, between the steps on a straight line."""
        return np.interp(charge, self.front[CHARGE], self.front[head])

    def average(self, head: str) -> float:
        """A column's mean over the charge."""
        charge = self.front[CHARGE]
        return float(np.trapezoid(self.front[head], charge) / np.ptp(charge))

    def unevenness(self) -> float:
        """Of c along the last front: standard deviation over mean."""
        c = self.along["concentration [mol/m^3]"]
        return float(c.std() / c.mean())


Samples = dict[str, list[Grown]]  # electrolyte -> its members, one for each seed


@dataclass(frozen=True)
class Data:
    """The whole campaign.

    Attributes:
        large: All electrolytes in the large cell.
        deep: All in the deep one; empty where the plan has none.
        levels: One section of each of the pair in the small cell, from coarse cells to fine ones.
        choices: The small cell as in the cases, then each other choice.
    """

    large: Samples
    deep: Samples
    levels: list[Samples]
    choices: dict[tuple[str, str], Samples]


def campaign(folder: Path, plan: Plan) -> Data:
    """Run what is not there yet, and read all of it."""
    small = plan.changes | cells(plan.cells[0])
    large, deep = (
        {n: grow(n, folder / cell / n.lower(), number, small | more) for n, more in own.items()}
        for cell, own, number in (
            ("large", plan.large, plan.seeds), ("deep", plan.deep, plan.deep_seeds),
        )
    )  # fmt: skip
    base = {n: grow(n, folder / "small" / n.lower(), plan.replicas, small) for n in PAIR}
    finer = [
        {n: grow(n, folder / f"small_{h:g}um" / n.lower(), 1, small | cells(h)) for n in PAIR}
        for h in plan.cells[1:]
    ]
    choices = {("as in the cases", ""): base}
    for choice in plan.choices:
        choices[choice.what, choice.value] = base | other(choice, folder, plan.replicas, small)
    return Data(large, deep, [{n: rows[:1] for n, rows in base.items()}, *finer], choices)


def cells(size: float) -> Changes:
    """A mesh with cells of `size` um."""
    return {"mesh.size": f"{size:g} um"}


def other(choice: Choice, folder: Path, replicas: int, changes: Changes) -> Samples:
    """The members of the electrolytes that a choice concerns. Collective."""
    ways = {"ASE": choice.ase, "RSE": choice.rse}
    return {
        name: grow(name, folder / place(choice) / name.lower(), replicas, changes | way)
        for name, way in ways.items()
        if way is not None
    }


def grow(name: str, folder: Path, number: int, changes: Changes) -> list[Grown]:
    """The members of a sweep over seeds; fibres on a lattice have none. Collective."""
    same = 'dendrite.parameters="A"'  # a sweep wants a key
    word = same if name == "ASE" else seeds(number)
    done = members(FILES[name], [word], folder, changes | {"output.figures": False})
    ended = [member.folder for member in done if "short_circuit_time" in member.quantities]
    if ended:  # nor may these be left out
        sys.exit(f"{len(ended)} of {len(done)} members end in a short circuit; {ended[0]}")
    return [grown(member.folder) for member in done]


def grown(folder: Path) -> Grown:
    tables = folder / "tables"
    return Grown(folder, read_table(tables / "front.csv"), read_table(tables / "along_front.csv"))


def column(rows: Sequence[Grown], charge: float, head: str) -> np.ndarray:
    """A number of the front at one charge, seed by seed."""
    return np.array([row.at(charge, head) for row in rows])
