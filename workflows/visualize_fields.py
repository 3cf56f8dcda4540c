"""Concentration fields of finished results below one another, and the flux at the anode.

    python workflows/visualize_fields.py RESULT... [-o PICTURE]

Shows how to draw from result folders alone: no simulation is run.
"""

import argparse
import sys
from pathlib import Path

from fem_spe.errors import CaseError, FemSpeError
from fem_spe.figures import concentration_label, panel
from fem_spe.render import Panel, draw_fields
from fem_spe.render.style import style
from fem_spe.results import read_case, read_summary, read_table


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", nargs="+", type=Path, help="result folders of 2-D diffusion")
    parser.add_argument("-o", "--output", type=Path, default=Path("fields.png"))
    options = parser.parse_args(arguments)
    try:
        panels = [concentrations(folder) for folder in options.results]
        label = concentration_label(read_case(options.results[0]))
        print(draw_fields(panels, options.output, label=label))
        steady = [f for f in options.results if (f / "tables" / "anode_flux.csv").exists()]
        if steady:
            curves = options.output.with_name(f"{options.output.stem}_anode_flux.png")
            print(draw_fluxes(steady, curves))
    except FemSpeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def concentrations(folder: Path) -> Panel:
    """The field of one result.

    Raises:
        CaseError: if it is of another study or in 3-D.
    """
    shown = panel(folder, title(folder))
    if "concentration" not in shown.field.values:
        raise CaseError(f"{folder}: holds no concentration; give results of diffusion in 2-D")
    return shown


def title(folder: Path) -> str:
    """The case's title with its effective diffusivity."""
    quantities = read_summary(folder)["quantities"]
    name = read_case(folder).get("title") or folder.name
    if "relative_diffusivity" not in quantities:
        return name
    return f"{name}   D_eff / D_matrix = {quantities['relative_diffusivity']['value']:.3f}"


def draw_fluxes(folders: list[Path], file: Path) -> Path:
    """The flux density along the anode of each result over its mean."""
    with style() as plt:
        figure, axis = plt.subplots(figsize=(6.7, 2.4), layout="constrained")
        for folder in folders:
            table = read_table(folder / "tables" / "anode_flux.csv")
            found = read_summary(folder)["quantities"]
            spread = found.get("flux_uniformity", found.get("current_uniformity"))["value"]
            x, flux = table.values()
            axis.plot(x, flux, lw=0.8, label=f"{folder.name}: std / mean = {spread:.2f}")
        axis.set(xlabel="x (µm)", ylabel="flux at the anode / mean")
        axis.set_ylim(bottom=0)
        axis.margins(x=0)
        axis.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=min(3, len(folders)))
        figure.savefig(file)
    return file


if __name__ == "__main__":
    sys.exit(main())
