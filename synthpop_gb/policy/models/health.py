"""A health intervention: who is reached, how many cases that averts, what it costs, and the years of healthy life gained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from synthpop_gb.circumstances import Circumstances, circumstances_of
from synthpop_gb.geography import Geography
from synthpop_gb.policy._donors import Donors
from synthpop_gb.policy._places import Places
from synthpop_gb.policy.models.tax_benefit.model import changed

__all__ = ["HealthIntervention", "discounted_cases", "example_rates", "quintiles"]

DEPRIVATION = "deprivation"
"""Column of places and of tables of rates: quintile of the zone, 1 = the most deprived fifth."""
_KEYS = ("age_from", "sex", DEPRIVATION)

DEFAULTS: dict[str, Any] = {
    "age_from": 40.0, "age_to": 74.0, "sex": "", "most_deprived_quintiles": 5, "relative_risk": 0.8, "reach": 0.5, "uptake": 0.5,
    "cost_offered": 5.0, "cost_treated": 60.0, "saving_per_case": 0.0, "qaly_per_case": 2.0, "years": 10, "discount": 0.035,
}  # fmt: skip
"""The baseline's parameters.

`sex`: '' = everybody; `most_deprived_quintiles`: offered in that many, 5 = everywhere; `reach`: share of the eligible who are
offered it; `uptake`: share of those who take it, one number or five by quintile; costs in pounds a person; `qaly_per_case`:
quality-adjusted life years that a case loses; `years`: horizon; `discount`: a year, of cases' worth and savings (3.5 %: HM
Treasury, The Green Book, 2022, annex A6; NICE, 2022, ch. 4).
"""


class HealthIntervention:
    """An intervention offered by age, sex and deprivation, as everybody's expectation: no draws, so copies of a donor are alike.

    What is read of a place is its quintile of deprivation, where a table of places (see `quintiles`) or a level of the study's
    geography called 'deprivation' tells it; else rates are averaged over the quintiles.

    A donor's yearly risk r comes from a table of rates, or from the donor's own answer. Whoever is treated has the risk r x
    `relative_risk`; of the eligible a share `reach` x `uptake` is. Cases are first ones, within `years`: 1 - (1 - r)^years.

    Parameters
    ----------
    rates : pandas.DataFrame, optional
        Yearly rates: a column 'rate', and any of 'age_from' (years; a rate holds up to the next), 'sex' ('female', 'male') and
        'deprivation' (1 = most deprived fifth, to 5). By default `example_rates()`.
    outcome : tuple of (str, str), optional
        Instead of rates a column of the survey and the label that makes a case: ('smokes', 'yes'). The risk is then 1 where the
        donor says so and 0 elsewhere, cases are people as they are, and `years` does not matter.
    inputs, labels : mapping, optional
        Columns of the survey and what its labels mean; see `circumstances.circumstances_of`.
    parameters : optional
        Changes to `DEFAULTS`; those that reforms may change too.

    Raises
    ------
    ValueError
        For rates that are no table of them, and parameters that there are not or are out of their range.

    Examples
    --------
    A yearly risk of 1 % for ten years, half of whom are treated and have half of it:

    >>> rates = pd.DataFrame({"rate": [0.01]})
    >>> model = HealthIntervention(rates, relative_risk=0.5, reach=1.0, discount=0.0)
    >>> found = model.outcomes(pd.DataFrame({"age": [50, 30], "sex": ["female", "male"]}))
    >>> found[["cases_without", "cases_averted"]].round(4).to_numpy().tolist()
    [[0.0956, 0.0234], [0.0956, 0.0]]
    """

    name = "health-intervention"
    places = (DEPRIVATION,)
    units: ClassVar[dict[str, str]] = {
        "eligible": "people", "offered": "people", "treated": "people", "cases_without": "cases", "cases": "cases",
        "cases_averted": "cases", "cost": "pounds", "saving": "pounds", "qaly_gained": "years of healthy life",
    }  # fmt: skip

    def __init__(
        self,
        rates: pd.DataFrame | None = None,
        *,
        outcome: tuple[str, str] | None = None,
        inputs: Mapping[str, str | float] | None = None,
        labels: Mapping[str, Mapping[str, str]] | None = None,
        **parameters: Any,
    ):
        if rates is not None and outcome is not None:
            raise ValueError("a case is told by rates, or by the survey's own answer, not by both")
        self.outcome = outcome
        self.inputs, self.labels = dict(inputs or {}), dict(labels or {})
        self._example = rates is None and outcome is None
        self.rates = None if outcome is not None else _checked_rates(example_rates() if rates is None else rates)
        self.parameters = _checked(changed(DEFAULTS, parameters))
        self._facts: dict[str, Any] = {}

    def outcomes(self, donors: Donors, parameters: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Give everybody's expected cases with and without the intervention, its cost, and what it gains.

        Parameters
        ----------
        donors : Donors
            With age, sex where rates or the offer tell by it, and the column `deprivation` where places do.
        parameters : mapping, optional
            What a reform changes.

        Returns
        -------
        pandas.DataFrame
            Of persons: eligible (0 or 1), offered, treated (expected), cases_without, cases, cases_averted, cost, saving (pounds,
            the saving discounted), qaly_gained (discounted). Totals over people are what areas are told.

        Raises
        ------
        KeyError, ValueError
            For columns and parameters that there are not.
        """
        p = _checked(changed(self.parameters, parameters))
        known = circumstances_of(donors, self.inputs, self.labels)
        quintile = self._quintile(donors)
        age = known.number("age")
        eligible = (age >= p["age_from"]) & (age <= p["age_to"])
        if p["sex"]:
            eligible &= known.is_("sex", p["sex"])
        if p["most_deprived_quintiles"] < 5:
            eligible &= (quintile >= 1) & (quintile <= p["most_deprived_quintiles"])
        uptake = np.broadcast_to(np.asarray(p["uptake"], np.float64), (5,))
        offered = eligible * float(p["reach"])
        treated = offered * np.where(quintile > 0, uptake[np.maximum(quintile, 1) - 1], uptake.mean())
        risk = self._risk(donors, known, age, quintile)
        years = 1 if self.outcome is not None else int(p["years"])
        lowered = np.minimum(risk * p["relative_risk"], 1.0)
        without, with_it = 1.0 - (1.0 - risk) ** years, 1.0 - (1.0 - lowered) ** years
        worth = discounted_cases(risk, years, p["discount"]) - discounted_cases(lowered, years, p["discount"])
        self._remember(known, bool((quintile > 0).any()))
        columns = {
            "eligible": eligible.astype(np.float64), "offered": offered, "treated": treated, "cases_without": without,
            "cases": without - treated * (without - with_it), "cases_averted": treated * (without - with_it),
            "cost": offered * p["cost_offered"] + treated * p["cost_treated"],
            "saving": treated * worth * p["saving_per_case"], "qaly_gained": treated * worth * p["qaly_per_case"],
        }  # fmt: skip
        return pd.DataFrame(columns, index=donors.index)

    def places_of(self, geography: Geography, table: pd.DataFrame | None = None) -> Places:
        """Find the classes of place: the quintiles, where they are known; else one.

        table : 'deprivation' by zone, or by the level that its index is named for. Raises InputError (`study-reference`) where it
        leaves out zones.
        """
        told = DEPRIVATION in geography.zones.columns or (table is not None and DEPRIVATION in table)
        return Places.of(geography, [DEPRIVATION], table) if told else Places.everywhere(len(geography.zones))

    def configured(self, *, inputs: Mapping[str, str | float] | None = None) -> HealthIntervention:
        """Make the same model with further inputs."""
        rates = None if self._example else self.rates
        inputs = {**self.inputs, **(inputs or {})}
        return HealthIntervention(rates, outcome=self.outcome, inputs=inputs, labels=self.labels, **self.parameters)

    def facts(self) -> dict[str, Any]:
        """Return the baseline's parameters, where the risk is from, and the columns used when outcomes were last asked for."""
        source = f"{self.outcome[0]} = {self.outcome[1]}, as answered" if self.outcome else "a table of rates"
        source = "an example of round rates, no evidence" if self._example else source
        return {"risk": source, "parameters": dict(self.parameters), **self._facts}

    def _quintile(self, donors: Donors) -> np.ndarray:
        """(n,) int quintile of the place, 0 = not known."""
        if DEPRIVATION not in donors or not isinstance(donors.index, pd.MultiIndex):  # the survey's own is of where donors lived
            return np.zeros(len(donors), np.int64)
        quintile = pd.to_numeric(donors[DEPRIVATION], errors="coerce").fillna(0).to_numpy(np.float64)
        if not np.isin(quintile, range(6)).all():
            raise ValueError(f"{DEPRIVATION} is a quintile from 1, the most deprived fifth, to 5; see health.quintiles")
        return quintile.astype(np.int64)

    def _risk(self, donors: Donors, known: Circumstances, age: np.ndarray, quintile: np.ndarray) -> np.ndarray:
        """(n,) yearly risk of each donor."""
        if self.outcome is not None:
            column, label = self.outcome
            if column not in donors:
                raise KeyError(f"the survey has no column {column!r}")
            return (donors[column].astype("string").fillna("") == str(label)).to_numpy(np.float64)
        rates, risk = self.rates, np.zeros(len(donors))
        if "age_from" in rates:
            starts = np.sort(rates["age_from"].unique())
            band = np.searchsorted(starts, age, side="right") - 1  # -1: younger than every band, no risk
        for row in rates.to_dict("records"):
            here = np.ones(len(donors), bool)
            if "age_from" in row:
                here &= (band >= 0) & (starts[np.maximum(band, 0)] == row["age_from"])
            share = 1.0
            if "sex" in row:
                same = known.is_("sex", row["sex"])
                share = np.where(known.is_("sex", "female", "male"), same, 0.5)
            if DEPRIVATION in row:
                share = share * np.where(quintile > 0, quintile == row[DEPRIVATION], 0.2)
            risk += np.where(here, row["rate"] * share, 0.0)
        return risk

    def _remember(self, known: Circumstances, placed: bool) -> None:
        defaults = {k: v for k, v in known.defaults.items() if k in ("age", "unknown ages")}
        if self.rates is not None and "sex" in self.rates and not known.has("sex"):
            defaults["sex"] = "the mean of both"
        if not placed and self.rates is not None and DEPRIVATION in self.rates:
            defaults[DEPRIVATION] = "the mean of the five quintiles"
        self._facts = {"inputs": {k: v for k, v in known.taken.items() if k in ("age", "sex")}, "defaults": defaults}

    def __repr__(self) -> str:
        """One line: whom it is offered to."""
        p = self.parameters
        who = {"female": "women", "male": "men"}.get(p["sex"], "people")
        return f"HealthIntervention: {who} of {p['age_from']:g} to {p['age_to']:g}, {p['reach']:.0%} offered it"


