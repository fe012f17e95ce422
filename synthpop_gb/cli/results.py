"""Commands that read a finished run: validate, map and expand."""

import sys
from pathlib import Path

import click

from synthpop_gb.cli._output import UNFITTED, guarded, listed, show_findings

_RUN = click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))


_PROFILES = ("safeguarded", "open", "public")  # of synthpop_gb.release, named here so that --help needs no pandas; tested
_RELEASE = click.option(
    "--release",
    type=click.Choice(_PROFILES),
    help="Rule to release by: what breaks it is refused, record ids, small counts and rounding are seen to.",
)
_FORMATS = ("png", "svg", "gpkg", "geoparquet", "geojson", "pmtiles")  # of pipeline.map_files, named here for the same reason
_FORMAT = click.option("--format", "formats", multiple=True, callback=listed,
                       help=f"What maps are written as: {', '.join(_FORMATS)}; the first four where absent.")  # fmt: skip
_SURE = click.option("--how-sure", is_flag=True, help="Beside the map another of how long the intervals are.")


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
@click.option("--against", help="A second condition: both shares in one map of nine colours.")
@click.option("--across", help="A variable: one map a category, the share among its people, all in one scale.")
@_SURE
@_FORMAT
@guarded
def map_command(run, indicator, output, formats, **asked):
    """Map the share of people in each zone of RUN who meet a condition, among those of whom it is known.

    Writes PNG and SVG, a GeoPackage that QGIS opens as a map, and GeoParquet; GeoJSON and PMTiles by --format.
    """
    import synthpop_gb as sp

    if asked["against"] and asked["across"]:
        raise click.UsageError("--against draws one map and --across several: name one of them.")
    said = []
    paths = sp.pipeline.map_run(run, indicator, output, say=said.append, **asked, **({"formats": formats} if formats else {}))
    show_findings(said, err=True)
    for path in paths:
        click.echo(path)


@click.command("indicator", short_help="Estimate something by area and group, with intervals.")
@_RUN
@click.argument("what")
@click.option("--measure", type=click.Choice(["share", "count", "mean", "total", "quantile"]), default="share", show_default=True,
              help="WHAT is a condition for shares and counts, a column of numbers for the others.")  # fmt: skip
@click.option("--where", help='Condition on who is asked about, e.g. "age >= 16".')
@click.option(
    "--by", multiple=True, callback=listed, help="zone, a level such as lad, or all; and variables that make groups: lad,sex."
)
@click.option("--quantile", type=float, default=0.5, show_default=True, help="Which quantile, for that measure.")
@click.option("--unit", type=click.Choice(["person", "household"]), default="person", show_default=True,
              help="Who is asked about; of a household, what is known of it and of its reference.")  # fmt: skip
@click.option("--level", type=float, default=0.9, show_default=True, help="Nominal coverage of the intervals.")
@click.option("--resembles", help="Constraint that the outcome is known to be like.")
@click.option("--benchmark", type=click.Path(exists=True, dir_okay=False), help="File of published shares of larger areas.")
@click.option("--benchmark-level", help="Level of the benchmark's areas, e.g. lad.")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="CSV or Parquet file to write.")
@click.option("--map", "draw", is_flag=True, help="Map it too; unreliable zones are faded and hatched.")
@_SURE
@_FORMAT
@_RELEASE
@guarded
def indicator_command(run, output, draw, how_sure, formats, by, release, **asked):
    """Estimate WHAT among the people of RUN, with an interval for the whole error and a class of reliability.

    WHAT is parsed by a small grammar and never run as code: "health in ('bad', 'very bad')".
    """
    import synthpop_gb as sp
    from synthpop_gb.spec import ask_for

    try:
        request = ask_for(by=list(by) or ["zone"], **asked)
        how = {"draw": draw, "how_sure": how_sure, **({"formats": formats} if formats else {})}
        found, written = sp.pipeline.indicator_run(run, request, output=output, release=release, **how)
    except ValueError as error:
        if isinstance(error, sp.InputError):
            raise
        raise click.UsageError(f"{error}.") from None
    click.echo(found.preview() if output is None else repr(found))
    for path in written:
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
@click.option("--households", type=click.Path(path_type=Path),
              help="Of a run of whole households: where one row a household goes, if not beside the people.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace an existing file.")
@click.option("--format", "layout", type=click.Choice(["people", "two-column"]), default="people", show_default=True,
              help="two-column: zone and survey id alone, ZoneID,pidp.")  # fmt: skip
@click.option("--include", multiple=True, callback=listed,
              help="Survey column to add, such as an income: your word that the licence allows it; may be repeated.")  # fmt: skip
@_RELEASE
@click.option("--keys", multiple=True, callback=listed, help="With --release: what a neighbour may know of somebody: age,sex.")
@guarded
def expand_command(run, target, layout, release, keys, **asked):
    """Write the people of RUN, one row each, with zone, parents and donor; their survey answers too where the licence is open.

    Of whole households the people stand household by household, and the households are written too, one row each.
    """
    import synthpop_gb as sp

    if keys and release is None:
        raise click.UsageError("--keys are what --release judges by: name a profile.")
    if layout == "two-column" and release is not None:
        raise click.UsageError("two columns are zones and survey ids: there is nothing left of them that a rule could drop.")
    if asked["include"] and (release is not None or layout == "two-column"):
        raise click.UsageError("--include adds columns to rows of people; --release judges described answers alone.")
    _, homes = sp.pipeline.expand_paths(run, target, households=asked["households"], layout=layout)
    said = []
    click.echo(sp.pipeline.expand_run(run, target, layout=layout, release=release, keys=keys, say=said.append, **asked))
    if homes is not None:
        click.echo(homes)
    show_findings(said, err=True)
