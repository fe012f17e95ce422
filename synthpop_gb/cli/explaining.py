"""The command that says why: explain."""

from pathlib import Path

import click

from synthpop_gb.cli._output import guarded


@click.command("explain", short_help="Say why a zone misses its tables, and what would mend it.")
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--zone", "-z", "zones", multiple=True, help="Code or name of a zone; may be repeated. The worst where absent.")
@click.option("--area", "-a", "areas", multiple=True, help="Code or name of an area of a parent level; may be repeated.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="File to write (.md, .html, .json), or a folder for CSV.")
@guarded
def explain_command(run, zones, areas, output):
    """Say how zones or areas of RUN fit their tables: in words first, then in tables.

    Which cells miss and why; who stands for the people there; what would mend it: categories to merge, targets to relax, donors
    that are missing. Of a zone that fits, how close it is.
    """
    import synthpop_gb as sp

    found = sp.pipeline.explain_run(run, zones, areas, output=output)
    click.echo("\n\n".join(e.text for e in found.explanations) if output else repr(found))
    for path in found.written:
        click.echo(path)
