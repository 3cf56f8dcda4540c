"""TOML, includes and overrides to a case."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fem_spe.case import overrides
from fem_spe.case.model import Case, validate
from fem_spe.errors import CaseError

_FILE = "geometry.file"


def load(path: str | Path, changes: Mapping[str, Any] | None = None) -> Case:
    """Read the case file at `path`; `changes` maps dotted keys to other values.

    Raises:
        CaseError: one line that names the file, the key, the value and what would work.
    """
    path = Path(path)
    return parse(read_toml(path), changes, folder=path.parent, name=str(path))


def parse(
    data: Mapping[str, Any],
    changes: Mapping[str, Any] | None = None,
    *,
    folder: Path | None = None,
    name: str = "case",
) -> Case:
    """A case from nested dictionaries as TOML gives them; relative files are in `folder`.

    Raises:
        CaseError: one line that names `name`, the key, the value and what would work.
    """
    changes = changes or {}
    # which file is read in comes before what replaces its keys
    tree = overrides.apply(data, {k: v for k, v in changes.items() if k == _FILE})
    geometry = tree.get("geometry")
    if isinstance(geometry, dict):
        tree["geometry"] = _include(geometry, folder or Path())
    rest = {k: v for k, v in changes.items() if k != _FILE}
    return validate(overrides.apply(tree, rest), name)


def load_geometry(path: str | Path, within: tuple[Path, ...] = ()) -> dict[str, Any]:
    """The [geometry] table that a file in `meshes/` or a case file describes.

    Args:
        path: The file.
        within: The files that include it.

    Raises:
        CaseError: if it cannot be read, holds no geometry, or includes itself.
    """
    path = Path(path)
    own = path.resolve()
    if own in within:
        raise CaseError(f"{path}: [geometry] file leads back to the file itself")
    data = read_toml(path)
    geometry = data.get("geometry", data)
    if not isinstance(geometry, dict):
        raise CaseError(f"{path}: geometry = {geometry!r}: must be a table of keys and values")
    return _include(geometry, path.parent, (*within, own))


def read_toml(path: Path) -> dict[str, Any]:
    """The file as nested dictionaries.

    Raises:
        CaseError: if it cannot be read or is not TOML.
    """
    try:
        # some editors begin a file with a mark of its encoding
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise CaseError(f"{path}: there is no such file") from None
    except OSError as error:
        raise CaseError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise CaseError(
            f"{path}: not valid TOML: line {line} is not UTF-8 text; save the file as UTF-8"
        ) from None
    except tomllib.TOMLDecodeError as error:
        what = str(error).replace("Cannot overwrite a value", "the same key stands twice")
        raise CaseError(f"{path}: not valid TOML: {what}") from None


def toml_value(text: str) -> Any:
    """The TOML value that `text` writes, or `text` itself where it is none."""
    try:
        read = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return read["value"] if len(read) == 1 else text


def _include(
    geometry: dict[str, Any], folder: Path, within: tuple[Path, ...] = ()
) -> dict[str, Any]:
    """`geometry` with its `file` read in; keys beside `file` win over the file's."""
    if isinstance(network := geometry.get("network"), dict):  # that a slice is cut from
        geometry = {**geometry, "network": _include(network, folder, within)}
    file = geometry.get("file")
    if not isinstance(file, str):
        return geometry
    target = folder / file
    if geometry.get("kind") in ("mesh_file", "image"):
        return {**geometry, "file": str(target.resolve())}
    beside = {k: v for k, v in geometry.items() if k != "file"}
    if not target.is_file():
        raise CaseError(f"[geometry] file = {file!r}: there is no file {target.resolve()}")
    return {**load_geometry(target, within), **beside}
