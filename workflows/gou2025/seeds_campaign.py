"""The members of the campaign over random sections, and what each of them tells."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from campaign import column, members, seeds

from fem_spe.case import Case, load
from fem_spe.exact.conduction import differential_ellipses
from fem_spe.results import read_table

HERE = Path(__file__).parent
RSE, ASE = HERE / "fig2b_rse.toml", HERE / "fig2b_ase.toml"
MEASURED = 1.06 / 1.33  # conductivity of RSE over that of ASE at 25 degC, Gou 2025, Fig. 2a
LEAST = 4  # seeds, for the interval of a correlation
HEIGHT = "1 um"  # of the probed line above the anode
ORIENTATIONS = {  # of the long axes -> how the case says it; x is along the electrodes
    "any": "{kappa=0}",
    "mostly x": "{kappa=1.5}",
    "x": "{kappa=50}",
    "y": '{kappa=50, mean="90 deg"}',
}
DEFF = "D_eff / D_matrix"
FLUX = "unevenness of the flux at the anode"
LINE = "unevenness of c 1 µm above it"
RELATIVE = r"$D_\mathrm{eff}\,/\,D_\mathrm{matrix}$"


@dataclass(frozen=True)
class Plan:
    """How large the campaign is.

    Attributes:
        seeds: Sections of RSE.
        aspects: Of the ellipses in the second campaign.
        replicas: Seeds for each aspect and orientation.
        fine, coarse: Meshes. RSE and ASE are computed on both, other shapes on the coarse one.
    """

    seeds: int = 30
    aspects: tuple[float, ...] = (1.57, 2.2, 3.0)
    replicas: int = 3
    fine: dict[str, Any] = field(default_factory=dict)  # the defaults of the case
    coarse: dict[str, Any] = field(
        default_factory=lambda: {"mesh.size": "3 um", "mesh.interface_size": "0.8 um"}
    )


_SMALL = {"geometry.size": ["80 um", "40 um"]}
QUICK = Plan(
    seeds=4,
    aspects=(3.0,),
    replicas=2,
    fine={**_SMALL, "mesh.size": "4 um", "mesh.interface_size": "1 um"},
    coarse={**_SMALL, "mesh.size": "6 um", "mesh.interface_size": "1.6 um"},
)


@dataclass(frozen=True)
class Section:
    """One section: what it is, and what was measured of it.

    Attributes:
        name: Of its folder.
        aspect: Of the fibres' cross-sections.
        order: In-plane order parameter <2 cos² θ - 1>, θ from x, weighted by area.
        fraction: Of the fibres.
        values: By quantity.
        error: Bound of the error of D_eff / D_matrix; not a number where there is none, as
            for an electrolyte in pieces.
        x, c: Along the line, um and over the difference between the electrodes; c is not
            a number where a fibre is cut.
    """

    name: str
    aspect: float
    order: float
    fraction: float
    values: dict[str, float]
    error: float
    x: np.ndarray
    c: np.ndarray


@dataclass(frozen=True)
class Data:
    """The whole campaign."""

    rse: list[Section]
    rse_coarse: list[Section]
    ase: Section
    ase_coarse: Section
    shapes: dict[tuple[float, str], list[Section]]  # aspect and orientation -> seeds

    def errors(self, name: str) -> np.ndarray:
        """Numerical error of ASE and of each seed, shape (1 + seeds,).

        That is the change from the coarser mesh to the finer one or, for D_eff, the bound of
        the error where there is one.
        """
        both = [self.ase, *self.rse], [self.ase_coarse, *self.rse_coarse]
        fine, coarse = (column(rows, name) for rows in both)
        change: np.ndarray = np.abs(fine - coarse)
        return np.fmax(change, [row.error for row in both[0]]) if name == DEFF else change

    @property
    def sampled(self) -> list[Section]:
        """The sections of all shapes."""
        return [row for rows in self.shapes.values() for row in rows]

    def of_aspect(self, aspect: float) -> list[Section]:
        """Those of one aspect, in all orientations."""
        return [row for (a, _), rows in self.shapes.items() if a == aspect for row in rows]


def campaign(folder: Path, plan: Plan) -> Data:
    """Run what is not there yet, and read all of it."""
    square = ["geometry.lattice=square"]
    (ase,) = sections(ASE, square, folder / "ase", plan.fine)
    (ase_coarse,) = sections(ASE, square, folder / "ase_coarse", plan.coarse)
    rse = sections(RSE, [seeds(plan.seeds)], folder / "rse", plan.fine)
    rse_coarse = sections(RSE, [seeds(plan.seeds)], folder / "rse_coarse", plan.coarse)
    # circles have no direction: one set of seeds stands for all orientations
    circles = ["geometry.aspect=1.0", seeds(plan.replicas)]
    shapes = {(1.0, "any"): sections(RSE, circles, folder / "circles", plan.coarse)}
    words = [
        f"geometry.aspect={','.join(map(str, plan.aspects))}",
        f"geometry.orientation={','.join(ORIENTATIONS.values())}",
        seeds(plan.replicas),
    ]
    ellipses = iter(sections(RSE, words, folder / "ellipses", plan.coarse))
    for aspect in plan.aspects:
        for orientation in ORIENTATIONS:
            shapes[aspect, orientation] = [next(ellipses) for _ in range(plan.replicas)]
    return Data(rse, rse_coarse, ase, ase_coarse, shapes)


def sections(
    file: Path, words: Sequence[str], folder: Path, changes: dict[str, Any]
) -> list[Section]:
    """The members of a sweep, each with a line above the anode. Collective."""
    width = load(file, changes).geometry.size[0]
    line = {
        "probe.anode_line.line": [["0 um", HEIGHT], [width, HEIGHT]],
        "probe.anode_line.points": 1001,
    }
    return [section(*done) for done in members(file, words, folder, {**changes, **line})]


def section(case: Case, folder: Path, quantities: Any) -> Section:
    """What one member tells."""
    body = case.geometry.build().inclusions
    # a circle has no axis and counts as one in any direction
    axis = np.where(body.a > body.b, np.cos(2 * body.angle), 0.0)
    table = read_table(folder / "tables" / "probe_anode_line.csv")
    c = table["concentration"]
    relative = quantities["relative_diffusivity"]
    return Section(
        name=folder.name,
        aspect=float(np.mean(body.a / body.b)),
        order=float(np.average(axis, weights=body.areas)),
        fraction=quantities["fiber_fraction"]["value"],
        values={
            DEFF: relative["value"],
            FLUX: quantities["flux_uniformity"]["value"],
            LINE: float(np.nanstd(c) / np.nanmean(c)),
        },
        error=np.nan if relative["error"] is None else relative["error"],
        x=table["distance [um]"],
        c=c,
    )


def medium(aspect: float, order: Any, fraction: float) -> Any:
    """D_eff / D_matrix by the differential effective medium at an order parameter.

    Its exponents for parallel axes (order 1 across the flux, -1 along it) and for axes in any
    direction (order 0) lie on one straight line over the order, which is taken between them.
    """
    across = differential_ellipses(fraction, aspect, across_long_axis=True)
    along = differential_ellipses(fraction, 1 / aspect, across_long_axis=True)
    return across ** ((1 + order) / 2) * along ** ((1 - order) / 2)


def expected(rows: Sequence[Section]) -> np.ndarray:
    """What the medium gives for each section."""
    return np.array([medium(row.aspect, row.order, row.fraction) for row in rows])


def orders(rows: Sequence[Section]) -> list[float]:
    return [row.order for row in rows]
