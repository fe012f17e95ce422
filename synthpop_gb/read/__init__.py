"""Reading: files of surveys, published tables and geography become `Microdata`, `BenchmarkTable` and `Geography`.

For example::

    survey = read.census_microdata("teaching_2011.parquet")   # or read.survey("wave_k.tab", variables={...}, weight="...")
    tables = read.tables("inputs/2011/*.csv")                 # Nomis, ONS, Scotland's Census, tidy tables
    places = read.boundaries("lsoa11.gpkg", lookup="oa11_lsoa11.csv")
    theirs = read.two_column("sp_ind_wavek.csv", records=survey.records.index)   # a population as ZoneID,pidp

One module a publisher's format; what each publication's labels mean stands in `synthpop_gb/codebooks/*.toml`. Readers collect
findings: those that a study can live with travel with the noun, the others are raised together as `InputError`.
"""

from importlib import import_module

_WHERE = {
    "area_incomes": "income_files",
    "boundaries": "geography_files",
    "census_microdata": "teaching_files",
    "column_of": "lookup_files",
    "geography": "geography_files",
    "is_census_microdata": "teaching_files",
    "is_policyengine_file": "policyengine_files",
    "lookup": "lookup_files",
    "nomis": "table_files",
    "pair": "pair_files",
    "policyengine": "policyengine_files",
    "shares": "share_files",
    "survey": "survey_files",
    "table": "table_files",
    "tables": "table_files",
    "two_column": "two_column_files",
    "universe": "_universes",
    "variable": "_codebooks",
}

__all__ = sorted(_WHERE)


def __getattr__(name: str):
    """Import a reader when it is first asked for."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return __all__
