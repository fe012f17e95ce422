"""The manners of the package, checked by reading its source: who imports whom, how long modules are, what is public."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import synthpop_gb

PACKAGE = Path(synthpop_gb.__file__).parent
LAYERS = [
    {"errors", "atomic", "hdf5", "status", "kernels"},
    {
        "codebook",
        "microdata",
        "benchmark",
        "area_incomes",
        "geography",
        "lookup",
        "distribution",
        "frozen",
        "households",
        "circumstances",
        "incidence",
        "level",
        "aligned",
        "problem",
        "provenance",
        "population",
        "release",
        "indicators",
        "checks",
        "coded",
        "pair",
    },
    {"read", "harmonisation", "formulation", "methods", "validation", "synthesis", "export", "card", "rezoning", "policy"},
    {"execution", "assessment", "run_folder", "report", "spec", "datasets", "testing", "simulation", "explorer"},
    {"pipeline"},
    {"cli"},
]
RANK = {name: level for level, names in enumerate(LAYERS) for name in names}
STAGES = LAYERS[2]
ROOTLESS = {"__init__", "__main__"}
MODULES = sorted(p for p in PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    relative = path.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imported(path: Path):
    """Names of the package's modules that a file imports, anywhere in it, and whether at module level."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    parts = ("synthpop_gb", *path.relative_to(PACKAGE).with_suffix("").parts)
    base = parts[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            stem = ".".join((*base[: len(base) - node.level + 1], *(node.module or "").split("."))) if node.level else node.module
            names = [f"{stem.rstrip('.')}.{a.name}" for a in node.names]
        else:
            continue
        yield from ((n, node in tree.body) for n in names if n.startswith("synthpop_gb."))


def test_every_module_has_a_layer():
    assert MODULES, "no modules found: the test looks in the wrong place"
    assert {room(p) for p in MODULES} - ROOTLESS <= set(RANK)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_keep_to_the_layers(path):
    here = room(path)
    if here in ROOTLESS:
        return
    for name, _ in imported(path):
        there = name.split(".")[1]
        if there not in RANK or there == here:
            continue
        assert RANK[there] <= RANK[here], f"{path.name} (layer {RANK[here]}) imports {name} (layer {RANK[there]})"
        assert not (here in STAGES and there in STAGES), f"{path.name}: the stage {here} imports the stage {there}"


def test_no_import_cycles_between_rooms():
    graph = {}
    for path in MODULES:
        here = room(path)
        if here not in ROOTLESS:
            there = {n.split(".")[1] for n, top in imported(path) if top} & set(RANK)
            graph.setdefault(here, set()).update(there - {here})
    done, path_now = set(), []

    def visit(node):
        assert node not in path_now, f"cycle: {' -> '.join([*path_now[path_now.index(node) :], node])}"
        if node not in done:
            path_now.append(node)
            for after in sorted(graph.get(node, ())):
                visit(after)
            path_now.pop()
            done.add(node)

    for node in sorted(graph):
        visit(node)


@pytest.mark.parametrize("path", [p for p in MODULES if room(p) == "kernels"], ids=lambda p: p.name)
def test_kernels_import_only_numpy_numba_and_siblings(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        names = (
            [a.name for a in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        for name in names:
            plain = {"numpy", "numba", "math", "os", "typing"}
            if path.name == "_jit.py":  # it reads the kernels' sources, to know when compiled code is out of date
                plain |= {"functools", "hashlib", "pathlib", "re"}
            allowed = name.split(".")[0] in plain or name.startswith(("synthpop_gb.kernels", "synthpop_gb.status"))
            assert allowed, f"{path.name} imports {name}"


def test_compiled_code_lives_in_kernels_only():
    for path in MODULES:
        if room(path) != "kernels":
            assert "njit" not in path.read_text(encoding="utf-8"), f"compiled code outside kernels: {path}"


def test_modules_fit_in_the_head():
    too_long = {str(p.relative_to(PACKAGE)): n for p in MODULES if (n := len(p.read_text(encoding="utf-8").splitlines())) > 400}
    assert not too_long, f"over 400 lines, ask what second idea crept in: {too_long}"


def test_public_functions_are_documented():
    bare = []
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if not ast.get_docstring(tree):
            bare.append(f"{path.name} (module)")
        bare += [
            f"{path.name}:{node.lineno} {node.name}"
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_") and not ast.get_docstring(node)
        ]
    assert not bare


def test_public_names_are_a_decision():
    assert sorted(synthpop_gb.__all__) == sorted((Path(__file__).parent / "public_names.txt").read_text(encoding="utf-8").split())
    for name in synthpop_gb.__all__:
        assert getattr(synthpop_gb, name) is not None


def test_importing_the_package_stays_light():
    code = (
        "import sys, synthpop_gb, synthpop_gb.cli\n"
        "heavy = {'numba', 'pandas', 'geopandas', 'matplotlib', 'altair', 'pyarrow', 'scipy', 'pydantic'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
