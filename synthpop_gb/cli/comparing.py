"""The command that compares two populations."""

from pathlib import Path

import click

from synthpop_gb.cli._output import guarded, listed, show_findings

_POPULATION = click.Path(exists=True, path_type=Path)


@click.command("compare", short_help="Compare two populations of the same zones.")
@click.argument("a", type=_POPULATION)
@click.argument("b", type=_POPULATION)
@click.option("--survey", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Survey of a file of two columns: a study file or the records themselves. Twice for two files.")  # fmt: skip
@click.option("--id", "id_", help="Column of record ids in a survey given as records.")
@click.option("--weight", help="Column of its design weights.")
@click.option("--by", multiple=True, callback=listed, help="Variables to compare: age,sex. All that both describe where absent.")
@click.option("--no-pairs", is_flag=True, help="Leave out pairs of variables.")
@click.option("--output", "-o", type=click.Path(file_okay=False, path_type=Path), help="Folder for the tables and compare.html.")
@click.option("--overwrite", is_flag=True, help="Replace an earlier comparison there.")
@guarded
def compare_command(a, b, survey, id_, weight, by, no_pairs, output, overwrite):
    """Say where and for whom A and B differ beyond noise. Each is a run's folder or a file of two columns, ZoneID,pidp.

    A file is read with the survey named, or with that of the run it is compared with. Replicates of a run are the noise that
    differences are judged by; where neither has some, people drawn one by one are.
    """
    import synthpop_gb as sp

    asked = {"survey": survey, "id": id_, "weight": weight, "by": by, "pairs": not no_pairs}
    made = sp.pipeline.compare(a, b, **asked, output=output, overwrite=overwrite)
    show_findings(made.checks.findings)
    click.echo(repr(made.checks))
    for words in made.checks["compare_groups"].query("q <= 0.05")["words"].head(10):
        click.echo(f"  {words}")
    if made.report is not None:
        click.echo(made.report)
