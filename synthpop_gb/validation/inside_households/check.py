"""Households of a population beside the survey's and the true ones, in everything that no table says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.checks import Checks
from synthpop_gb.errors import Finding, finding
from synthpop_gb.population import DonorCounts, Population
from synthpop_gb.validation.inside_households.compared import Compared, compared
from synthpop_gb.validation.inside_households.distributions import Distribution, describe, together
from synthpop_gb.validation.inside_households.impossible import RULES, broken_rules
from synthpop_gb.validation.inside_households.view import View, of_survey, of_truth

__all__ = ["household_checks", "placed_units"]

FEWEST = 10
"""Survey entries below which a share is withheld, unless the survey is open."""


def household_checks(
    population: Population,
    aligned: Aligned,
    *,
    counts: Iterable[DonorCounts] | None = None,
    truth: pd.DataFrame | None = None,
    true_households: pd.DataFrame | None = None,
) -> Checks:
    """Compare who lives with whom with the survey, and with the true people where these are known.

    Households are copied whole, so every household of the population is one that the survey has; what may be wrong is how many
    there are of each kind, and where. Distributions: size x composition, age of the reference x size, children under 16, tenure x
    composition, adults x adults in work, people by age x composition; of couples both ages, the gap between them and both ethnic
    groups; of the reference and each child the gap. What the survey cannot tell is left out and named. Relations are told by a
    variable `role` or `relationship` whose labels say who is reference, partner and child (`role_of`), else by a column `partner`
    that holds record ids or member numbers.

    Parameters
    ----------
    population : Population
        Of whole households.
    aligned : Aligned
        What it was made from.
    counts : iterable of DonorCounts, optional
        The people judged (records and copies), e.g. read back from a run; `population.blocks()` by default.
    truth, true_households : pandas.DataFrame, optional
        True people, with columns `zone` and the survey's column of household ids (or `household`), and true households with the
        same column; further columns as the survey calls them.

    Returns
    -------
    Checks
        - 'household_mix': one row a distribution: distribution, unit, cells, survey (entries), population, wrong_survey (per cent
          in another cell than the survey's weighted distribution), floor_survey (what the survey's own sampling leaves of
          that); with
          truth: truth (entries), wrong (per cent in another cell than the truth), wrong_as_survey (the survey taken as it is),
          floor (as many households drawn at random from the true ones), zones, zone_wrong, zone_as_survey, zone_floor (the same,
          zone by zone, means weighted by true entries), worst_cell, worst_error (percentage points)
        - 'household_cells': one row a cell: distribution, cell, unit, survey, population, truth (per cent), error_survey, error
          (percentage points)
        - 'household_zones': with truth, one row a distribution and zone: zone, distribution, entries, wrong, as_survey, floor
        - 'impossible_households': one row a rule: rule, meaning, survey, population, truth (households), survey_share (weighted),
          population_share, truth_share (per cent of households); 'split households' counts those without all their members. Of a
          survey that is not open, survey and survey_share of 1 to 9 households are withheld

        Findings: 'impossible-combination', 'not-looked-at'.

    Raises
    ------
    ValueError
        Where the population is of persons.
    """
    if aligned.households is None or population.problem.households is None:
        raise ValueError("this population is of persons: there are no households to look into")
    placed, split = placed_units(population.blocks() if counts is None else counts, aligned)
    view = of_survey(aligned)
    made, missing = describe(view)
    weight = np.where(aligned.households.communal, 0.0, aligned.households.weight)
    of_people, real = None, None
    if truth is not None:
        household = aligned.survey.household if aligned.survey.household in truth else "household"
        real = of_truth(aligned, truth, true_households, household)
        of_people, absent = describe(real)
        missing |= {f"{name} (truth)": why for name, why in absent.items() if name not in missing}
    results = _all(made, of_people, view, real, weight, placed, aligned)
    tables = {
        "household_mix": pd.DataFrame([r.row for r in results]),
        "household_cells": _cells(results, aligned.survey.licence == "open"),
        "impossible_households": _impossible(view, real, weight, placed, split),
    }
    by_zone = [r.zones for r in results if r.zones is not None]
    if by_zone:
        tables["household_zones"] = pd.concat(by_zone, ignore_index=True)
    headline = _headline(tables, placed)
    if aligned.survey.licence != "open":
        tables["impossible_households"] = _withheld(tables["impossible_households"])
    return Checks(headline, tables, (*_of_rules(tables["impossible_households"]), *_of_missing(missing)))


def placed_units(counts: Iterable[DonorCounts], aligned: Aligned):
    """Recover whole households from people: (zones x units) copies as scipy.sparse.csr_array, and how many are not whole.

    A household has as many copies as its reference; one is split where some member has another number. Residents of communal
    establishments are left out.
    """
    from scipy.sparse import csr_array

    homes, zones, n_units = aligned.households, aligned.zones, len(aligned.households.ids)
    reference = np.full(len(aligned.records), -1, np.int64)
    reference[homes.reference] = np.arange(n_units)
    ones = np.ones(len(homes.member), np.int64)
    members = csr_array((ones, (homes.of_record[homes.member], homes.member)), shape=(n_units, len(aligned.records)))
    rows, units, n, split = [], [], [], 0
    for block in counts:
        row = np.repeat(np.arange(len(block.zones)), np.diff(block.indptr))
        unit = reference[block.record]
        at = unit >= 0
        expected = csr_array((block.n[at], (row[at], unit[at])), shape=(len(block.zones), n_units), dtype=np.int64) @ members
        people = csr_array((block.n, (row, block.record)), shape=(len(block.zones), len(aligned.records)), dtype=np.int64)
        split += int(((abs(people - expected) @ members.T) > 0).sum())
        keep = at & ~homes.communal[np.maximum(unit, 0)]
        rows.append(zones.get_indexer(block.zones)[row[keep]])
        units.append(unit[keep])
        n.append(block.n[keep])
    parts = [np.concatenate(x) if x else np.zeros(0, np.int64) for x in (n, rows, units)]
    return csr_array((parts[0].astype(np.float64), (parts[1], parts[2])), shape=(len(zones), len(homes.ids))), split


def _all(
    made: Sequence[Distribution], real: Sequence[Distribution] | None, view: View, truth: View | None, weight, placed, aligned
) -> list[Compared]:
    """Every distribution compared, those without a truth too."""
    matched = {} if real is None else {a.name: (a, b) for a, b in together(made, real)}
    out = []
    for one in made:
        mine, other = matched.get(one.name, (one, None))
        true = None if other is None else (other.matrix(truth.n_units), truth.zone)
        out.append(compared(mine, mine.matrix(view.n_units), weight, placed, true, aligned.zones))
    return out


def _cells(results: Sequence[Compared], named: bool) -> pd.DataFrame:
    if not results:
        return pd.DataFrame(columns=["distribution", "cell", "unit", "survey", "population", "truth", "error_survey", "error"])
    frame = pd.concat([r.cells for r in results], ignore_index=True)
    few = (frame["entries"] > 0) & (frame["entries"] < FEWEST)
    if not named:
        frame.loc[few, ["survey", "error_survey"]] = np.nan
    return frame.drop(columns="entries")


def _impossible(view: View, real: View | None, weight: np.ndarray, placed, split: int) -> pd.DataFrame:
    """Count broken rules in survey, population and truth."""
    copies = np.asarray(placed.sum(axis=0)).ravel()
    true = {} if real is None else broken_rules(real)
    rows = []
    for rule, broken in broken_rules(view).items():
        of = true.get(rule)
        rows.append({
            "rule": rule, "meaning": RULES[rule], "survey": int((broken & (weight > 0)).sum()),
            "population": int(copies[broken].sum()), "truth": None if of is None else int(of.sum()),
            "survey_share": 100 * weight[broken].sum() / (weight.sum() or 1.0),
            "population_share": 100 * copies[broken].sum() / (copies.sum() or 1.0),
            "truth_share": np.nan if of is None else 100 * of.mean(),
        })  # fmt: skip
    rows.append({
        "rule": "split households", "meaning": "some member is missing, or comes twice", "survey": 0, "population": split,
        "truth": None, "survey_share": 0.0, "population_share": 100 * split / (copies.sum() or 1.0), "truth_share": np.nan,
    })  # fmt: skip
    return pd.DataFrame(rows).astype({"truth": "Int64"})


def _withheld(frame: pd.DataFrame) -> pd.DataFrame:
    """Blank what fewer than ten households of the survey stand behind."""
    few = (frame["survey"] > 0) & (frame["survey"] < FEWEST)
    return frame.assign(survey=frame["survey"].astype("Int64").mask(few), survey_share=frame["survey_share"].mask(few))


def _headline(tables: Mapping[str, pd.DataFrame], placed) -> dict[str, object]:
    broken, mix = tables["impossible_households"], tables["household_mix"]
    out: dict[str, object] = {
        "households": int(placed.sum()),
        "households that cannot be": int(broken["population"].sum()),
    }
    for row in mix.to_dict("records"):
        if "wrong" in row and np.isfinite(row["wrong"]):
            out[f"inside households: {row['distribution']}"] = (
                f"{row['wrong']:.2f} % of {row['unit']} in the wrong cell (survey as it is {row['wrong_as_survey']:.2f}, "
                f"households drawn from the truth {row['floor']:.2f}); zone by zone {row['zone_wrong']:.1f} % (survey as it is "
                f"{row['zone_as_survey']:.1f}, drawn {row['zone_floor']:.1f})"
            )
        else:
            out[f"inside households: {row['distribution']}"] = (
                f"{row['wrong_survey']:.2f} % of {row['unit']} in another cell than the survey's (its own sampling "
                f"{row['floor_survey']:.2f})"
            )
    return out


def _of_rules(broken: pd.DataFrame) -> list[Finding]:
    found = []
    for row in broken[broken["population"] > 0].to_dict("records"):
        withheld = pd.isna(row["survey"])
        own = withheld or row["survey"] > 0
        having = f"fewer than {FEWEST}" if withheld else f"{row['survey']:,}"
        message = f"{_number(row['population'])} of the population: {row['meaning']}."
        message += f" The survey has {having} of them." if own else ""
        why = "Households are copies: what cannot be in the survey cannot be here either." if own else "Nobody lives so."
        remedy = "Mend these households of the survey, or leave them out." if own else "Run the study again."
        found.append(
            finding("impossible-combination", message, place=row["rule"], count=row["population"], why=why, remedy=remedy)
        )
    return found


def _number(n: int) -> str:
    return f"{n:,} household{'' if n == 1 else 's'}"


def _of_missing(missing: Mapping[str, str]) -> list[Finding]:
    if not missing:
        return []
    message = f"Not looked at inside households: {'; '.join(f'{name} ({why})' for name, why in missing.items())}."
    remedy = "Describe the variables in the survey: age in years, relationship to the reference person, composition, tenure."
    return [finding("not-looked-at", message, place="households", count=len(missing), remedy=remedy)]
