"""Command about what a result states of itself: card."""

from pathlib import Path

import click

from synthpop_gb.cli._output import guarded, show_findings


@click.command("card", short_help="Write the card of a run or an audit anew.")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--croissant", is_flag=True, help="Write croissant.json (ML Commons) too.")
@click.option("--ddi", is_flag=True, help="Write ddi.xml (DDI Codebook 2.5) too.")
@click.option("--to", type=click.Path(file_okay=False, path_type=Path), help="Folder to write into; FOLDER where absent.")
@guarded
def card_command(folder, croissant, ddi, to):
    """Write README.md, card.json, datapackage.json and ro-crate-metadata.json of FOLDER anew: a run, or the audit of a pair.

    They are made from run.json, validation/ and audit/; no claim stands in them without a figure behind it. What nobody
    stated is listed.
    """
    import synthpop_gb as sp

    card, written = sp.pipeline.card_of(folder, croissant=croissant, ddi=ddi, to=to)
    show_findings(card.findings)
    click.echo(repr(card))
    for path in written:
        click.echo(path)
