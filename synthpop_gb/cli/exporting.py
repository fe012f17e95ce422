"""The command that hands a run to other models: export."""

from pathlib import Path

import click

from synthpop_gb.cli._output import guarded, listed, show_findings

_WRITERS = ("euromod", "openfisca", "policyengine", "simpaths")  # of pipeline.exporting, here so that --help is quick; tested
_PROFILES = ("safeguarded", "open", "public")  # of synthpop_gb.release; tested


def given(ctx, param, values):
    """NAME=VALUE pairs as a dict; what reads as a number is one."""
    found = {}
    for text in values:
        name, sign, value = text.partition("=")
        if not sign or not name.strip() or not value.strip():
            raise click.BadParameter(f"{text!r} is not NAME=VALUE")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            found[name.strip()] = value.strip()
    return found


def meant(ctx, param, values):
    """INPUT:LABEL=WORD as a dict of dicts."""
    found = {}
    for text in values:
        (name, colon, rest), word = text.partition(":"), text.rpartition("=")[2]
        label, sign, _ = rest.rpartition("=")
        if not (colon and sign and word.strip()):
            raise click.BadParameter(f"{text!r} is not INPUT:LABEL=WORD, such as role:1=reference")
        found.setdefault(name.strip(), {})[label.strip()] = word.strip()
    return found


@click.command("export", short_help="Write a run's households for OpenFisca, EUROMOD, SimPaths or PolicyEngine.")
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--to", required=True, type=click.Choice(_WRITERS), help="Whose input is written.")
@click.option("--output", "-o", "target", type=click.Path(path_type=Path),
              help="Folder to make; for PolicyEngine a file that ends in .h5. RUN/exports/<model> where absent.")  # fmt: skip
@click.option("--year", type=int, help="Year of the amounts; the survey's where absent.")
@click.option("--input", "inputs", multiple=True, callback=given,
              help="INPUT=COLUMN where the survey calls it otherwise, or a number for all: income=pay, rent=0.")  # fmt: skip
@click.option("--label", "labels", multiple=True, callback=meant, help="What a label or code means: role:1=reference.")
@click.option("--places", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="CSV of regions or local authorities; its first column is called zone, or as a level.")  # fmt: skip
@click.option("--zone", "zones", multiple=True, callback=listed, help="Only these zones; may be repeated.")
@click.option("--include", multiple=True, callback=listed,
              help="Columns of a survey under licence that may leave: your word that the licence allows it.")  # fmt: skip
@click.option("--weighted", is_flag=True, help="One row a household of the survey and zone, with its copies as weight.")
@click.option("--release", type=click.Choice(_PROFILES), help="Rule to release by: what breaks it is refused, ids are seen to.")
@click.option("--keys", multiple=True, callback=listed, help="With --release: what a neighbour may know of somebody: age,sex.")
@click.option("--overwrite", is_flag=True, help="Replace what was written there before.")
@guarded
def export_command(run, to, target, **asked):
    """Write the households of RUN, their benefit units and people as another model reads them; read back and compared.

    What the survey does not say stands at a default, and is listed.
    """
    import synthpop_gb as sp

    said = []
    click.echo(sp.pipeline.export_run(run, to, target, say=said.append, **asked))
    show_findings(said, err=True)
