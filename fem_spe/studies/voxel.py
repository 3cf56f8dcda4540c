"""Steady diffusion straight on the voxels of an image: [diffusion] method = "voxel"."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fem_spe.case import Case
from fem_spe.errors import CaseError, GeometryError
from fem_spe.geometry import Box, MeshFile, Voxels
from fem_spe.geometry.faces import faces_across
from fem_spe.geometry.image_sample import voxelize
from fem_spe.measure.connected import parts
from fem_spe.progress import Clock, log
from fem_spe.results import Check, Quantity, Solution
from fem_spe.solve.voxel import Conduction, conduct, warm_up
from fem_spe.studies.transport import REFERENCE, Form, Transport, component, transport

if TYPE_CHECKING:
    from fem_spe.meshing import Structure

_COARSE = 8  # voxels along each side, at least, of an image that tells the error
# of fluxes: their error goes with the root of the energy's
_BALANCE = 10.0


def require(case: Case) -> None:
    """Raise where the case asks for more than the effective coefficient of a steady state.

    Raises:
        CaseError: with what to change.
    """
    where = '[diffusion] method = "voxel"'
    if isinstance(case.geometry, MeshFile) or len(case.geometry.size) != 3:
        raise CaseError(f"{where} needs a structure in 3-D that is no mesh; remove it")
    if case.diffusion.mode != "steady":
        raise CaseError(f'{where} knows steady states alone: remove it, or give mode = "steady"')
    for name, given in (
        ("boundary", case.boundary),
        ("reaction", case.reaction),
        ("probe", case.probe),
    ):
        if given:
            raise CaseError(f"{where} has no [{name}]: [diffusion] direction drives; remove one")
    if case.mesh.study is not None or case.mesh.adapt is not None:
        raise CaseError(f"{where} makes no mesh: remove [mesh] study and adapt")


def run(case: Case, structure: Structure, clock: Clock) -> Solution:
    """The effective coefficient of a structure. On one rank.

    Raises:
        GeometryError: if no path leads through.
        ConvergenceError: if the iteration does not end.
    """
    with clock.stage("voxels") as stage:
        voxels = voxelize(structure, case.mesh.voxel or 0.0)
        fine = _image(case, voxels)
        stage.note = str(voxels)
    with clock.stage("compile") as stage:
        stage.note = warm_up()
    rtol = case.diffusion.rtol
    with clock.stage("solve") as stage:
        found = conduct(fine.labels, fine.values, voxels.voxel_size, fine.axis, rtol=rtol)
        stage.note = f"{found.num_dofs} unknowns, {found.iterations} iterations"
    with clock.stage("estimate") as stage:
        error = _estimate(fine, voxels, found.effective, rtol)
        stage.note = "too few voxels" if error is None else f"relative error {error:.1e}"
    how = f"finite volumes on voxels of {voxels.edges}"
    if not isinstance(structure, Box):
        thinnest = structure.thinnest if hasattr(structure, "thinnest") else voxels.thinnest
        how += f", {thinnest / max(voxels.voxel_size):.2g} voxels per thinnest part"
    quantities = _quantities(case, voxels, fine, found, error, how)
    low, high = found.flows
    imbalance = abs(high - low) / max(high, low)
    checks = {"flux_imbalance": Check(imbalance, max(_BALANCE * math.sqrt(rtol), 1e-6))}
    told = {
        "iterations": found.iterations,
        "method": "finite volumes on voxels, conjugate gradients with multigrid",
        "change": found.change,
        "voxels": list(voxels.labels.shape),
        "voxel_size": list(voxels.voxel_size),
        "form": fine.coefficients.form,
    }
    return Solution(quantities, checks, {}, {}, told, found.num_dofs)


@dataclass(frozen=True)
class _Image:
    """What is solved on: `values[label]` along each axis, the isolated parts taken out."""

    labels: NDArray[np.uint8]
    values: NDArray[np.float64]
    coefficients: Transport
    axis: int
    isolated: float  # share of the conducting voxels


def _image(case: Case, voxels: Voxels) -> _Image:
    conducting = [r for r in voxels.regions if case.material(r) is not None]
    coefficients = transport(case, conducting, 3)
    values = np.zeros((len(voxels.regions) + 1, 3))
    for k, region in enumerate(voxels.regions):
        if region in coefficients.values:
            values[k] = coefficients.values[region]
    direction = case.diffusion.direction or "z"
    axis = "xyz".index(direction)
    labels, isolated = _connected(voxels.labels, values, axis)
    if labels is None:
        low, high = faces_across(3, direction)
        raise GeometryError(
            f"no path leads through the electrolyte from {low} to {high}: impermeable parts close "
            "it; lower fiber_fraction, take another threshold, seed or direction"
        )
    if isolated:
        log.warning("%.2g %% of the electrolyte leads nowhere and was left out", 100 * isolated)
    return _Image(labels, values, coefficients, axis, isolated)


def _connected(
    labels: NDArray[np.uint8], values: NDArray[np.float64], axis: int
) -> tuple[NDArray[np.uint8] | None, float]:
    """The labels without the parts that do not lead through, and their share.

    What does not join both electrodes carries nothing; its voxels take the last label.
    """
    open_ = values.min(axis=1)[labels] > 0
    if open_.all():
        return labels, 0.0
    found = parts(open_)
    through = found.through(axis)
    if len(through) == 0:
        return None, 1.0
    closed = open_ & ~np.isin(found.part, through)
    count = int(np.count_nonzero(closed))
    if count == 0:
        return labels, 0.0
    return np.where(closed, np.uint8(len(values) - 1), labels), count / int(found.sizes.sum())


def _estimate(fine: _Image, voxels: Voxels, value: float, rtol: float) -> float | None:
    """Relative error of `value`, from the same on every second and on every fourth voxel.

    The stairs that voxels make of a surface converge with an order of 0.6 to 1, so that the first
    halving leaves up to twice the change that it brings, and two halvings two thirds of theirs.
    The larger of both counts: one alone may be small by chance. None where too few voxels remain.
    """
    found = []
    for every, share in ((2, 2.0), (4, 2.0 / 3.0)):
        labels = np.ascontiguousarray(fine.labels[::every, ::every, ::every])
        if min(labels.shape) < _COARSE:
            break
        kept, _ = _connected(labels, fine.values, fine.axis)
        if kept is None:
            break
        x, y, z = (every * edge for edge in voxels.voxel_size)
        coarse = conduct(kept, fine.values, (x, y, z), fine.axis, rtol=10 * rtol).effective
        found.append(share * abs(coarse / value - 1.0))
    return max(found, default=None)


def _quantities(
    case: Case, voxels: Voxels, image: _Image, found: Conduction, error: float | None, how: str
) -> dict[str, Quantity]:
    """Effective properties, each with the error that the voxels leave."""

    def measured(value: float, unit: str, what: str) -> Quantity:
        return Quantity(value, unit, f"{what}; {how}", None if error is None else error * value)

    coefficients, axis = image.coefficients, image.axis
    quantities: dict[str, Quantity] = {}
    matrix = coefficients.reference(axis)
    relative = found.effective / matrix if matrix else None
    if relative is not None:
        quantities["relative_diffusivity"] = measured(relative, "", "D_eff / D_matrix")
    reference = next((case.material(r) for r in REFERENCE if r in coefficients.values), None)
    units: dict[Form, str] = {"diffusivity": "m^2/s", "conductivity": "S/m"}
    for name, unit in units.items():
        value = None
        if coefficients.form == name:
            value = found.effective
        elif relative is not None and reference is not None and reference.has(name):
            value = relative * component(reference.at(name, case.temperature), axis)
        if value is not None:
            quantities[f"effective_{name}"] = measured(value, unit, f"effective {name}")
    conducting = sum(voxels.fractions[r] for r in coefficients.values)
    if relative is not None and len(coefficients.values) == 1:
        conducting *= 1.0 - image.isolated
        quantities["tortuosity_factor"] = measured(
            conducting / relative, "", "conducting fraction * D_matrix / D_eff"
        )
    length = voxels.size[axis]
    section = math.prod(voxels.size) / length
    unit = coefficients.flux_unit(3)
    for which, flow in zip(("flux_out", "flux_in"), found.flows, strict=True):
        quantities[which] = measured(flow * section / length, unit, "total flux")
    for region, share in voxels.fractions.items():
        if region not in REFERENCE:
            what = f"measured fraction of {region}"
            quantities[f"{region}_fraction"] = Quantity(share, "", what)
    if image.isolated:
        quantities["isolated_fraction"] = Quantity(
            image.isolated, "", "share of the electrolyte that leads nowhere, left out"
        )
    return quantities
