"""Commands that read a finished run: validate, map and expand."""

import sys
from pathlib import Path

import click

from synthpop_gb.cli._output import UNFITTED, guarded, show_findings

_RUN = click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))


@click.command("validate", short_help="Count a run's files again and compare them with the tables.")
@_RUN
@click.option("--held-out", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A further table that was not fitted, to judge the population by; may be repeated.")  # fmt: skip
@guarded
def validate_command(run, held_out):
    """Count the files of RUN again, compare them with the tables, and write validation/ and report.html anew."""
    import synthpop_gb as sp

    result = sp.pipeline.validate_run(run, held_out=held_out)
    show_findings(result.checks.findings)
    click.echo(repr(result.checks))
    click.echo(result.report)
    sys.exit(0 if result.fits else UNFITTED)


@click.command("map", short_help="Map the share of people who meet a condition.")
@_RUN
@click.option(
    "--indicator", required=True, help="Condition, e.g. \"health in ('bad', 'very bad')\" or \"age >= 65 and sex = 'female'\"."
)
@click.option("--output", "-o", type=click.Path(path_type=Path), help="File or stem to write; RUN/maps/<condition> where absent.")
@click.option("--title", help="Heading of the map; the condition where absent.")
@guarded
def map_command(run, indicator, output, title):
    """Map the share of people in each zone of RUN who meet a condition, among those of whom it is known.

    Writes PNG and SVG, and GeoPackage and GeoParquet for QGIS.
    """
    import synthpop_gb as sp

    for path in sp.pipeline.map_run(run, indicator, output, title=title):
        click.echo(path)


@click.command("expand", short_help="Write one row a person.")
@_RUN
@click.option(
    "--to",
    "target",
    required=True,
    type=click.Path(path_type=Path),
    help="people.parquet, people.csv, people.csv.gz, or a folder.",
)
@click.option("--overwrite", is_flag=True, help="Replace an existing file.")
@guarded
def expand_command(run, target, overwrite):
    """Write the people of RUN, one row each, with zone, parents and donor; their survey answers too where the licence is open."""
    import synthpop_gb as sp

    click.echo(sp.pipeline.expand_run(run, target, overwrite=overwrite))
