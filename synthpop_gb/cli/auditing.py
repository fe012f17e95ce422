"""Command about what a result is worth: audit."""

import sys
from pathlib import Path

import click

from synthpop_gb.cli._output import PROBLEMS, UNFITTED, guarded, listed, show_findings
from synthpop_gb.cli.results import _PROFILES


@click.command("audit", short_help="Judge a synthetic file against the real one, or a run: for whom and for what is it right?")
@click.argument("first", type=click.Path(exists=True, path_type=Path), metavar="REAL|RUN")
@click.argument("synthetic", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@click.option("--keys", multiple=True, callback=listed, help="What an intruder may know of somebody: age,sex.")
@click.option("--target", help="Of two files: what models predict, and an intruder wants to learn.")
@click.option(
    "--protected", multiple=True, callback=listed, help="Of two files: whose groups must not be wronged; recognised if absent."
)
@click.option("--exclude", multiple=True, callback=listed, help="Of two files: columns to leave out.")
@click.option("--variables", multiple=True, callback=listed, help="Of a run: variables of the survey to scan; all if absent.")
@click.option("--impossible", multiple=True, help="What cannot be: \"relationship = 'Husband' and sex = 'Female'\".")
@click.option("--holdout", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Of two files: real records that were not synthesised from.")  # fmt: skip
@click.option("--weight", help="Of two files: column of design weights.")
@click.option("--order", type=click.IntRange(1, 6), default=3, show_default=True, help="Variables in the largest combinations.")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Of two files: fixes every random draw; of a run nothing is drawn.",
)
@click.option("--no-models", is_flag=True, help="Of two files: train no models, where most of the time goes.")
@click.option("--cloned", is_flag=True, help="Of two files: the synthetic records are copies of the real ones.")
@click.option("--release", type=click.Choice(_PROFILES), help="Rule to release by: what breaks it is listed, exit code 1.")
@click.option(
    "--open", "is_open", is_flag=True, help="Of two files: the real records are open, so the card may show counts below ten."
)
@click.option("--output", "-o", type=click.Path(file_okay=False, path_type=Path),
              help="Of two files: folder to write; outputs/audit-<synthetic> if absent.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Of two files: replace an earlier audit; that of a run always is.")
@guarded
def audit_command(first, synthetic, **given):
    """Audit SYNTHETIC against REAL (CSV, Parquet, .dta, .sav), or the RUN in a folder.

    Says for each use whether it is fit, and why: intersections of attributes that are invented, missing or misweighted, utility,
    models, disclosure. Writes audit.html, tables and a card. Options that take names take several: age,sex.

    Exit code 3: some use that such data are meant for is not fit; 1: it breaks the release rule asked for.
    """
    import synthpop_gb as sp
    from synthpop_gb.pipeline.auditing import from_options

    try:
        result = from_options(first, synthetic, given | {"tell": lambda words: click.echo(f"{words} ...", err=True)})
    except ValueError as error:
        if isinstance(error, sp.InputError):
            raise
        raise click.UsageError(f"{error}.") from None
    show_findings([f for f in result.checks.findings if f.level != "note" and f not in result.refused])
    click.echo(repr(result))
    click.echo(result.report)
    show_findings(result.refused, err=True)
    sys.exit(PROBLEMS if result.refused else 0 if result.fits else UNFITTED)
