"""Meshes that are finer where it matters, and what is carried from one to the next."""

from __future__ import annotations

from fem_spe.adapt.base import gathered
from fem_spe.adapt.by_error import finer
from fem_spe.adapt.nested import Nested, Wanted, halved, nested
from fem_spe.adapt.transfer import Transfer

__all__ = ["Nested", "Transfer", "Wanted", "finer", "gathered", "halved", "nested"]
