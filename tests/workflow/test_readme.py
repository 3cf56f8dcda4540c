"""The Python of the README runs as it stands there, and the cases of the documents are valid."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

import fem_spe

ROOT = Path(__file__).parents[2]


def blocks(language: str, document: str = "README.md") -> list[str]:
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


@pytest.mark.slow
def test_the_python_runs(tmp_path: Path, python: Any) -> None:
    for folder in ("workflows", "meshes"):  # a copy: what the script may write stays there
        shutil.copytree(ROOT / folder, tmp_path / folder)
    script = "\n".join(blocks("python"))
    saved = script + '\npicture.save("c.png")\nresult.figure("mesh").save("mesh.png")\n'
    done = python(saved, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    values = [float(line.split()[1]) for line in done.stdout.splitlines()]
    assert len(values) == 3
    assert all(0.5 < value < 0.67 for value in values)
    assert (tmp_path / "c.png").stat().st_size > 20_000
    assert (tmp_path / "mesh.png").stat().st_size > 20_000


BOX: dict[str, Any] = {
    "geometry": {"kind": "box", "size": ["250 um", "80 um"]},
    "materials": {"matrix": "pegda-sn-litfsi", "fiber": "pan"},
}
TRANSIENT = {"study": "diffusion", "diffusion": {"mode": "transient"}, "time": {"end": "1 min"}}


@pytest.mark.parametrize(
    "document", ["README.md", "docs/cases.md", "docs/mechanics.md", "docs/structures.md"]
)
def test_the_cases_are_valid(document: str) -> None:
    texts = blocks("toml", document)
    assert texts
    for text in texts:
        tables = tomllib.loads(text)
        # a part of a case stands for itself within a small one
        fem_spe.parse(BOX | ({} if "study" in tables else TRANSIENT) | tables)
