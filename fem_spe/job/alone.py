"""A structure alone, as a mesh or as voxels in a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fem_spe.case import Case, load, parse
from fem_spe.case.load import load_geometry, read_toml
from fem_spe.domain import MeshArrays
from fem_spe.errors import CaseError
from fem_spe.geometry import Voxels
from fem_spe.geometry.image_file import FORMATS as IMAGES
from fem_spe.geometry.image_file import write as write_image
from fem_spe.geometry.image_sample import voxelize
from fem_spe.job.prepare import check, mesh_plan, placed, with_sizes, with_voxels
from fem_spe.meshing import FORMATS, mesh_arrays
from fem_spe.studies import Plan


def mesh_only(description: Path, file: Path, overrides: dict[str, Any]) -> MeshArrays:
    """Mesh a case, or a geometry with all its regions, into `file`. On one rank.

    Raises:
        FemSpeError: if the description is wrong or cannot be meshed.
    """
    if file.suffix not in FORMATS:
        raise CaseError(
            f"{file}: unknown mesh format; known are {', '.join(FORMATS)}, and for voxels "
            f"{', '.join(IMAGES)}"
        )
    case, plan = _described(description, file, overrides)
    structure = placed(case)
    wanted = mesh_plan(with_sizes(case, structure), structure, plan or Plan())
    return mesh_arrays(wanted, file)


def image_only(description: Path, file: Path, overrides: dict[str, Any]) -> Voxels:
    """The structure of a case, or of a geometry, as a voxel image in `file`. On one rank.

    Raises:
        FemSpeError: if the description is wrong, or of something that has no voxels.
    """
    case, _ = _described(description, file, overrides)
    structure = placed(case)
    case = with_voxels(case, structure)
    voxels = voxelize(structure, case.mesh.voxel or 0.0)
    write_image(file, voxels.labels, voxels.voxel_size)
    return voxels


def _described(
    description: Path, file: Path, overrides: dict[str, Any]
) -> tuple[Case, Plan | None]:
    """The case that `description` is, or wraps; `file` is what will be written."""
    if not file.parent.is_dir():
        raise CaseError(f"{file}: there is no folder {file.parent}")
    _require_writable(file)
    data = read_toml(description)
    if "study" in data:
        case = load(description, overrides)
        return case, check(case)[1]
    # a geometry alone: every region is meshed, whatever it may be made of
    geometry = load_geometry(description)
    any_material = {"matrix": {"diffusivity": 1.0}}
    whole = {"study": "diffusion", "geometry": geometry, "materials": any_material}
    return parse(whole, overrides, folder=description.parent, name=str(description)), Plan()


def _require_writable(file: Path) -> None:
    there = file.exists()
    try:
        file.open("ab").close()
    except OSError as error:
        raise CaseError(f"{file}: cannot be written ({error.strerror})") from None
    if not there:
        file.unlink()
