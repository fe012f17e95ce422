"""Sphinx configuration; numbers in the prose come from figures.json, reference pages from the code itself."""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import synthpop_gb  # noqa: E402

project = "synthpop_gb"
author = "The synthpop_gb developers"
copyright = "2026, the synthpop_gb developers"
release = synthpop_gb.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax", "sphinx.ext.viewcode"]
exclude_patterns = ["_build", "jupyter_execute", "**.ipynb_checkpoints"]
html_theme = "pydata_sphinx_theme"
html_title = "synthpop_gb"
html_static_path = ["_static"]
html_theme_options = {"show_prev_next": False, "navigation_with_keys": False, "secondary_sidebar_items": ["page-toc"]}
language = "en_GB"
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "substitution"]
myst_heading_anchors = 2  # links within the generated page of keys
nb_execution_mode = "off"
autodoc_member_order = "bysource"
autodoc_typehints = "none"
napoleon_google_docstring = False
suppress_warnings = ["myst.header", "ref.python"]


def _figures() -> dict[str, str]:
    """Every measured number as a substitution: `{{ leeds_2011_people }}`."""
    path = HERE / "figures.json"
    if not path.exists():
        return {}
    return {f"{group}_{name}": entry["text"] for group, part in json.loads(path.read_text(encoding="utf-8"))["figures"].items()
            for name, entry in part["values"].items()}  # fmt: skip


myst_substitutions = _figures()


def _write_reference(_app):
    """Write the pages that list what the code declares: finding codes, statuses, and the keys of study and scenario files."""
    from synthpop_gb.errors import CODES
    from synthpop_gb.spec import scenario_schema, study_schema
    from synthpop_gb.status import FIT_MEANING, WHOLE_MEANING

    rows = [f"| `{code}` | {m.level} | {m.why} | {m.remedy} |" for code, m in CODES.items()]
    statuses = [f"| `{s.name}` | {text} |" for table in (FIT_MEANING, WHOLE_MEANING) for s, text in table.items()]
    (HERE / "reference" / "findings.md").write_text(
        "# Findings and statuses\n\nEvery finding has a stable code. Errors stop a run; the others are reported with it.\n\n"
        "| code | level | why it matters | what to do |\n| --- | --- | --- | --- |\n" + "\n".join(rows)
        + "\n\n## Status of a zone\n\n| status | meaning |\n| --- | --- |\n" + "\n".join(statuses) + "\n",
        encoding="utf-8",
    )  # fmt: skip
    for page, of, schema in (("study-file", "study", study_schema()), ("scenario-file", "scenario", scenario_schema())):
        (HERE / "reference" / f"{page}.md").write_text(_keys_page(schema, of, page), encoding="utf-8")


def _keys_page(schema: dict, of: str, page: str) -> str:
    """Write one table of keys for each part of a file: `of` a 'study' or a 'scenario', told on `page`.md."""

    def kind(entry):
        if "$ref" in entry:
            return f"[{entry['$ref'].split('/')[-1]}]({page}.md#{entry['$ref'].split('/')[-1].lower()})"
        if "anyOf" in entry:
            return " or ".join(kind(e) for e in entry["anyOf"] if e.get("type") != "null")
        if "enum" in entry:
            return ", ".join(f"`{v}`" for v in entry["enum"])
        return f"list of {kind(entry['items'])}" if entry.get("type") == "array" and "items" in entry else entry.get("type", "")

    def table(part):
        needed = set(part.get("required", ()))
        lines = [
            f"| `{k}`{' (needed)' if k in needed else ''} | {kind(v)} | {v.get('description', '')} |"
            for k, v in part["properties"].items()
        ]
        return "| key | kind | meaning |\n| --- | --- | --- |\n" + "\n".join(lines)

    parts = [
        f"## {name}\n\n{part.get('description', '')}\n\n{table(part)}"
        for name, part in schema["$defs"].items()
        if "properties" in part
    ]
    return f"# Keys of a {of} file\n\n" + table(schema) + "\n\n" + "\n\n".join(parts) + "\n"


NOTEBOOKS = """# Notebooks

Each answers a question, runs in under a minute on a made-up county (on real census data where `SYNTHPOP_GB_DATA` names the
folder of open data), and checks the figures that it shows. They are kept as text, in
[jupytext](https://jupytext.readthedocs.io)'s percent format, in the folder `notebooks/`; the tests run them.

| notebook | question |
| --- | --- |
{rows}

Open one in Jupyter (*Open with, Notebook*, with jupytext installed: `pip install 'synthpop_gb[notebooks]'`) or in an editor that
knows `# %%` cells. To have them all as `.ipynb` with their pictures, in `outputs/notebooks`:

```
make notebooks
```

or one of them:

```
jupytext --to ipynb --output maps.ipynb notebooks/06_maps_and_qgis.py
jupyter-execute --inplace maps.ipynb
```
"""


def _notebooks_page() -> str:
    """List the notebooks, each with its question: the first heading in it."""
    rows = []
    for path in sorted((HERE.parent / "notebooks").glob("*.py")):
        title = next(line[4:] for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("# # "))
        rows.append(f"| `{path.name}` | {title} |")
    return NOTEBOOKS.format(rows="\n".join(rows))


def _write_notebooks(_app):
    """Write the page of notebooks."""
    (HERE / "how-to" / "notebooks.md").write_text(_notebooks_page(), encoding="utf-8")


def setup(app):
    """Hook the generated pages in before Sphinx looks for sources."""
    (HERE / "_static").mkdir(exist_ok=True)
    app.connect("builder-inited", _write_reference)
    app.connect("builder-inited", _write_notebooks)
