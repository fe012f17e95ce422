"""Own-region donors: start weights that favour donors from the zone's own part of the country, never those alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.assessment.starts._split import add_tilt, split_profiles
from synthpop_gb.assessment.starts.cross_validation import best, left_out_errors, scores
from synthpop_gb.errors import InputError, finding
from synthpop_gb.problem import Problem

__all__ = ["STRENGTHS", "Regions", "blended", "choose_strength", "find_regions"]

STRENGTHS = (0.0, 0.1, 0.25, 0.5, 0.75)
"""Strengths that cross-validation chooses from; 0 = every donor alike."""
WORTH = 0.01
"""By how much a strength must lower the score to be taken: differences below come and go with the area."""


@dataclass(frozen=True, eq=False)
class Regions:
    """Who is from where.

    Attributes
    ----------
    names : tuple of str
        Regions that some zone lies in and some donor comes from.
    of_unit : (n_units,) int
        Region of each unit, by position in `Problem.units`; -1 = another, or unknown.
    of_zone : (n_zones,) int
        Region of each zone; -1 = one that no donor comes from, or unknown.
    """

    names: tuple[str, ...]
    of_unit: np.ndarray
    of_zone: np.ndarray


def find_regions(problem: Problem, aligned: Aligned, region: str | None = None) -> Regions:
    """Match the survey's regions with those of the zones.

    Parameters
    ----------
    problem, aligned : the problem, and what it was formulated from.
    region : str, optional
        The region of all zones, by code or name; otherwise the geography's column 'region' (or 'region_name') tells.

    Raises
    ------
    InputError
        `start-region` where the survey or the zones do not say, or no zone lies in a region that donors come from.
    """
    codes, labels = _survey_regions(aligned)
    if region is not None:
        zone_says = [pd.Series(str(region), aligned.zones)]
    else:
        zone_says = [aligned.geography.zones[c].astype(str) for c in ("region", "region_name") if c in aligned.geography.zones]
    if codes is None or not zone_says:
        whose = "The survey does" if codes is None else "The zones do"
        raise InputError([finding("start-region", f"{whose} not say which region each is from.", place="start.own_region")])
    found = np.full(len(aligned.zones), "", dtype=object)
    for said in zone_says:
        named = said.map(lambda text: labels.get(text.strip().lower(), "")).to_numpy(dtype=object)
        found = np.where(found == "", named, found)
    spoken = aligned.records if aligned.households is None else aligned.records[aligned.households.reference]
    of_donor = codes.reindex(spoken).to_numpy(dtype=object)
    names = sorted((set(found) & set(of_donor)) - {""})
    if not names:
        known = ", ".join(sorted({str(c) for c in of_donor if c})[:12])
        message = f"No zone lies in a region that the survey's donors come from ({known})."
        raise InputError([finding("start-region", message, place="start.own_region")])
    number = {name: i for i, name in enumerate(names)}
    of_unit = np.array([number.get(c, -1) for c in of_donor], np.int64)
    return Regions(tuple(names), of_unit, np.array([number.get(c, -1) for c in found], np.int64))


def _survey_regions(aligned: Aligned) -> tuple[pd.Series | None, dict[str, str]]:
    """Region of each record of the survey as its code, '' where unknown; and code by code and label, both in lower case."""
    survey = aligned.survey
    variable = survey.variables.get("region")
    column = survey.region or (None if variable is None else variable.column or variable.name)
    if column is None or column not in survey.records:
        return None, {}
    variable = next((v for v in survey.variables.values() if (v.column or v.name) == column), None)
    values = survey.records[column]
    text = values.astype(str).where(values.notna(), "")
    if variable is None:
        return text, {t.strip().lower(): t for t in text.unique() if t}
    known = {str(c.code): str(c.code) for c in variable.categories if c.atoms}
    names = {str(key).strip().lower(): str(c.code) for c in variable.categories if c.atoms for key in (c.label, c.code)}
    return text.map(lambda t: known.get(t, "")), names


def blended(problem: Problem, regions: Regions, strength: float) -> Problem:
    """Blend all donors with those of the zone's own region, scaled to the same total.

    A donor's start weight is its design weight times 1 - strength, plus, for donors of the zone's own region, strength times
    the total of all over the total of that region. Profiles without donors of the region keep 1 - strength, so that whatever
    could be fitted still can. Where all zones lie in one region the donors' design weights carry the blend, also within a
    profile. Where they lie in several, profiles are split by region and a tilt carries it, so that placement follows too.

    Parameters
    ----------
    strength : float
        From 0 to below 1.

    Raises
    ------
    ValueError
        For a strength of 1 or more: donors of the own region alone do worse than none (too few of them).
    """
    if not 0 <= strength < 1:
        raise ValueError(f"the strength of the own region's donors is from 0 to below 1, not {strength}: they alone are too few")
    if strength == 0:
        return problem
    total = problem.donor_weight.sum()
    own = np.bincount(regions.of_unit[problem.donor] + 1, problem.donor_weight, len(regions.names) + 1)[1:]
    raised = np.where(own > 0, 1 - strength + strength * total / np.where(own > 0, own, 1.0), 1.0)
    lowered = np.where(own > 0, 1 - strength, 1.0)
    if len(regions.names) == 1 and (regions.of_zone == 0).all():
        factor = np.where(regions.of_unit[problem.donor] == 0, raised[0], lowered[0])
        weight = problem.donor_weight * factor
        before = np.bincount(problem.donor_profile, problem.donor_weight, problem.n_profiles)
        share = np.bincount(problem.donor_profile, weight, problem.n_profiles) / np.where(before > 0, before, 1.0)
        return replace(problem, start=problem.start * share, donor_weight=weight, first_duals=None)
    split = split_profiles(problem, regions.of_unit)
    tilt_of = regions.of_unit[split.donor[split.donor_start[:-1]]] + 1  # cell 0: donors from elsewhere
    n = len(regions.names)
    by_region = np.zeros((n + 1, n + 1))  # the last row: zones of no region, which favour nobody
    by_region[:n] = np.log(lowered)[:, None]
    by_region[np.arange(n), np.arange(n) + 1] = np.log(raised)
    return add_tilt(split, tilt_of[None], by_region[regions.of_zone])


def choose_strength(problem: Problem, regions: Regions, strengths: tuple[float, ...] = STRENGTHS, errors=left_out_errors):
    """Choose the strength that predicts tables best which are left out, if better by `WORTH`; returns it, and facts for run.json.

    errors : what tells the errors of a problem by table; `left_out_errors`, or with tables that judge `judged_errors`.
    """
    found = {s: errors(blended(problem, regions, s)) for s in strengths}
    score = scores(found)
    return best(score, WORTH), {
        "scores": {str(s): v for s, v in score.items()},
        "errors": {str(s): {t: round(e, 4) for t, e in v.items()} for s, v in found.items()},
    }
