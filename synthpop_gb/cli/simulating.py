"""The command that runs policy scenarios on a population: simulate."""

from pathlib import Path

import click

from synthpop_gb.cli._output import guarded, show_findings


@click.command("simulate", short_help="Simulate a policy scenario on a run: cost, winners and losers, by area and group.")
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("scenario", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--model", help="A model of your own, file.py:Name, instead of the one that SCENARIO names. The file is run.")
@click.option("--output", "-o", type=click.Path(file_okay=False, path_type=Path),
              help="Folder to write; RUN/simulations/<name> where absent.")  # fmt: skip
@click.option("--level", type=float, help="Nominal coverage of the intervals, instead of the scenario's.")
@click.option("--draw", is_flag=True, help="Map the change by zone too, scenario by scenario.")
@click.option("--no-page", is_flag=True, help="Leave out simulation.html.")
@guarded
def simulate_command(run, scenario, no_page, **asked):
    """Run the policy model of SCENARIO, a .toml file, on the people of RUN: baseline, reforms, and changed populations.

    Writes outcomes.csv and .parquet, scenario.json and simulation.html, and tells of it in run.json and on the card. Nothing in
    a scenario file is run; a file that you name with --model is.
    """
    import synthpop_gb as sp

    try:
        made = sp.pipeline.simulate_run(run, scenario, page=not no_page, **asked)
    except ValueError as error:
        if isinstance(error, sp.InputError):
            raise
        raise click.UsageError(f"{error}.") from None
    show_findings(made.findings)
    click.echo(repr(made))
    for path in made.files:
        click.echo(path)
