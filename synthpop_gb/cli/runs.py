"""Commands that make populations: run and demo."""

import sys
from pathlib import Path

import click

from synthpop_gb.cli._output import UNFITTED, guarded, progress_bar, show_findings

_WORKERS = click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Threads that solve side by side; all cores where absent. The result is the same.",
)
_FOLDER = click.option(
    "--output", "-o", type=click.Path(file_okay=False, path_type=Path), default=Path("outputs"), show_default=True,
    help="Folder that holds the runs; each run has a folder of its study's name in it.",
)  # fmt: skip


def _finish(result):
    """Say what became of a run, what did not fit first, and end with the report's path."""
    show_findings([f for f in result.aligned.findings if f.level != "note"])
    show_findings(result.checks.findings)
    click.echo(repr(result.population))
    click.echo(repr(result.checks))
    click.echo(f"{result.folder}{'' if result.report is None else chr(10) + str(result.report)}")
    sys.exit(0 if result.fits else UNFITTED)


@click.command("run", short_help="Make the population that a study file describes.")
@click.argument("study", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_FOLDER
@_WORKERS
@click.option("--overwrite", is_flag=True, help="Replace a finished run of this name.")
@click.option("--no-report", is_flag=True, help="Leave out report.html and maps.")
@guarded
def run_command(study, output, workers, overwrite, no_report):
    """Make the population that STUDY describes: a .toml study file, or the run.json of an earlier run.

    A run that was killed goes on where it stopped. Ends by naming the run's folder and its report. The very first run on a
    machine compiles for about half a minute; after that compiled code is kept.
    """
    import synthpop_gb as sp

    with progress_bar() as progress:
        result = sp.run(study, output, workers=workers, overwrite=overwrite, report=not no_report, progress=progress)
    _finish(result)


@click.command("demo", short_help="Make, reweight, check and map a made-up county. Needs no data.")
@_FOLDER
@_WORKERS
@click.option("--world", default="penmarrow", show_default=True, help="Which made-up county; its true people are known.")
@click.option(
    "--scale",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="Size: 10 = ten times the zones and people.",
)
@click.option("--seed", type=click.IntRange(min=0), default=2021, show_default=True, help="Fixes every random draw.")
@click.option("--households", is_flag=True, help="Place whole households with their people, not single persons.")
@guarded
def demo_command(output, workers, **asked):
    """Make a county with known people, draw a survey and census-like tables from it, and rebuild it from those alone.

    The report shows the fit and, since the truth is known here, the true error of what no table says. An earlier demo in the
    same folder is replaced.
    """
    import synthpop_gb as sp

    with progress_bar() as progress:
        result = sp.pipeline.run_demo(output, workers=workers, progress=progress, **asked)
    _finish(result)
