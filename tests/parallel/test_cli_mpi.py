"""The same on two ranks: the numbers, the exit codes, and no rank that waits for another."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

pytestmark = pytest.mark.mpi

SALT = """
study = "nernst_planck"
[geometry]
kind = "fiber_section"
arrangement = "aligned"
size = ["20 um", "10 um"]
count = [4, 2]
fiber_fraction = 0.2
[mesh]
size = "1.5 um"
[materials]
matrix = {}
fiber = "impermeable"
[[species]]
name = "Li+"
charge = 1
diffusivity = "5.82e-12 m^2/s"
concentration = "1600 mol/m^3"
[[species]]
name = "TFSI-"
charge = -1
diffusivity = "1.18e-11 m^2/s"
concentration = "1600 mol/m^3"
"""

CASES = {
    "random section with cut fibres": """
[geometry]
kind = "fiber_section"
arrangement = "random"
size = ["30 um", "20 um"]
fiber_diameter = "4 um"
fiber_fraction = 0.3
aspect = 1.6
boundary = "cut"
seed = 2
[mesh]
size = "1.5 um"
interface_size = "0.6 um"
[materials]
matrix = { diffusivity = "2e-11 m^2/s" }
fiber = "impermeable"
""",
    "section with conducting filler": """
[geometry]
kind = "fiber_section"
arrangement = "alternating"
size = ["20 um", "10 um"]
count = [4, 2]
fiber_fraction = 0.1
filler_fraction = 0.15
[mesh]
size = "1.5 um"
interface_size = "0.6 um"
[materials]
matrix = "pegda-sn-litfsi"
fiber = "impermeable"
filler = "llzto"
""",
    "charging in time": """
[geometry]
kind = "fiber_section"
arrangement = "aligned"
size = ["20 um", "10 um"]
count = [4, 2]
fiber_fraction = 0.2
[mesh]
size = "1.5 um"
interface_size = "0.6 um"
[materials]
matrix = { diffusivity = "2e-11 m^2/s" }
fiber = "impermeable"
[diffusion]
mode = "transient"
[time]
end = "4 s"
output = ["1 s"]
rtol = 1e-3
""",
    "layered box in three dimensions": """
[geometry]
kind = "box"
size = ["10 um", "10 um", "15 um"]
layers = { matrix = "5 um", coating = "10 um" }
[mesh]
size = "2 um"
[materials]
matrix = { diffusivity = "2e-11 m^2/s" }
coating = { diffusivity = "1e-11 m^2/s", partition = 0.5 }
""",
    "periodic section on three meshes": """
[geometry]
kind = "fiber_section"
arrangement = "random"
size = ["20 um", "15 um"]
fiber_diameter = "4 um"
fiber_fraction = 0.25
aspect = 1.3
boundary = "periodic"
[mesh]
size = "2 um"
interface_size = "1 um"
study = 3
[materials]
matrix = { diffusivity = "2e-11 m^2/s" }
fiber = "impermeable"
[boundary.left]
periodic = true
[boundary.top]
periodic = true
""",
    "cut section, finer where the error comes from": """
[geometry]
kind = "fiber_section"
arrangement = "random"
size = ["20 um", "15 um"]
fiber_diameter = "4 um"
fiber_fraction = 0.25
aspect = 1.3
seed = 2
[mesh]
size = "2 um"
interface_size = "1 um"
adapt = 1e-4
[materials]
matrix = { diffusivity = "2e-11 m^2/s" }
fiber = "impermeable"
""",
    "diffusivity over concentration, with reactions": """
[geometry]
kind = "fiber_section"
arrangement = "aligned"
size = ["20 um", "10 um"]
count = [4, 2]
fiber_fraction = 0.2
[mesh]
size = "1.5 um"
interface_size = "0.6 um"
[materials]
fiber = { diffusivity = "2e-12 m^2/s", partition = 0.5 }
[materials.matrix.diffusivity]
value = "2e-11 m^2/s"
polynomial = [1.0, -0.3, 0.1]
reference = "1000 mol/m^3"
[boundary.bottom]
concentration = "500 mol/m^3"
[boundary.top]
flux = "1e-3 mol/m^2/s"
[reaction]
matrix = { rate = "0.02 1/s" }
fiber = { consumption = "5 mol/m^3/s" }
""",
    "clamped box in three dimensions under a traction": """
