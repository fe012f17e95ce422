"""The command that brings a run to other areas: rezone."""

import json
import sys
from pathlib import Path

import click

from synthpop_gb.cli._output import PROBLEMS, guarded, show_findings


@click.command("rezone", short_help="Count a run's people in other areas: wards, constituencies, another census's zones.")
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--lookup", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="File that says which areas the zones lie in: one row a zone, or a row for each part of it.")  # fmt: skip
@click.option("--from", "zone", help="Column of the run's zones; the one that has most of them where absent.")
@click.option("--to", required=True, help="Column of the areas.")
@click.option("--weight", help="Column that says how a zone in several areas is divided: households, people.")
@click.option("--best-fit", is_flag=True, help="Give such a zone wholly to the area with most of it.")
@click.option("--count", multiple=True, help="Condition whose people are counted in each area; may be repeated.")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="File to write: Parquet or CSV.")
@click.option("--format", "layout", type=click.Choice(["areas", "people", "counts"]), default="areas", show_default=True,
              help="One row an area, a person, or an area and donor.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), help="Fixes who of a divided zone goes where; the run's own where absent.")
@click.option("--overwrite", is_flag=True, help="Replace an existing file.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print areas and findings as JSON, with every zone that a finding is about."
)
@guarded
def rezone_command(run, lookup, as_json, **asked):
    """Count the people of RUN in the areas of a lookup: whole people and households, nobody split or averaged."""
    import synthpop_gb as sp

    if asked["layout"] != "areas" and asked["output"] is None:
        raise click.UsageError(f"--format {asked['layout']} needs a file to write: --output.")
    try:
        found = sp.pipeline.rezone_run(run, lookup, **asked)
    except sp.InputError as error:
        if as_json:
            click.echo(json.dumps({"findings": [f.to_dict(most=None) for f in error.findings]}, indent=2, default=str))
            sys.exit(PROBLEMS)
        raise
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=2, default=str))
        return
    show_findings(found.findings)
    click.echo(repr(found))
    if found.path is not None:
        click.echo(found.path)
