"""What a run found, and the folder it is kept in."""

from fem_spe.results.folder import (
    alone_in,
    discard,
    open_folder,
    provenance,
    read_case,
    read_summary,
    read_table,
    write_fields,
    write_summary,
    write_tables,
    written,
)
from fem_spe.results.solution import CellErrors, Check, Frame, Quantity, Result, Solution, Table

__all__ = [
    "CellErrors",
    "Check",
    "Frame",
    "Quantity",
    "Result",
    "Solution",
    "Table",
    "alone_in",
    "discard",
    "open_folder",
    "provenance",
    "read_case",
    "read_summary",
    "read_table",
    "write_fields",
    "write_summary",
    "write_tables",
    "written",
]
