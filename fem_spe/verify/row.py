"""One comparison with an exact answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes:
        name: What is compared.
        value: What the program finds.
        exact: What it should find; for orders and balances, the least or zero.
        error: Relative difference, or how far an order falls short.
        limit: Of the error.
        source: Of the exact answer.
    """

    name: str
    value: float
    exact: float
    error: float
    limit: float
    source: str

    @property
    def passed(self) -> bool:
        """True where the error keeps to the limit."""
        return self.error <= self.limit


def compared(name: str, value: float, exact: float, limit: float, source: str) -> Row:
    """The relative difference of `value` from `exact`, which is not zero."""
    return Row(name, value, exact, abs(value / exact - 1.0), limit, source)
