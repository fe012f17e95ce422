"""Synthetic populations of Great Britain: whole people in every small area, checked zone by zone.

>>> import synthpop_gb as sp                                              # doctest: +SKIP
>>> survey = sp.read.census_microdata("teaching_2011.parquet")            # doctest: +SKIP
>>> tables = sp.read.tables("tables/*.csv")                               # doctest: +SKIP
>>> places = sp.read.boundaries("lsoa11.gpkg", lookup="oa11_lsoa11.csv")  # doctest: +SKIP
>>> aligned = sp.harmonise(survey, tables, places, constraints=["age", "sex", "health"], held_out=["age x sex"])  # doctest: +SKIP
>>> population = sp.solve(sp.formulate(aligned), method="ipf", seed=2011)  # doctest: +SKIP
>>> checks = sp.validate(population, aligned)                             # doctest: +SKIP
>>> sp.save(population, "outputs/mine", aligned=aligned)                  # doctest: +SKIP

For everybody else: one study file and ``synthpop-gb run study.toml``. Names are imported when they are first used.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

_WHERE = {
    "Aligned": "aligned", "BenchmarkTable": "benchmark", "Checks": "checks", "Finding": "errors", "FitWarning": "errors",
    "Geography": "geography", "IncomeTarget": "assessment", "InputError": "errors", "Learnt": "assessment",
    "Microdata": "microdata", "Pair": "pair", "PolicyModel": "policy", "Population": "population", "Problem": "problem",
    "Recode": "harmonisation", "ReleaseRule": "release", "Scenario": "spec", "Simulation": "policy", "Study": "spec",
    "audit": "validation", "better_start": "assessment", "calibrate_incomes": "assessment", "compare": "pipeline",
    "examine": "harmonisation", "exclude": "harmonisation", "explain": "validation", "formulate": "formulation",
    "harmonise": "harmonisation", "indicator": "assessment", "load": "pipeline", "load_scenario": "spec",
    "load_study": "spec", "qis": "methods", "register_method": "methods", "register_metric": "validation",
    "register_policy_model": "policy", "relax": "validation", "rezone": "rezoning", "run": "pipeline", "save": "run_folder",
    "simulate": "simulation", "solve": "execution", "validate": "validation",
}  # fmt: skip
_MODULES = (
    "assessment", "datasets", "export", "indicators", "pipeline", "policy", "read", "report", "simulation", "synthesis",
    "testing",
)  # fmt: skip

__all__ = [*_MODULES, *_WHERE]

try:
    __version__ = version("synthpop_gb")
except PackageNotFoundError:  # a checkout that was never installed
    __version__ = "0+unknown"


def __getattr__(name):
    """Import a public name when it is first asked for, so that `import synthpop_gb` takes no time."""
    if name in _MODULES:
        return import_module(f"synthpop_gb.{name}")
    if name in _WHERE:
        value = getattr(import_module(f"synthpop_gb.{_WHERE[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'synthpop_gb' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
