"""Measure every figure that README and docs quote, and write them where prose reads them from: `make figures`.

    python benchmarks/figures.py                          # everything; minutes
    python benchmarks/figures.py --only region,start_up   # these groups; the others are kept as they were
    python benchmarks/figures.py --list                   # names and what they measure
    python benchmarks/figures.py --write                  # measure nothing; write docs/figures.md and README from figures.json

Each group runs in a process of its own, and whatever is quoted with time or memory in a further one. docs/figures.json holds
the numbers with command, versions and machine; docs/figures.md and the table in README.md are written from it. Groups on real
data need the folder named by SYNTHPOP_GB_DATA and are left out, with a word, where it is not set.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from _measure import ROOT, machine, versions
from _pages import write_page, write_readme

FIGURES = ROOT / "docs" / "figures.json"
_MARK = "FIGURES "
# Modules that compare with others' programs, or plain NumPy, on one core.
_ONE_CORE = (
    "_solving", "_annealing", "_calibration", "_balancing", "_households", "_populationsim", "_populationsim_example",
)  # fmt: skip
_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Group:
    """Figures that are measured together.

    about : what is shown; module, function : where it is measured (imported in the group's own process); arguments : for it;
    data : whether the folder of open data is needed.
    """

    about: str
    module: str
    function: str
    arguments: tuple = ()
    data: bool = True


GROUPS = {
    "leeds_2011": Group("Leeds, 2011 census, end to end", "_studies", "measure_study", ("leeds-2011", 3)),
    "yorkshire_2011": Group(
        "Yorkshire and The Humber, 2011 census, end to end", "_studies", "measure_study", ("yorkshire-2011", 3)
    ),
    "england_wales_2011": Group(
        "England and Wales, 2011 census, end to end", "_studies", "measure_study", ("england-wales-2011", 3)
    ),
    "leeds_2021": Group("Leeds, perturbed tables of Census 2021, end to end", "_studies", "measure_study", ("leeds-2021", 1)),
    "england_wales_2021": Group(
        "England and Wales, perturbed tables of Census 2021, end to end", "_studies", "measure_study", ("england-wales-2021", 1)
    ),
    "fit_and_whole_one_core": Group("England and Wales 2011: fit and whole people alone, on one core", "_solving", "one_core"),
    "levels_yorkshire": Group(
        "Yorkshire and The Humber 2011: tables of larger areas as well, judged at LSOAs", "_levels", "yorkshire"
    ),
    "unbiased": Group("Leeds 2011 under 200 seeds: mean counts against fitted weights", "_solving", "unbiased"),
    "same_bits": Group("Leeds 2011: the same people however the work is done", "_solving", "same_bits"),
    "region": Group(
        "The ordinary size: 1,000 zones, eight tables, 16,255 profiles, truth known", "_solving", "region", data=False
    ),
    "quasirandom": Group(
        "Quasirandom whole people: margins, the joint, time, and how far means are from the fit", "_quasirandom", "quasirandom"
    ),
    "anneal_leeds": Group("Leeds 2011 by annealing from the fit: exactness, time, held-out error", "_annealing", "anneal_leeds"),
    "anneal_fmf": Group("Leeds 2011 by the Flexible Modelling Framework's rules", "_annealing", "anneal_fmf"),
    "anneal_region": Group(
        "The ordinary size by annealing, beside the Framework's rules", "_annealing", "anneal_region", data=False
    ),
    "anneal_cakemap": Group(
        "CakeMap by annealing, beside the Framework's rules; zones that nothing can fit", "_annealing", "anneal_cakemap"
    ),
    "starts": Group("Better starts: held-out age by sex and employment in five areas of 2011", "_starts", "census"),
    "starts_households": Group(
        "Better starts of whole households: poverty by zone, five random surveys of EU-SILC", "_starts", "households"
    ),
    "incomes": Group(
        "Calibrating to incomes published by MSOA: mean income and low income by zone in four demo counties, before and after",
        "_incomes",
        "demo_counties",
        data=False,
    ),
    "incomes_leeds": Group(
        "Leeds 2021, households of the stand-in survey: total income by MSOA before and after, areas left out, one figure alone",
        "_incomes",
        "leeds",
    ),
    "replicates": Group("Forty replicates: time on one core, memory, each by itself", "_replicating", "replicates"),
    "same_bits_methods": Group(
        "Every fourth zone of Leeds: the same people and replicates by each method however the work is done",
        "_replicating",
        "same_bits",
    ),
    "methods": Group("Methods side by side on Leeds, 2011", "_replicating", "methods"),
    "intervals_census": Group(
        "Coverage of nominal 90 % intervals: Leeds and 300 random LSOAs, 2011; in band = 85 to 95 % of zones",
        "_intervals",
        "census",
    ),
    "intervals_demo": Group(
        "Coverage of nominal 90 % intervals: the demo counties, ten outcomes each", "_intervals", "demo_counties", data=False
    ),
    "intervals_households": Group(
        "Coverage of nominal 90 % intervals: whole households of a demo county of 24 zones, outcomes of people and of households",
        "_household_intervals",
        "demo_households",
        data=False,
    ),
    "intervals_silc": Group("Coverage of nominal 90 % intervals: zones of EU-SILC", "_intervals", "silc"),
    "national_households": Group(
        "Whole households in 34,753 zones of made-up counties, end to end, killed on the way and resumed",
        "_national",
        "national",
        data=False,
    ),
    "national_households_dask": Group(
        "Whole households in 200 zones on a dask cluster of two workers", "_national", "dask_part", data=False
    ),
    "reform_coverage": Group(
        "Coverage of nominal 90 % intervals of a reform's mean change by zone: demo counties, the model run on their true people",
        "_reform_coverage",
        "reform_coverage",
        data=False,
    ),
    "cakemap": Group("CakeMap: three zones that no weights can fit", "_small", "cakemap"),
    "simpleworld": Group("SimpleWorld: against the weights that the book prints", "_small", "simpleworld", data=False),
    "maps": Group(
        "Maps of Yorkshire and The Humber in every format, each read back (least of 3); of England and Wales once",
        "_maps",
        "files_of_maps",
    ),
    "start_up": Group("How long before anything happens (median of 5)", "_small", "start_up", data=False),
    "calibration": Group(
        "Leeds 2021, table by table against the publisher's noise: hard targets beside soft ones", "_calibration", "hard_and_soft"
    ),
    "calibration_prior": Group(
        "Leeds 2021 perturbed anew from known people: error against the truth, by weight of the survey", "_calibration", "prior"
    ),
    "calibration_times": Group("Leeds 2021: a zone on one core, by distance", "_calibration", "times"),
    "calibration_ordinary": Group(
        "The ordinary size, 40 zones: a zone on one core, by distance", "_calibration", "speed", data=False
    ),
    "census_2021_noise": Group(
        "Census 2021: standard deviation of one published cell, by table, from how totals scatter", "_calibration", "perturbation"
    ),
    "titanic": Group(
        "Titanic: correlations of data made from distributions, under every definition; forests trained on them",
        "_synthesis",
        "titanic",
    ),
    "heart": Group("Heart failure: data made from distributions; forests trained on them", "_synthesis", "heart"),
    "boys": Group("boys: what nine syntheses are worth, and what they give away", "_trade_off", "boys"),
    "policy_yorkshire": Group(
        "Yorkshire and The Humber 2011: a tax reform by zone, sex and age group, and what running it on everybody takes",
        "_policy",
        "policy_yorkshire",
    ),
    "distribution_coverage": Group(
        "Demo counties: do intervals of poverty and inequality by zone hold the truth",
        "_policy_coverage",
        "distribution_coverage",
        data=False,
    ),
    "policyengine": Group(
        "PolicyEngine UK on the demo county of whole households: by donor and class of place, beside every copy run",
        "_policyengine",
        "policyengine",
        data=False,
    ),
    "two_column": Group(
        "A population of two columns as large as Great Britain's adults: read, checked, summarised by zone",
        "_two_column",
        "great_britain",
        data=False,
    ),
    "compare": Group("Leeds, 2011: populations compared with each other", "_two_column", "two_populations"),
    "disclosure_adult": Group(
        "Adult, half synthesised from and half held out: what measures say of shuffled columns and of a bootstrap",
        "_disclosure",
        "adult",
    ),
    "disclosure_cloned": Group(
        "Yorkshire and The Humber 2011: uniqueness by zone and what an intruder learns", "_disclosure", "cloned"
    ),
    "adult": Group(
        "Adult against generators that are wrong in known ways: what the scan of intersections finds, and at which rank",
        "_intersections",
        "adult",
    ),
    "scan": Group(
        "Leeds 2011: every combination of up to three of twelve variables, by zone, and fifty million plain rows",
        "_intersections",
        "scan",
    ),
    "utility_perfect": Group(
        "Utility of perfect syntheses: mean standardised measures of 100 samples of the real records",
        "_utility",
        "perfect",
        data=False,
    ),
    "utility_adult": Group("Utility of Adult: a bootstrap sample, and columns shuffled one by one", "_utility", "adult"),
    "household_fit": Group(
        "Households and persons fitted together on one core, beside plain NumPy, IPU and, where installed, PopulationSim",
        "_balancing",
        "fit",
    ),
    "households_demo": Group(
        "Three demo counties of whole households, eight tables: exact zones, who lives with whom against the truth",
        "_households_demo",
        "households_demo",
        data=False,
    ),
    "households_eusilc": Group(
        "Whole households on zones of EU-SILC of 250 and 650 households: exact zones, time on one core, held-out income",
        "_households",
        "eusilc",
    ),
    "border": Group(
        "Northumberland and the Scottish Borders: tables of two censuses joined",
        "_geographies",
        "measure_levels",
        ("border-2022",),
    ),
    "trafford": Group(
        "Trafford 2021: perturbed tables of output areas, LSOAs and MSOAs in one study, every table of every level",
        "_geographies",
        "measure_levels",
        ("trafford-2021",),
    ),
    "scotland": Group(
        "Scotland 2022: four tables in all 6,976 data zones, two of them from SuperWEB2 files as they come",
        "_geographies",
        "measure_levels",
        ("scotland-2022",),
    ),
    "rezoning": Group(
        "England and Wales 2021: people of LSOAs counted in constituencies that divide LSOAs", "_geographies", "rezoning"
    ),
    "households_populationsim_example": Group(
        "PopulationSim's own example: controls of zones, tracts and districts, beside PopulationSim where it is at hand",
        "_populationsim_example",
        "example",
    ),
    "households_populationsim": Group(
        "Whole households on 500 made-up zones, 33 household and person cells, beside PopulationSim where it is at hand",
        "_populationsim",
        "whole_households",
        data=False,
    ),
    "explorer": Group(
        "The explorer of Yorkshire and The Humber 2011: size, and a change of indicator in a browser that draws by software",
        "_explorer",
        "yorkshire",
    ),
    "demo": Group("The demo county, whose true people are known", "_small", "demo", data=False),
    "tax_benefit": Group(
        "The stylised tax-benefit model on the demo county's true households", "_models", "tax_benefit", data=False
    ),
    "entity_tables": Group(
        "The demo county of whole households as tables for other models, read back", "_models", "entity_tables", data=False
    ),
}


def main() -> int:
    """Parse, measure the groups asked for, write after each one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="groups, separated by commas")
    parser.add_argument("--list", action="store_true", help="list the groups")
    parser.add_argument("--write", action="store_true", help="measure nothing; write the pages from figures.json")
    parser.add_argument("--measure", help=argparse.SUPPRESS)  # a group, in the process of its own
    asked = parser.parse_args()
    if asked.list:
        for name, group in GROUPS.items():
            print(f"{name:24}{group.about}{' (open data)' if group.data else ''}")
        return 0
    if asked.measure:
        return _measure_here(asked.measure)
    names = [n for n in asked.only.split(",") if n] or list(GROUPS)
    if unknown := [n for n in names if n not in GROUPS]:
        parser.error(f"there is no group {', '.join(unknown)}; there are {', '.join(GROUPS)}")
    failed = [] if asked.write else _measure(names)
    if FIGURES.exists():
        figures = json.loads(FIGURES.read_text(encoding="utf-8"))
        write_page(figures, {name: group.about for name, group in GROUPS.items()}, ROOT / "docs" / "figures.md")
        write_readme(figures, ROOT / "README.md")
    return 1 if failed else 0