def discounted_cases(risk, years: int, discount: float) -> np.ndarray:
    """Return expected first cases within some years, each worth 1 in the first year and less by the discount in each later one.

    The case of year t = 0, 1 ... has the chance r (1 - r)^t; with q = (1 - r) / (1 + d) the sum is r (1 - q^years) / (1 - q).

    A risk of a half in two years, 10 % discount: 0.5 + 0.25 / 1.1.

    >>> discounted_cases([0.5, 0.0], 2, 0.1).round(6).tolist()
    [0.727273, 0.0]
    >>> discounted_cases([0.5], 2, 0.0).tolist()
    [0.75]
    """
    risk = np.asarray(risk, np.float64)
    q = (1.0 - risk) / (1.0 + discount)
    with np.errstate(divide="ignore", invalid="ignore"):
        worth = risk * (1.0 - q**years) / (1.0 - q)
    return np.where(risk > 0, worth, 0.0)


def quintiles(index: pd.Series, *, people: pd.Series | None = None, most_deprived: str) -> pd.Series:
    """Divide zones into fifths of an index of deprivation, 1 = the most deprived.

    Parameters
    ----------
    index : pandas.Series
        Score, rank or decile by zone.
    people : pandas.Series, optional
        By zone; each fifth then has a fifth of the people instead of the zones.
    most_deprived : 'high' or 'low'
        Which end of the index is the most deprived: 'high' for scores, 'low' for the ranks and deciles of the English and Welsh
        indices and of Scotland's, where 1 is the most deprived.

    Returns
    -------
    pandas.Series
        int64 from 1 to 5 by zone, named 'deprivation': a table of places, with `.to_frame()`.

    Raises
    ------
    ValueError
        Where an index is missing, or the end is not said.

    Examples
    --------
    >>> quintiles(pd.Series([10.0, 50.0, 20.0, 40.0, 30.0], list("abcde")), most_deprived="high").to_dict()
    {'a': 5, 'b': 1, 'c': 4, 'd': 2, 'e': 3}
    """
    if most_deprived not in ("high", "low"):
        raise ValueError("say which end of the index is the most deprived: 'high' or 'low'")
    if index.isna().any():
        raise ValueError(f"the index of {int(index.isna().sum()):,} zones is missing, the first {index.index[index.isna()][0]}")
    order = index.rank(method="min", ascending=most_deprived == "low").to_numpy()  # zones alike are of one fifth
    weight = np.ones(len(index)) if people is None else people.reindex(index.index).fillna(0.0).to_numpy(np.float64)
    by = np.argsort(order, kind="stable")
    before = np.concatenate([[0.0], np.cumsum(weight[by])[:-1]])
    first = np.searchsorted(order[by], order)  # of those alike
    share = (before[first] + np.bincount(first, weight, len(index))[first] / 2) / max(weight.sum(), 1e-300)
    return pd.Series(np.clip(np.floor(5 * share), 0, 4).astype(np.int64) + 1, index.index, name=DEPRIVATION)


