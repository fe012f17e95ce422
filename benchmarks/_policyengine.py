"""PolicyEngine UK on the demo county of whole households: the donors' run beside running every copy, with the network refused."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import numpy as np
import pandas as pd
from _measure import figure
from _studies import county_of_households

COUNTY, ZONES, SEED, YEAR = "penmarrow", 60, 2021, 2026
ALLOWANCE = "gov.hmrc.income_tax.allowances.personal_allowance.amount"
INPUTS = {"rent": {"column": "tenure", "map": {"private rented": 9600, "social rented": 5200}, "blank": 0}, "council_tax": 1800}
PLACES = {"Leeds": "Yorkshire and The Humber", "Camden": "London", "Glasgow City": "Scotland", "Cardiff": "Wales"}
"""The county is made up, so its zones are put into four places by turns: rules of England, London's cap, Scotland and Wales."""


def policyengine(*, folder: Path) -> tuple[str, dict]:
    """Five outcomes, baseline and a reform, by donor and by copy: seconds of both, what differs, and what varies by place."""
    from synthpop_gb.policy import place_differences, run_model
    from synthpop_gb.policy.policyengine import OUTCOMES, PolicyEngineUK, write_dataset
    from synthpop_gb.policy.policyengine._engine import engine
    from synthpop_gb.policy.probe import probe

    refused = _no_network()
    aligned, population = county_of_households(COUNTY, zones=ZONES, seed=SEED, folder=folder / "county")
    turn = np.array(list(PLACES), object)[np.arange(len(aligned.zones)) % len(PLACES)]
    places = pd.DataFrame({"local_authority": turn, "region": [PLACES[t] for t in turn]}, index=aligned.zones)
    engine()  # imported
    model, seed = PolicyEngineUK(year=YEAR, inputs=INPUTS), population.provenance.seed
    base, base_s = _timed(lambda: run_model(model, aligned, places=places, seed=seed))
    changes = {ALLOWANCE: 15_000}
    reform, reform_s = _timed(
        lambda: run_model(model, aligned, places=places, seed=seed, parameters=changes, scenario="allowance")
    )
    path, write_s = _timed(
        lambda: write_dataset(population, aligned, folder / "county.h5", year=YEAR, inputs=INPUTS, places=places)
    )
    (ran, home), copies_s = _timed(lambda: _copies(path, OUTCOMES))
    largest, unequal = _beside(aligned, {False: base, True: reform}, ran, home)
    right = home["local_authority"].to_numpy() == _names(places, home, engine().local_authorities)
    found = probe(model, aligned, places=base.places, seed=seed, outcomes=base)
    values = {
        "households": figure(len(home), "households"), "people": figure(population.people, "people"),
        "donor_households": figure(len(aligned.households.ids), "households"),
        "places": figure(len(base.places), "classes of place"),
        "donors_cpu_seconds": figure(base_s + reform_s, "s"), "copies_cpu_seconds": figure(copies_s, "s"),
        "times": figure(copies_s / (base_s + reform_s), "", f"{copies_s / (base_s + reform_s):.1f}"),
        "write_cpu_seconds": figure(write_s, "s"),
        "unequal_households": figure(unequal, "households"), "largest_gap": figure(largest, "pounds", f"{largest:.1g}"),
        "wrong_authorities": figure(int((~right).sum()), "households"),
        "refused_outcomes": figure(len(found.frame), "outcomes"), "connections": figure(len(refused), "connections"),
        "inputs_at_default": figure(len(model.facts()["defaults"]), "inputs"),
    }  # fmt: skip
    for row in place_differences(base, list(base.places.classes["region"]).index("YORKSHIRE")).itertuples():
        values[f"{row.outcome}_{row.region.lower()}"] = figure(100 * row.share, "% of donors")
    return f"python benchmarks/figures.py --only policyengine  # {_versions()}", values


def _versions() -> str:
    from synthpop_gb.policy.policyengine._engine import engine

    return " ".join(f"{k} {v}" for k, v in engine().versions.items())


def _no_network() -> list:
    """Refuse every connection from here on; the list fills with those that were asked for."""
    asked = []

    def refuse(*address):
        asked.append(address)
        raise OSError("no network here")

    socket.socket.connect = refuse
    socket.getaddrinfo = refuse
    return asked


def _timed(call) -> tuple[object, float]:
    """What it gives, and the processor seconds it took: the machine does other things beside."""
    began = time.process_time()
    found = call()
    return found, time.process_time() - began


def _copies(path: Path, wanted) -> tuple[dict, pd.DataFrame]:
    """Run the file as PolicyEngine's users do: the reform, and the baseline that it makes beside; values by household."""
    import policyengine_uk

    simulation = policyengine_uk.Microsimulation(dataset=str(path), reform={ALLOWANCE: {str(YEAR): 15_000}})
    found = {}
    for reformed, made in ((True, simulation), (False, simulation.baseline)):
        ids = np.asarray(made.calculate("household_id", YEAR)).astype(int)
        values = {n: np.asarray(made.calculate(n, YEAR, map_to="household"), np.float64) for n in wanted}
        found[reformed] = pd.DataFrame(values, index=ids).sort_index()
    from synthpop_gb.policy.policyengine import read_tables

    return found, read_tables(path)["household"].set_index("household_id").sort_index()


def _beside(aligned, outcomes: dict, ran: dict, home: pd.DataFrame) -> tuple[float, int]:
    """Largest difference between a copy and its donor in any outcome of either scenario, and how many households have one."""
    homes = aligned.households
    unit = pd.Index(homes.ids.astype(str)).get_indexer(home["donor_household"])
    place, largest, unequal = home["place"].to_numpy(), 0.0, np.zeros(len(home), bool)
    for reformed, found in outcomes.items():
        for i, name in enumerate(found.names):
            of_home = (
                np.stack([np.bincount(homes.of_record, v) for v in found.values[i]])
                if found.of[i] == "person"
                else found.values[i][:, homes.reference]
            )
            gap = np.abs(of_home[place, unit] - ran[reformed][name].to_numpy())
            largest, unequal = max(largest, float(gap.max())), unequal | (gap > 1e-6)
    return largest, int(unequal.sum())


def _names(places: pd.DataFrame, home: pd.DataFrame, authorities: dict[str, str]) -> np.ndarray:
    """PolicyEngine's name of each household's local authority, from the table of places."""
    return places["local_authority"].map(authorities).reindex(home["zone"]).to_numpy(object)
