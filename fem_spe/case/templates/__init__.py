"""Case files to start from."""

from __future__ import annotations

from importlib import resources

from fem_spe.errors import CaseError, did_you_mean


def kinds() -> list[str]:
    """The names that `template` knows."""
    files = resources.files(__name__).iterdir()
    return sorted(f.name.removesuffix(".toml") for f in files if f.name.endswith(".toml"))


def template(kind: str) -> str:
    """The text of the case file for `kind`.

    Raises:
        CaseError: if there is none; the message names those there are.
    """
    if kind not in kinds():
        hint = did_you_mean(kind, kinds())
        raise CaseError(f"no template {kind!r}; {hint}known are {', '.join(kinds())}")
    return resources.files(__name__).joinpath(f"{kind}.toml").read_text("utf-8")