def example_rates() -> pd.DataFrame:
    """Yearly rates of an imagined disease: round numbers that rise with age and deprivation, higher for men. No evidence at all.

    >>> example_rates().head(2).to_dict("list")
    {'age_from': [0.0, 0.0], 'sex': ['female', 'female'], 'deprivation': [1, 2], 'rate': [0.0, 0.0]}
    """
    by_age = {0.0: 0.0, 40.0: 0.004, 50.0: 0.008, 60.0: 0.014, 70.0: 0.024, 80.0: 0.035}
    gradient = {1: 1.4, 2: 1.2, 3: 1.0, 4: 0.8, 5: 0.6}
    rows = [
        {"age_from": a, "sex": s, DEPRIVATION: q, "rate": round(r * g * f, 6)}
        for a, r in by_age.items() for s, f in (("female", 0.75), ("male", 1.25)) for q, g in gradient.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _checked_rates(rates: pd.DataFrame) -> pd.DataFrame:
    """Raise ValueError unless it is a table of rates."""
    strange = [str(c) for c in rates.columns if c not in (*_KEYS, "rate")]
    if "rate" not in rates or strange:
        raise ValueError(f"rates have the columns rate and any of {', '.join(_KEYS)}, not {', '.join(map(str, rates.columns))}")
    keys = [k for k in _KEYS if k in rates]
    if (keys and rates[keys].duplicated().any()) or (not keys and len(rates) != 1):
        raise ValueError("a group has two rates")
    whole = int(np.prod([rates[k].nunique() for k in keys])) if keys else 1
    if len(rates) != whole:
        raise ValueError(f"{whole - len(rates)} groups of {', '.join(keys)} have no rate")
    if not rates["rate"].between(0, 1).all():
        raise ValueError("a yearly rate is a share of people, from 0 to 1")
    if "sex" in rates and set(rates["sex"]) != {"female", "male"}:
        raise ValueError("sex is female and male")
    if DEPRIVATION in rates and set(rates[DEPRIVATION]) != {1, 2, 3, 4, 5}:
        raise ValueError("deprivation is a quintile, 1 to 5")
    return rates[[*keys, "rate"]].reset_index(drop=True)


def _checked(p: dict[str, Any]) -> dict[str, Any]:
    """Raise ValueError for parameters out of their range, all at once."""
    wrong = [
        f"{n} is a share from 0 to 1" for n in ("reach", "uptake") if not np.all(np.asarray(p[n]) == np.clip(p[n], 0, 1))
    ]  # fmt: skip
    if np.asarray(p["uptake"]).shape not in ((), (5,)):
        wrong.append("uptake is one number, or five by quintile")
    wrong += [f"{n} is 0 or more" for n in ("relative_risk", "cost_offered", "cost_treated", "discount") if p[n] < 0]
    if p["sex"] not in ("", "female", "male"):
        wrong.append("sex is '', 'female' or 'male'")
    if p["most_deprived_quintiles"] not in range(1, 6):
        wrong.append("most_deprived_quintiles is 1 to 5")
    if int(p["years"]) != p["years"] or p["years"] < 1:
        wrong.append("years is a whole number from 1")
    if wrong:
        raise ValueError("; ".join(wrong))
    return p
