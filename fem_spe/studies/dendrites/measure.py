"""What a deposit is told by: its front, what is left in the electrolyte, what it conserves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from fem_spe.measure.extremes import extremes
from fem_spe.measure.front import Front, contour, front
from fem_spe.physics.phase_field import OCCUPIED
from fem_spe.results import Quantity, Table
from fem_spe.studies.dendrites.model import Model

ORDER, CONCENTRATION, POTENTIAL = "order_parameter", "concentration [mol/m^3]", "potential [V]"

_UM = 1e6
_HEADS = (
    "t [s]",
    "charge [mA h/cm^2]",
    "deposit [um]",
    "mean height [um]",
    "highest [um]",
    "R_a [um]",
    "coverage",
    "length / width",
    "tips",
    "min c [mol/m^3]",
    "max c [mol/m^3]",
    "min occupancy",
    "current density [A/m^2]",
)
_MILLIAMPERE_HOURS = 1.0 / 3.6e4  # mA h/cm^2 per C/m^2

Array = NDArray[np.float64]


class Fields:
    """The state of a model as fields in SI; the concentration is that of mobile lithium, m.

    Attributes:
        functions: By name and unit; all on the model's space.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        names = (ORDER, CONCENTRATION, POTENTIAL)
        self.functions = {name: fem.Function(model.space) for name in names}

    def update(self) -> None:
        """Take the values of now."""
        model = self.model
        self.functions[ORDER].x.array[:] = model.phi.x.array
        self.functions[CONCENTRATION].interpolate(model.mobile)
        self.functions[CONCENTRATION].x.array[:] *= model.metal.concentration
        self.functions[POTENTIAL].x.array[:] = model.voltage + model.thermal * model.u.x.array


class Outline:
    """The front of a model, gathered on rank 0.

    Columns of its pieces: x and y in m, concentration in mol/m^3, potential in V.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        mesh = model.domain.mesh
        cells = mesh.topology.index_map(model.domain.dimension).size_local
        self.triangles = np.asarray(model.space.dofmap.list[:cells], dtype=np.int64)
        self.points = model.space.tabulate_dof_coordinates()[:, :2]
        self.left = model.domain.origin[0]
        self.right = self.left + model.domain.size[0]

    def pieces(self) -> Array:
        """All of the front; empty elsewhere than on rank 0. Collective."""
        model = self.model
        c = model.metal.concentration * np.exp(model.y.x.array)
        potential = model.voltage + model.thermal * model.u.x.array
        values = np.column_stack([c, potential])
        own = contour(self.points, self.triangles, model.phi.x.array, values)
        found = model.domain.mesh.comm.gather(own)
        return np.empty((0, 2, 4)) if found is None else np.concatenate(found)

    def shape(self) -> Front | None:
        """Its numbers, on all ranks; None where there is no front. Collective."""
        pieces = self.pieces()
        told = front(pieces, self.left, self.right, self.model.metal.interface_width)
        shared: Front | None = self.model.domain.mesh.comm.bcast(told)
        return shared

    def along(self) -> Table:
        """Concentration and potential along the front, from left to right; on rank 0."""
        pieces = self.pieces()
        middle = pieces.mean(axis=1)
        middle = middle[np.argsort(middle[:, 0], kind="stable")]
        heads = ("x [um]", "y [um]", "concentration [mol/m^3]", "potential [V]")
        scales = (_UM, _UM, 1.0, 1.0)
        return {h: s * v for h, s, v in zip(heads, scales, middle.T, strict=True)}


def row(model: Model, time: float, charge: float, shape: Front) -> tuple[float, ...]:
    """One line of the history. Collective."""
    own = model.y.x.array[: model.owned]
    low, high = np.exp(extremes(model.domain.mesh.comm, own))
    plan = model.domain.size[0]
    return (
        time,
        charge * _MILLIAMPERE_HOURS,
        _UM * thickness(model, charge),
        _UM * (shape.height - model.domain.origin[1]),
        _UM * (shape.top - model.domain.origin[1]),
        _UM * shape.roughness,
        shape.coverage,
        shape.length,
        shape.tips,
        model.metal.concentration * low,
        model.metal.concentration * high,
        low / (low + OCCUPIED),
        model.current() / plan,
    )


def thickness(model: Model, charge: float) -> float:
    """Of the lithium that a charge (C/m^2) leaves on a flat anode, m."""
    return charge / model.metal.charge_density


def history(rows: list[tuple[float, ...]]) -> Table:
    """The rows as columns."""
    return dict(zip(_HEADS, np.array(rows).T, strict=True))


def quantities(model: Model, rows: list[tuple[float, ...]]) -> dict[str, Quantity]:
    """The last row, and the extremes of all."""
    table = history(rows)

    def last(head: str) -> float:
        return float(table[head][-1])

    def most(head: str, of: Callable[[Any], Any]) -> float:
        return float(of(table[head]))

    charge = last("charge [mA h/cm^2]") / _MILLIAMPERE_HOURS
    return {
        "roughness": Quantity(last("R_a [um]"), "um", "R_a = mean |y - mean y| of the front"),
        "deposited_charge": Quantity(charge, "C/m^2", "per area of the anode's plan"),
        "deposit_thickness": Quantity(last("deposit [um]"), "um", "if it lay flat, without fibres"),
        "front_coverage": Quantity(last("coverage"), "", "share of the width that has a front"),
        "front_length": Quantity(last("length / width"), "", "over the width"),
        "front_height": Quantity(last("mean height [um]"), "um", "mean over the bottom"),
        "front_tips": Quantity(
            last("tips"), "", "peaks that stand out by more than the interface width"
        ),
        "time": Quantity(last("t [s]"), "s", "at the end"),
        "current_density": Quantity(
            last("current density [A/m^2]"), "A/m^2", "that deposits, at the end"
        ),
        "min_concentration": Quantity(
            most("min c [mol/m^3]", np.min), "mol/m^3", "smallest in any step"
        ),
        "max_concentration": Quantity(
            most("max c [mol/m^3]", np.max), "mol/m^3", "largest in any step"
        ),
        "min_occupancy": Quantity(
            most("min occupancy", np.min), "", "smallest share of the metal's sites, in any step"
        ),
    }
