"""The command that shows a run in a browser: explore."""

from pathlib import Path

import click

from synthpop_gb.cli._output import guarded, listed, show_findings


@click.command("explore", short_help="Write one page to look at a run in a browser: maps, areas compared, profiles, tables.")
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--output", "-o", type=click.Path(path_type=Path), help="File to write; RUN/explorer.html where absent.")
@click.option("--variable", "-v", "variables", multiple=True, callback=listed, help="Variable to show; all of them where absent.")
@click.option("--indicator", "-i", "indicators", multiple=True, help="Condition whose share is shown as well; may be repeated.")
@click.option("--subgroup", "-g", "subgroups", multiple=True, callback=listed, help="Variable that makes subgroups; sex, age.")
@click.option("--level", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.9, help="Of intervals; 0.9.")
@click.option("--open", "show", is_flag=True, help="Open the page in the browser.")
@guarded
def explore_command(run, output, variables, indicators, subgroups, level, show):
    """Write one self-contained page that shows RUN, its simulations too; it needs no network."""
    import synthpop_gb as sp

    found = sp.pipeline.explore_run(
        run, output=output, variables=variables or None, indicators=indicators, subgroups=subgroups or None, level=level
    )
    show_findings(found.findings, err=True)
    click.echo(repr(found))
    click.echo(found.path)
    if show:
        click.launch(found.path.resolve().as_uri())
