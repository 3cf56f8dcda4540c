"""The rooms of the package import one another only along the arrows of the design."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "fem_spe"

# From the ground up; a room may import earlier layers and the rooms to its left.
LAYERS = {
    "base": ["units", "errors", "comm", "progress", "interrupt", "exact"],
    "describe": ["materials", "geometry", "case"],
    "discretise": ["domain", "meshing", "adapt"],
    "model": ["physics", "solve", "measure"],
    "join": ["results", "checkpoint", "studies"],
    "show": ["render", "plot", "figures"],
    "top": ["info", "doubt", "job", "verify", "ensemble", "report", "cli", "__init__", "__main__"],
}
ROOMS = [room for rooms in LAYERS.values() for room in rooms]

# Rooms that may see less than their layer would allow.
SHOWN = {*LAYERS["base"], "materials", "results", *LAYERS["show"]}  # result folders only
NARROW = {
    "geometry": set(LAYERS["base"]),
    "domain": set(LAYERS["base"]),
    "meshing": {*LAYERS["base"], "geometry", "domain"},
    "render": SHOWN,
    "plot": SHOWN,
    "figures": SHOWN,
}

FINITE_ELEMENTS = {*LAYERS["discretise"], *LAYERS["model"], *LAYERS["join"], "verify"}

# Third party -> the only rooms that may import it; the longest match counts.
OWNERS = {
    "dolfinx_solver": {"comm"},
    "gmsh": {"meshing"},
    "meshio": {"meshing"},
    "petsc4py": {"solve"},
    "dolfinx.fem.petsc": {"solve"},
    "slepc4py": {"solve"},
    "pyvista": {"render"},
    "vtk": {"render"},
    "vtkmodules": {"render"},
    "matplotlib": {"render", "plot"},
    "pint": {"units"},
    "cyclopts": {"cli"},
    "dolfinx": FINITE_ELEMENTS,
    "basix": FINITE_ELEMENTS,
    "ufl": FINITE_ELEMENTS,
    "ffcx": FINITE_ELEMENTS,
}


def imports(file: Path, package: Path) -> Iterator[tuple[str, int]]:
    """(module or attribute, line) of every import in `file`, those inside functions too."""
    here = ("fem_spe", *file.relative_to(package).with_suffix("").parts)
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(here[: -node.level]) if node.level else ""
            module = ".".join(filter(None, [start, node.module]))
            yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)
        elif (
            isinstance(node, ast.Call)
            and ast.unparse(node.func) in ("importlib.import_module", "import_module", "__import__")
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            yield str(node.args[0].value), node.lineno


def misplaced(package: Path) -> list[str]:
    """Every import that goes against the design, as `file:line: what is wrong`."""
    found = []
    for file in sorted(package.rglob("*.py")):
        room = file.relative_to(package).parts[0].removesuffix(".py")
        if room not in ROOMS:
            found.append(f"{file.name}:1: {room!r} is no room of the house")
            continue
        for name, line in imports(file, package):
            wrong = _wrong(room, name)
            if wrong:
                found.append(f"{file.relative_to(package)}:{line}: {wrong}")
    return found


def _wrong(room: str, name: str) -> str:
    parts = name.split(".")
    if parts[0] == "fem_spe":
        target = parts[1] if len(parts) > 1 and parts[1] in ROOMS else "__init__"
        if target != room and target not in allowed(room):
            return f"{room} imports {target}"
        return ""
    owned = [key for key in OWNERS if f"{name}.".startswith(f"{key}.")]
    if owned and room not in OWNERS[max(owned, key=len)]:
        return f"{room} imports {name}"
    return ""


def allowed(room: str) -> set[str]:
    """The rooms that `room` may import."""
    return NARROW.get(room, set(ROOMS)) & set(ROOMS[: ROOMS.index(room)])


def circles(package: Path) -> list[str]:
    """Modules that import themselves by way of others."""
    arrows: dict[str, set[str]] = {}
    for file in package.rglob("*.py"):
        own = ".".join(("fem_spe", *file.relative_to(package).with_suffix("").parts))
        arrows[own] = {name for name, _ in imports(file, package)}
    for own, names in arrows.items():
        # `fem_spe.a.b.name` may be a module or something in one
        steps = {s for n in names for s in (n, n.rpartition(".")[0]) if s in arrows}
        arrows[own] = steps - {own}
    for _ in range(len(arrows)):  # who imports nobody, or is imported by nobody, is in no circle
        met = set().union(*arrows.values())
        arrows = {
            own: names & arrows.keys() for own, names in arrows.items() if names and own in met
        }
    return sorted(arrows)


@pytest.fixture
def house(tmp_path):
    """A made-up package from {file: source}."""

    def build(files: dict[str, str]) -> Path:
        for name, source in files.items():
            file = tmp_path / "fem_spe" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(source, encoding="utf-8")
        return tmp_path / "fem_spe"

    return build


def test_every_import_goes_to_an_earlier_layer_or_to_the_left():
    assert misplaced(PACKAGE) == []


def test_no_module_imports_itself_by_way_of_others():
    assert circles(PACKAGE) == []


def test_no_file_is_longer_than_400_lines():
    sizes = {f: len(f.read_text(encoding="utf-8").splitlines()) for f in PACKAGE.rglob("*.py")}
    assert {str(file): lines for file, lines in sizes.items() if lines > 400} == {}


@pytest.mark.parametrize(
    ("file", "source", "wrong"),
    [
        ("units.py", "from fem_spe.case import Case", "units imports case"),
        ("units.py", "from fem_spe.errors import CaseError", "units imports errors"),
        ("geometry/box.py", "def f():\n    from fem_spe.domain import Domain", "geometry imports"),
        ("geometry/box.py", "from fem_spe.materials import lookup", "geometry imports materials"),
        ("case/load.py", "from ..studies import lookup", "case imports studies"),
        ("meshing/box.py", "from fem_spe.case import Case", "meshing imports case"),
        ("physics/a.py", "from fem_spe import solve", "physics imports solve"),
        ("render/field.py", "from fem_spe.studies import names", "render imports studies"),
        ("results.py", "import fem_spe", "results imports __init__"),
        ("job.py", "import importlib\nimportlib.import_module('fem_spe.cli')", "job imports cli"),
        ("case/model.py", "if TYPE_CHECKING:\n    from fem_spe.domain import Domain", "case imp"),
        ("geometry/box.py", "import gmsh", "geometry imports gmsh"),
        ("geometry/box.py", "from dolfinx import mesh", "geometry imports dolfinx.mesh"),
        ("domain.py", "def f():\n    import meshio", "domain imports meshio"),
        ("measure/flux.py", "from petsc4py import PETSc", "measure imports petsc4py.PETSc"),
        ("measure/flux.py", "from dolfinx.fem import petsc", "measure imports dolfinx.fem.petsc"),
        ("plot.py", "import pyvista as pv", "plot imports pyvista"),
        ("domain.py", "import dolfinx_solver", "domain imports dolfinx_solver"),
        ("helpers.py", "", "is no room"),
    ],
)
def test_the_check_finds_an_import_that_is_misplaced(house, file, source, wrong):
    found = misplaced(house({file: source}))
    assert len(found) == 1
    assert wrong in found[0]


def test_the_check_passes_imports_that_are_in_place(house):
    files = {
        "cli.py": "def run():\n    from fem_spe.job import run\n    from . import comm",
        "meshing/box.py": "import gmsh\nfrom fem_spe.geometry import Box\nfrom .sizes import Sizes",
        "meshing/sizes.py": "from fem_spe.errors import MeshError",
        "solve/linear.py": "from dolfinx.fem import petsc\nfrom petsc4py import PETSc",
        "studies/diffusion.py": "from dolfinx import fem\nfrom fem_spe.case import Case",
    }
    assert misplaced(house(files)) == []
    assert circles(house(files)) == []


def test_the_check_finds_a_circle(house):
    files = {
        "case/a.py": "from fem_spe.case.b import f\nfrom fem_spe.errors import CaseError",
        "case/b.py": "def f():\n    from .a import g",
        "cli.py": "from fem_spe.case.a import f",
        "errors.py": "",
    }
    assert circles(house(files)) == ["fem_spe.case.a", "fem_spe.case.b"]


def heavy_doors() -> list[str]:
    """The rooms of modules that import DOLFINx or its parts: whoever takes one enters its room.

    A module on top, in no room, is a door of its own.
    """
    heavy = set()
    for file in sorted(PACKAGE.rglob("*.py")):
        top = ast.parse(file.read_text(encoding="utf-8")).body
        text = "\n".join(ast.unparse(n) for n in top if isinstance(n, (ast.Import, ast.ImportFrom)))
        if any(name in text for name in ("dolfinx", "basix", "petsc4py")):
            room = file.relative_to(PACKAGE).with_suffix("").parts[:1]
            heavy.add(".".join(("fem_spe", *room)))
    return sorted(heavy)


# Ends with what is imported first, where nothing is gained from importing the rest.
FIRST = """
import sys
class Door:
    def find_spec(self, name, path=None, target=None):
        if name == "dolfinx_solver":
            sys.exit()
        if name in ("dolfinx", "basix", "petsc4py", "mpi4py.MPI"):
            sys.exit(name + " before dolfinx_solver")
sys.meta_path.insert(0, Door())
import {module}
sys.exit("no dolfinx_solver")
"""


def test_every_room_can_be_the_first_that_is_imported():
    """`dolfinx_solver` must come before DOLFINx, whichever door is taken."""

    def alone(module: str) -> tuple[str, str]:
        command = [sys.executable, "-c", FIRST.format(module=module)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return module, (done.stderr.strip().splitlines() or [""])[-1]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        failed = {module: error for module, error in pool.map(alone, heavy_doors()) if error}
    assert failed == {}
