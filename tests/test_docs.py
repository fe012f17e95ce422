"""Examples cannot rot: what README and docs show as TOML, Python and commands is read, compiled and looked up."""

import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest

from synthpop_gb.cli import main
from synthpop_gb.spec import Scenario
from synthpop_gb.spec.model import Study

ROOT = Path(__file__).resolve().parents[1]
PAGES = [p for p in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))) if p.name != "figures.md"]
"""All but the generated page of figures, whose commands say how each was measured."""
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(synthpop-gb [^`\n]+)`")


def blocks(*languages):
    """Return one test parameter a block: its text, called by page and line."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            if match.group(1) in languages:
                line = text[: match.start()].count("\n") + 1
                found.append(pytest.param(match.group(2), id=f"{page.relative_to(ROOT).as_posix()}:{line}"))
    return found


def commands():
    """Return one test parameter a command line, from blocks without a language and from text between back quotes."""
    found = {}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        lines = [line for m in FENCE.finditer(text) if m.group(1) in ("", "sh", "bash") for line in m.group(2).splitlines()]
        prose = FENCE.sub("", text)
        for line in [*lines, *INLINE.findall(prose)]:
            if line.startswith("synthpop-gb "):
                found.setdefault(line.split("  #")[0].strip(), page.name)
    return [pytest.param(line, id=f"{page}: {line}") for line, page in found.items()]


def test_there_is_something_to_test():
    assert len(blocks("toml")) >= 3
    assert len(blocks("python")) >= 3
    assert len(commands()) >= 8


@pytest.mark.parametrize("text", blocks("toml"))
def test_toml_is_valid_and_whole_studies_are_studies(text):
    read = tomllib.loads(text)
    if {"reform", "outcome", "population", "deciles", "poverty", "places", "model"} & set(read):  # a scenario, or a part of one
        Scenario.model_validate({"name": "x", **({"deciles": {"of": "x"}} if "outcome" in read else {}), **read})
    elif {"name", "constraints"} <= set(read):
        study = Study.model_validate(read)
        assert study.name == read["name"]
    else:  # a part of a study: it must fit into one
        whole = {"name": "x", "constraints": ["age"], "survey": {"path": "x.csv"}, "tables": ["x.csv"]}
        Study.model_validate(whole | read)


@pytest.mark.parametrize("text", blocks("python"))
def test_python_compiles(text):
    compile(text, "<docs>", "exec")


def parsed(line):
    """Let click parse a command line with files that need not exist; return the context."""
    words = shlex.split(line)[1:]
    command = main.get_command(click.Context(main), words[0])
    assert command is not None, f"there is no command {words[0]!r}"
    plain = [click.Option(p.opts, is_flag=p.is_flag, multiple=p.multiple, required=p.required) if isinstance(p, click.Option)
             else click.Argument(p.opts, required=p.required, nargs=p.nargs) for p in command.params]  # fmt: skip
    return click.Command(words[0], params=plain).make_context(words[0], words[1:])


@pytest.mark.parametrize("line", commands())
def test_commands_and_their_flags_exist(line):
    parsed(line)


def test_a_wrong_flag_or_command_is_noticed():
    with pytest.raises(click.UsageError):
        parsed("synthpop-gb run study.toml --speed 3")
    with pytest.raises(AssertionError, match="no command"):
        parsed("synthpop-gb walk study.toml")


def test_flags_listed_in_the_reference_exist():
    page = (ROOT / "docs/reference/command-line.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `synthpop-gb ([\w-]+)[^`]*` \| (.*) \|$", page, re.MULTILINE)
    assert sorted(name for name, _ in rows) == sorted(main.list_commands(None))  # each once
    for name, meaning in rows:
        known = {o for p in main.get_command(click.Context(main), name).params for o in p.opts}
        assert set(re.findall(r"`(--[a-z-]+)", meaning)) <= known, name