def _measure(names: list[str]) -> list[str]:
    """Measure groups in turn, each in a process of its own; returns those that failed."""
    failed = []
    if not os.environ.get("SYNTHPOP_GB_DATA") and any(GROUPS[n].data for n in names):
        left_out = [n for n in names if GROUPS[n].data]
        names = [n for n in names if not GROUPS[n].data]
        print(f"SYNTHPOP_GB_DATA names no folder of open data, so these are left out: {', '.join(left_out)}", flush=True)
    for name in names:
        print(f"{name}: {GROUPS[name].about}", flush=True)
        began = time.perf_counter()
        command = [sys.executable, __file__, "--measure", name]
        quiet = {"MPLBACKEND": "Agg", **(_ONE_THREAD if GROUPS[name].module in _ONE_CORE else {})}
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **quiet}, check=False)
        found = [line for line in done.stdout.splitlines() if line.startswith(_MARK)]
        if done.returncode or not found:
            failed.append(name)
            print(f"  failed:\n{(done.stdout + done.stderr)[-3000:]}", flush=True)
            continue
        part = json.loads(found[-1].removeprefix(_MARK))
        _merge(name, part)
        for value, entry in part["values"].items():
            print(f"  {value} = {entry['text']}", flush=True)
        print(f"  ({time.perf_counter() - began:.0f} s)", flush=True)
    return failed


def _measure_here(name: str) -> int:
    """Measure one group in this process and print it, marked, as one line of JSON."""
    group = GROUPS[name]
    function: Callable = getattr(__import__(group.module), group.function)
    with tempfile.TemporaryDirectory(prefix="synthpop-gb-figures-") as folder:
        command, values = function(*group.arguments, folder=Path(folder))
    print(_MARK + json.dumps({"command": command, "values": values}))
    return 0


def _merge(name: str, part: dict) -> None:
    """Put one group into figures.json; groups measured earlier stay, each with its own date and machine."""
    now = {"machine": machine(), "versions": versions(), "created": datetime.now(UTC).isoformat(timespec="seconds")}
    before = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {"figures": {}}
    known = before["figures"]
    known[name] = {"command": part["command"], "created": now["created"], "machine": now["machine"], "values": part["values"]}
    ordered = {n: known[n] for n in (*GROUPS, *sorted(set(known) - set(GROUPS))) if n in known}
    temporary = FIGURES.with_suffix(".json.part")
    temporary.write_text(json.dumps({**now, "figures": ordered}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(FIGURES)


if __name__ == "__main__":
    sys.exit(main())
