"""Case files: TOML to a validated, frozen case in SI, and back."""

from fem_spe.case.boundary import Boundary
from fem_spe.case.load import load, parse
from fem_spe.case.model import Case
from fem_spe.case.resolved import schema, to_toml

__all__ = ["Boundary", "Case", "load", "parse", "schema", "to_toml"]
