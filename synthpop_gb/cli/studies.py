"""Commands about study files: init, check and schema."""

import json
import sys
from pathlib import Path

import click

from synthpop_gb.cli._output import PROBLEMS, guarded, show_findings


@click.command("check", short_help="List everything found about a study's inputs, before anything is computed.")
@click.argument("study", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON on standard output, failing rows included.")
def check_command(study, as_json):
    """List everything found about the inputs of STUDY, at once: what, where, how many, why it matters, what to do."""
    import synthpop_gb as sp

    aligned, findings = sp.pipeline.check(study)
    if as_json:
        click.echo(json.dumps([f.to_dict() for f in findings], indent=2, default=str))
    else:
        show_findings(findings)
        n = sum(f.level == "error" for f in findings)
        click.echo(repr(aligned) if aligned is not None else f"{n:,} error{'' if n == 1 else 's'}: the study cannot be run.")
    sys.exit(PROBLEMS if any(f.level == "error" for f in findings) else 0)


@click.command("init", short_help="Write a commented study file from what lies in a folder.")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".")
@click.option(
    "--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Study file to write; FOLDER/study.toml where absent."
)
@click.option("--name", help="Name of the study; the folder's name where absent.")
@click.option("--survey", type=click.Path(exists=True, dir_okay=False), help="File of survey records.")
@click.option(
    "--table", "tables", multiple=True, type=click.Path(exists=True, dir_okay=False), help="File of area counts; may be repeated."
)
@click.option("--lookup", type=click.Path(exists=True, dir_okay=False), help="File of zones and the areas they nest in.")
@click.option("--boundaries", type=click.Path(exists=True, dir_okay=False), help="File of zone polygons.")
@click.option("--parent", help="Study area as level=area, e.g. lad=Leeds.")
@click.option("--force", is_flag=True, help="Replace an existing study file.")
@guarded
def init_command(folder, output, force, **hints):
    """Write a commented study file from the files in FOLDER (or named by flags): what was recognised, what is left to choose."""
    from synthpop_gb.spec.draft import write_draft

    written = write_draft(folder, output, force=force, **hints)
    click.echo(f"{written}\nNext: synthpop-gb check {written}")


@click.command("schema", short_help="Write the JSON Schema of study files, or of scenario files, for editors.")
@click.option(
    "--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="File to write; standard output where absent."
)
@click.option("--scenario", is_flag=True, help="Of scenario files.")
def schema_command(output, scenario):
    """Write the JSON Schema of study files. Editors read it through a first line `#:schema ./study.schema.json`."""
    from synthpop_gb.spec import scenario_schema, study_schema

    text = json.dumps(scenario_schema() if scenario else study_schema(), indent=2) + "\n"
    click.echo(text, nl=False) if output is None else output.write_text(text, encoding="utf-8")
