"""Comparisons with exact answers: each with its error, its limit and its source.

`fem-spe verify` prints them; the tests run the same functions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict

from fem_spe.verify import (
    cathode,
    contact,
    dendrite,
    elasticity,
    electrolyte,
    electrolyte_orders,
    electrostatics,
    experiments,
    frames,
    hertz,
    inclusions,
    large_strain,
    meshes,
    mortar,
    mortar_surface,
    nonlinear,
    orders,
    percentiles,
    plasticity,
    printed,
    printed_cell,
    punch,
    sections,
    solids,
    space_charge,
    space_charge_orders,
    transients,
    voxels,
)
from fem_spe.verify.row import Row

__all__ = ["COMPARISONS", "Row", "print_table", "run_all"]

COMPARISONS: dict[str, Callable[[], Iterator[Row]]] = {
    "square_arrays": sections.square_arrays,
    "reciprocity": sections.reciprocity,
    "cubic_arrays": solids.cubic_arrays,
    "layers": sections.layers,
    "balance": sections.balance,
    "periodic_cells": meshes.periodic_cells,
    "estimates": meshes.estimates,
    "adapted": meshes.adapted,
    "convergence": orders.convergence,
    "step_at_a_face": transients.step_at_a_face,
    "step_within": transients.step_within,
    "slab_in_time": transients.slab_in_time,
    "layers_in_time": transients.layers_in_time,
    "time_order": transients.time_order,
    "time_steps": transients.time_steps,
    "reacting_slabs": nonlinear.reacting_slabs,
    "kirchhoff_slabs": nonlinear.kirchhoff_slabs,
    "closed_box": nonlinear.closed_box,
    "conserved_in_sections": nonlinear.conserved_in_sections,
    "nonlinear_convergence": nonlinear.convergence,
    "capacitors": electrostatics.capacitors,
    "in_a_uniform_field": electrostatics.in_a_uniform_field,
    "conduction_in_sections": electrostatics.conduction_in_sections,
    "electric_balance": electrostatics.electric_balance,
    "steady_salt": electrolyte.steady_profile,
    "salt_voltages": electrolyte.steady_voltages,
    "salt_potentials": electrolyte.fixed_potentials,
    "salt_kinetics": electrolyte.kinetics,
    "fixed_anions": electrolyte.fixed_anions,
    "sand": electrolyte.sand,
    "bruce_vincent": electrolyte.bruce_vincent,
    "impedance": electrolyte.impedance,
    "double_layers": experiments.double_layers,
    "depletion": experiments.depletion,
    "salt_orders": electrolyte_orders.space_orders,
    "salt_in_time": electrolyte_orders.time_order,
    "charged_layers": space_charge.layers,
    "charged_walls": space_charge.charged_walls,
    "towards_neutrality": space_charge.towards_neutrality,
    "thin_layers_in_time": space_charge.thin_layers_in_time,
    "space_charge_orders": space_charge_orders.space_orders,
    "space_charge_in_time": space_charge_orders.time_order,
    "patch": elasticity.patch,
    "elastic_orders": elasticity.elastic_orders,
    "thick_cylinder": elasticity.thick_cylinder,
    "nearly_incompressible": elasticity.nearly_incompressible,
    "laminate": elasticity.laminate,
    "hole": inclusions.hole,
    "disc": inclusions.disc,
    "uniform_blocks": large_strain.uniform_blocks,
    "small_strain_limit": large_strain.small_strain_limit,
    "newton_at_finite_strain": large_strain.newton_at_finite_strain,
    "turned_frame": large_strain.turned_frame,
    "pressed_block": large_strain.pressed_block,
    "line_contact": contact.line_contact,
    "ball_contact": hertz.ball_contact,
    "flat_punch": punch.flat_punch,
    "turned_balls": frames.turned_balls,
    "yielding_bars": plasticity.uniaxial,
    "burst_cylinder": plasticity.burst,
    "mortar_patch": mortar.patch,
    "two_cylinders": mortar.two_cylinders,
    "mortar_patch_3d": mortar_surface.patch,
    "two_balls": mortar_surface.two_balls,
    "stiff_ball": mortar_surface.stiff_ball,
    "percentiles": percentiles.percentiles,
    "front_at_rest": dendrite.front_at_rest,
    "shrinking_circle": dendrite.shrinking_circle,
    "energy_falls": dendrite.energy_falls,
    "planar_law": dendrite.planar_law,
    "voxel_laminates": voxels.voxel_laminates,
    "voxel_distance": voxels.voxel_distance,
    "voxel_spheres": voxels.voxel_spheres,
    "printed": printed.printed,
    "printed_film": printed_cell.flat_film,
    "printed_pillars": printed_cell.pillars,
    "planar_crossing": printed_cell.crossing,
    "cathode_even_uptake": cathode.even_uptake,
    "cathode_kinetics": cathode.linear_kinetics,
    "cathode_crossing": cathode.crossing,
    "cathode_pillars": cathode.pillars,
    "cathode_discharge": cathode.discharge,
}


def run_all() -> list[Row]:
    """All comparisons, in the order of `COMPARISONS`."""
    return [row for compare in COMPARISONS.values() for row in compare()]


def print_table(rows: list[Row], *, as_json: bool = False) -> None:
    """The comparisons as a table, or as JSON."""
    if as_json:
        print(json.dumps([{**asdict(row), "passed": row.passed} for row in rows], indent=2))
        return
    print(f"{'comparison':52} {'value':>13} {'exact':>13} {'error':>9} {'limit':>8}")
    for row in rows:
        verdict = "" if row.passed else "  FAILED"
        print(
            f"{row.name:52} {row.value:13.9g} {row.exact:13.9g} {row.error:9.1e} "
            f"{row.limit:8.0e}{verdict}  {row.source}"
        )
    failed = sum(not row.passed for row in rows)
    print(f"\n{len(rows) - failed} of {len(rows)} comparisons within their limits")