study = "elasticity"
[geometry]
kind = "box"
size = ["10 um", "8 um", "12 um"]
layers = { matrix = "5 um", coating = "7 um" }
[mesh]
size = "2 um"
[materials]
matrix = { youngs_modulus = "6 MPa", poisson_ratio = 0.4 }
coating = { youngs_modulus = "60 MPa", poisson_ratio = 0.3 }
[boundary]
bottom = { clamped = true }
top = { traction = ["0.1 MPa", "0.2 MPa", "1 MPa"] }
""",
    "balls on random fibres": """
study = "indentation"
[geometry]
kind = "fiber_section"
arrangement = "random"
size = ["20 um", "10 um"]
fiber_diameter = "2 um"
fiber_fraction = 0.2
aspect = 1.5
[mesh]
size = "2 um"
interface_size = "0.6 um"
[materials]
matrix = "pegda-sn-litfsi"
fiber = "pan"
[balls]
count = 2
radius = "3 um"
[indentation]
displacement = "1 um"
steps = 2
""",
    "conducting fibres under a charged face": """
study = "electrostatics"
[geometry]
kind = "fiber_section"
arrangement = "random"
size = ["30 um", "20 um"]
fiber_diameter = "4 um"
fiber_fraction = 0.3
aspect = 1.6
seed = 2
[mesh]
size = "1.5 um"
interface_size = "0.6 um"
[materials]
matrix = { permittivity = [40, 20] }
fiber = "conductor"
[boundary]
bottom = { potential = "0 V" }
top = { surface_charge = "1e-6 C/m^2" }
matrix-fiber = { surface_charge = "1e-7 C/m^2" }
""",
    "currents through a box with a floating interface": """
study = "electrostatics"
[geometry]
kind = "box"
size = ["10 um", "10 um", "15 um"]
layers = { matrix = "5 um", coating = "10 um" }
[mesh]
size = "2 um"
[materials]
matrix = { conductivity = "1 mS/cm" }
coating = { conductivity = "2 mS/cm" }
[boundary]
bottom = { potential = "0 V" }
matrix-coating = { floating = true }
top = { potential = "10 mV" }
""",
    "salt around fibres with kinetics": SALT
    + """
[boundary.bottom]
electrochemical_potential = "0 mV"
kinetics = { exchange_current = "100 A/m^2" }
[boundary.top]
electrochemical_potential = "50 mV"
""",
    "salt in time under a current": SALT
    + """
[nernst_planck]
mode = "transient"
[time]
end = "0.5 s"
[boundary.bottom]
flux = { "Li+" = "-2e-3 mol/m^2/s" }
[boundary.top]
flux = { "Li+" = "2e-3 mol/m^2/s" }
""",
}

SOLVE = """
import json, sys
import fem_spe.comm
from fem_spe import run
from fem_spe.case import parse
import tomllib
found = {}
for name, text in json.loads(sys.argv[1]).items():
    tree = {"study": "diffusion", "output": {"figures": False}, **tomllib.loads(text)}
    result = run(parse(tree))
    assert not result.failed_checks, result.checks
    found[name] = {k: (q.value, q.unit) for k, q in result.quantities.items()}
    found[name]["cells"] = (result.domain.num_cells, "")
if result.domain.mesh.comm.rank == 0:
    print(json.dumps([result.domain.mesh.comm.size, found]))
