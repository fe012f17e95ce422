"""Commands about methods: which there are, and how they compare on a study."""

from pathlib import Path

import click

from synthpop_gb.cli._output import guarded


@click.command("methods", short_help="List the methods, what each is for, and its options.")
@click.argument("name", required=False)
@guarded
def methods_command(name):
    """List the methods that a study's [method] can name; with NAME, that method's options and what they mean."""
    import synthpop_gb as sp

    try:
        click.echo(sp.pipeline.describe_methods(name))
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None


@click.command("compare-methods", short_help="Solve a study by several methods and compare them.")
@click.argument("study", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--method", "-m", "candidates", multiple=True,
              help="method or method:option=value,...; may be repeated. All methods where absent.")  # fmt: skip
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="CSV file to write as well.")
@guarded
def compare_command(study, candidates, output):
    """Solve STUDY by several methods, each in a process of its own on one core, and compare what came of it.

    Fit (zones exact, total absolute error above the floor), two-way tables against each method's own fractional fit, held-out
    tables, donors, time and memory. Nothing is kept but the table.
    """
    import synthpop_gb as sp

    try:
        frame = sp.pipeline.compare_methods(study, candidates or None, progress=lambda name: click.echo(f"{name} ...", err=True))
    except ValueError as error:
        if isinstance(error, sp.InputError):
            raise
        raise click.UsageError(f"{error}.") from None
    click.echo(sp.pipeline.show_comparison(frame))
    if output is not None:
        frame.to_csv(output)
        click.echo(output)