"""


@pytest.fixture(scope="module")
def solved(tmp_path_factory, python) -> dict[int, dict[str, Any]]:
    """All cases on one and on two ranks: ranks -> case -> quantity -> (value, unit)."""
    here = tmp_path_factory.mktemp("solved")
    found = {}
    for ranks in (1, 2):
        done = python(SOLVE, json.dumps(CASES), cwd=here, ranks=ranks, timeout=400)
        assert done.returncode == 0, done.stderr
        size, found[ranks] = json.loads(done.stdout)
        assert size == ranks
    return found


ROUND_OFF = {"max_penetration"}  # zero but for the last digits of a coordinate
CONTACT = 1e-7  # of a contact; everything else agrees to 1e-9


def differing(one: dict[str, Any], two: dict[str, Any], tolerance: float = 1e-9) -> dict[str, Any]:
    """The quantities that differ by more than the tolerance; of a ratio, so much of one."""
    assert one.keys() == two.keys()
    return {
        name: (value, two[name][0])
        for name, (value, unit) in one.items()
        if name not in ROUND_OFF
        and two[name][0] != pytest.approx(value, rel=tolerance, abs=0.0 if unit else tolerance)
    }


@pytest.mark.parametrize("case", CASES)
def test_one_and_two_ranks_give_the_same_numbers(solved, case):
    one, two = solved[1][case], solved[2][case]
    steady = {"relative_diffusivity", "flux_in", "flux_uniformity", "pathway_length"}
    expected = {
        "charging in time": {
            "breakthrough_time", "flux_in", "stored_amount", "mean_concentration",
        },
        "diffusivity over concentration, with reactions": {"flux_in", "flux_out", "consumed"},
        "clamped box in three dimensions under a traction": {
            "reaction_z.bottom", "max_von_mises.coating", "max_principal.matrix", "strain_energy",
        },
        "conducting fibres under a charged face": {
            "charge.bottom", "charge.matrix-fiber", "potential.top", "max_field", "energy",
        },
        "currents through a box with a floating interface": {"resistance", "current.top"},
        "salt around fibres with kinetics": {"flux_in", "min_concentration", "current_uniformity"},
        "salt in time under a current": {"overpotential", "min_concentration", "sand_time"},
        "balls on random fibres": {
            "contact_force", "contact_radius", "max_penetration", "p99_von_mises.fiber",
            "energy_share.fiber",
        },
    }  # fmt: skip
    assert expected.get(case, steady) <= one.keys()
    assert differing(one, two, CONTACT if "contact_force" in one else 1e-9) == {}


def test_the_command_gives_the_same_summary_on_two_ranks(small_case, tmp_path, fem_spe):
    found = {}
    for ranks in (1, 2):
        folder = tmp_path / str(ranks)
        done = fem_spe("run", small_case, "-o", folder, "--json", cwd=tmp_path, ranks=ranks)
        assert done.returncode == 0, done.stderr
        found[ranks] = json.loads(done.stdout)
        assert found[ranks] == json.loads((folder / "summary.json").read_text("utf-8"))
        assert found[ranks]["provenance"]["ranks"] == ranks
    one, two = (
        {k: (q["value"], q["unit"]) for k, q in found[n]["quantities"].items()} for n in (1, 2)
    )
    assert differing(one, two) == {}
    assert found[1]["mesh"] == found[2]["mesh"]
    tables = [(tmp_path / n / "tables" / "anode_flux.csv").read_text("utf-8") for n in "12"]
    assert len(tables[0].splitlines()) == len(tables[1].splitlines())


@pytest.mark.parametrize(
    ("words", "told", "code"),
    [
        (["--set", "geometry.fibre_fraction=0.2"], ["'fibre_fraction'", "'fiber_fraction'"], 2),
        (["-o", "/proc/fem-spe"], ["/proc/fem-spe", "written"], 2),
        # raised on rank 0 alone, while the other waits for the mesh
        (["--set", "mesh.interface_size=0.01 nm"], ["[mesh]", "cells"], 2),
        (["--set", "diffusion.direction=z"], ["direction = 'z'"], 2),
        (["--set", "solver.rtol=1e-30"], ["residual", "rtol"], 3),
    ],
    ids=lambda v: v[1] if isinstance(v, list) and v[0].startswith("-") else None,
)
def test_two_ranks_end_alike_with_one_line(small_case, tmp_path, fem_spe, words, told, code):
    done = fem_spe("run", small_case, "--quiet", *words, cwd=tmp_path, ranks=2)
    assert done.returncode == code, done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("fem-spe:")]) == 1
    assert "Traceback" not in done.stderr
    assert [part for part in told if part not in done.stderr] == []
    assert not list(tmp_path.rglob("summary.json"))


ALONE = """
import sys
import fem_spe.comm
from mpi4py import MPI
from fem_spe import cli, job
def broken(*words, **more):
    if MPI.COMM_WORLD.rank == {rank}:
        raise RuntimeError("alone")
    MPI.COMM_WORLD.barrier()
job.run = broken
fem_spe.comm._GRACE = 1.0
sys.argv[0] = "fem-spe"
cli.main()
"""


def test_a_rank_that_fails_alone_ends_the_others(small_case, tmp_path, python):
    """Either of them: neither may leave the other waiting."""

    def alone(rank: int) -> int:
        code = ALONE.format(rank=rank)
        done = python(code, "run", small_case, cwd=tmp_path, ranks=2)
        assert "unexpected RuntimeError: alone" in done.stderr
        return done.returncode

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(alone, (0, 1))) == [1, 1]
