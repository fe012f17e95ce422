"""The tax-benefit model: taxes of persons, benefits of families, net incomes of households."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd

from synthpop_gb.circumstances import Circumstances, Families, circumstances_of, families_of, is_london, is_scotland
from synthpop_gb.geography import Geography
from synthpop_gb.policy._donors import Donors
from synthpop_gb.policy._places import Places
from synthpop_gb.policy.models.tax_benefit import benefits, living, taxes
from synthpop_gb.policy.models.tax_benefit.parameters import TAX_YEARS, parameters_of

__all__ = ["TaxBenefit"]

NATIONS = ("scotland", "london")
"""Whether a place is in Scotland, whose income tax is its own, or in London, whose benefit cap is higher: see `places_of`."""
AMOUNTS = ("band_d", "rent_limit")
"""Columns of a table of places, pounds a year: council tax of band D (of the average home, where the survey tells no bands), and
the most that universal credit pays a private tenant (Local Housing Allowance)."""


class TaxBenefit:
    """Income tax, national insurance, child benefit, universal credit, and what households have left.

    Stylised: a year is one period, everybody lives the whole of it as they answered, entitlement is paid (see
    `universal_credit.take_up`). Left out are savings and capital, dividends' own rates, marriage and blind person's allowances,
    reliefs, class 2 contributions, pension credit and what remains of older benefits, carers', childcare and disabled children's
    elements, deductions for other adults in the home, and council tax reductions.

    Parameters
    ----------
    year : int
        Tax year of the rules, by the calendar year in which it begins; incomes of the survey should be of that year.
    inputs, labels : mapping, optional
        Columns of the survey and what its labels mean; see `circumstances.circumstances_of`.
    parameters : mapping, optional
        Changes to the baseline.

    Attributes
    ----------
    parameters : dict
        The baseline's, by name (`tax_benefit.describe`); reforms change them.
    places : tuple of str
        What is read of a place: 'scotland' and 'london', which the study's own codes and names tell (`places_of`), and, where a
        table of places has them, 'band_d' and 'rent_limit'. Where nothing is known rules are those of England outside London.

    Raises
    ------
    ValueError
        For a year that is not known, or a parameter that there is not.

    Examples
    --------
    >>> survey = pd.DataFrame({"age": [40, 30], "economic_activity": ["employee"] * 2, "income": [30000.0, 12000.0]})
    >>> model = TaxBenefit(2024)
    >>> model.outcomes(survey).round(2).to_dict("list")
    {'income_tax': [3486.0, 0.0], 'national_insurance': [1394.4, 0.0], 'income_after_tax': [25119.6, 12000.0]}
    >>> model.outcomes(survey, {"income_tax.personal_allowance": 15000.0})["income_tax"].tolist()
    [3000.0, 0.0]
    """

    name = "tax-benefit"
    places = (*NATIONS, *AMOUNTS)
    units = dict.fromkeys(
        (
            "income_tax", "national_insurance", "income_after_tax", "gross_income", "child_benefit", "child_benefit_charge",
            "universal_credit", "council_tax", "net_income", "equivalised_income",
        ),
        "pounds a year",
    )  # fmt: skip

    def __init__(
        self,
        year: int = TAX_YEARS[-1],
        *,
        inputs: Mapping[str, str | float] | None = None,
        labels: Mapping[str, Mapping[str, str]] | None = None,
        parameters: Mapping[str, Any] | None = None,
    ):
        self.year = year
        self.inputs, self.labels = dict(inputs or {}), dict(labels or {})
        self.parameters = changed(parameters_of(year), parameters)
        self._facts: dict[str, Any] = {}

    def outcomes(self, donors: Donors, parameters: Mapping[str, Any] | None = None):
        """Give every person's taxes and, where the survey knows who lives together, every household's benefits and net income.

        Parameters
        ----------
        donors : Donors
            With at least age, and incomes (see `circumstances.circumstances_of`).
        parameters : mapping, optional
            What a reform changes.

        Returns
        -------
        pandas.DataFrame or dict
            Of persons: income_tax, national_insurance, income_after_tax. With households {'person': income_tax,
            national_insurance; 'household': gross_income, child_benefit, child_benefit_charge, universal_credit, council_tax,
            net_income, equivalised_income}; pounds a year. `equivalised_income` is as if a couple's.

        Raises
        ------
        KeyError, ValueError
            For columns or parameters that there are not.
        """
        p = changed(self.parameters, parameters)
        known = circumstances_of(donors, self.inputs, self.labels)
        scottish, london = (self._of_place(donors, name, False).astype(bool) for name in NATIONS)
        income = sum(known.number(k) for k in ("employment_income", "self_employment_income", "pension_income", "other_income"))
        age = known.number("age")
        tax = taxes.income_tax(income, scottish, p)
        insurance = taxes.class_1(known.number("employment_income"), age, p)
        insurance = insurance + taxes.class_4(known.number("self_employment_income"), age, p)
        person = pd.DataFrame({"income_tax": tax, "national_insurance": insurance}, index=donors.index)
        homes = getattr(donors, "households", None)
        self._remember(known, homes, [n for n in self.places if isinstance(donors.index, pd.MultiIndex) and n in donors])
        if homes is None:
            return person.assign(income_after_tax=income - tax - insurance)
        home = home_of(donors, homes)
        ties = (-income, known.is_("sex", "male"), known.is_("activity", "sick"), known.is_("activity", "student"))
        families = families_of(
            home, age, role=known.frame["role"].to_numpy(object) if known.has("role") else None,
            student=known.is_("activity", "student"), ties=ties,
        )  # fmt: skip
        rent = self._rent(donors, known, p)
        found = _benefits(families, known, income, tax, insurance, rent, london, homes["communal"].to_numpy(bool), p)
        return {"person": person, "household": self._households(donors, homes, home, families, known, income, person, found, p)}

    def places_of(self, geography: Geography, table: pd.DataFrame | None = None) -> Places:
        """Find the classes of place that rules tell apart: one, unless zones are in Scotland or London, or a table says more.

        Zones are known to be there by their own codes, or those or the names of the areas that they lie in.

        Parameters
        ----------
        geography : Geography
            The study's zones.
        table : pandas.DataFrame, optional
            'band_d' and 'rent_limit' (pounds a year), and regions or local authorities ('region', 'lad', 'country') where the
            study's own codes do not tell them; by zone, or by the level that its index is named for.

        Raises
        ------
        InputError
            `study-reference` where the table leaves out zones.
        """
        zones = geography.zones
        more = pd.DataFrame(index=zones.index) if table is None else geography.by_zone(table)
        areas = [*(zones[c] for c in zones.columns if c != "name"), *(more[c] for c in more if c not in AMOUNTS)]
        told = {
            "scotland": np.any([is_scotland(a) for a in (zones.index.to_series(), *areas)], axis=0),
            "london": np.any([np.zeros(len(zones), bool), *(is_london(a) for a in areas)], axis=0),
        }
        read = [n for n in AMOUNTS if n in more or n in zones.columns]
        if read or any(v.any() for v in told.values()):
            return Places.of(geography, [*NATIONS, *read], more[[c for c in read if c in more]].assign(**told))
        return Places.everywhere(len(zones))

    def _of_place(self, donors: Donors, name: str, default) -> np.ndarray:
        """(n,) what is known of the place; a survey's own column of that name is of where the donor lived, and not read."""
        placed = isinstance(donors.index, pd.MultiIndex) and name in donors
        return donors[name].to_numpy() if placed else np.full(len(donors), default)

    def facts(self) -> dict[str, Any]:
        """Tax year, what was changed, the columns used when outcomes were last asked for, and inputs left at a default."""
        base = parameters_of(self.year)
        change = {k: v for k, v in self.parameters.items() if v != base[k]}
        return {"tax_year": self.year, "parameters_changed": change, **self._facts}

    def configured(self, *, year: int | None = None, inputs: Mapping[str, str | float] | None = None) -> TaxBenefit:
        """Make the same model with another year or further inputs; parameters that were changed stay so."""
        base = parameters_of(self.year)
        change = {k: v for k, v in self.parameters.items() if v != base[k]}
        year = self.year if year is None else year
        return TaxBenefit(year, inputs={**self.inputs, **(inputs or {})}, labels=self.labels, parameters=change)

    def _remember(self, known: Circumstances, homes, placed: Sequence[str]) -> None:
        defaults = dict(known.defaults)
        if homes is None:
            defaults["households"] = "not known: taxes of persons alone, no benefits"
        elif not known.has("role"):
            defaults["role"] = "the oldest is the reference, and two adults within 15 years of age are a couple"
        if homes is not None and not known.has("rent"):
            defaults["rent"] = "rent.social and rent.private by tenure" if known.has("tenure") else "0"
        if homes is not None and not known.has("council_tax") and "band_d" not in placed:
            defaults["council_tax"] = "0"
        if "scotland" not in placed:
            defaults["places"] = "England outside London"
        self._facts = {**known.facts(), "defaults": defaults}

    def _rent(self, donors: Donors, known: Circumstances, p: Mapping[str, Any]) -> np.ndarray:
        """(n,) rent a year that universal credit helps with, on every member."""
        social, private = known.is_("tenure", "social"), known.is_("tenure", "private")
        if known.has("rent"):
            rent = np.maximum(known.number("rent"), 0.0)
        else:
            rent = np.where(social, p["rent.social"], np.where(private, p["rent.private"], 0.0))
        return np.where(social, rent, np.minimum(rent, self._of_place(donors, "rent_limit", np.inf).astype(np.float64)))

    def _households(self, donors, homes, home, families, known, income, person, found, p) -> pd.DataFrame:
        """Outcomes of households."""
        n, grown = len(homes), known.number("age") >= 14

        def add(values, of=home):
            return np.bincount(of, values, n)

        gross, taken = add(income), add(person["income_tax"].to_numpy() + person["national_insurance"].to_numpy())
        out = {name: add(values, families.home) for name, values in found.items()}
        reference = np.full(n, -1)
        reference[home[::-1]] = np.arange(len(home))[::-1]  # columns of the household are the same on every member
        bill = known.number("council_tax")[reference]
        band_d = self._of_place(donors, "band_d", np.nan).astype(np.float64)[reference]
        if np.isfinite(band_d).any():
            band = known.frame["council_tax_band"].to_numpy(object)[reference] if known.has("council_tax_band") else ["D"] * n
            of_place = living.council_tax(np.nan_to_num(band_d), band, add(known.number("age") >= 18), p)
            bill = bill if known.has("council_tax") else of_place
        bill = np.where(homes["communal"].to_numpy(bool), 0.0, bill)
        net = gross - taken + out["child_benefit"] - out["child_benefit_charge"] + out["universal_credit"] - bill
        scale = living.equivalence(add(grown), add(~grown), p)
        columns = {"gross_income": gross, **out, "council_tax": bill, "net_income": net, "equivalised_income": net / scale}
        return pd.DataFrame(columns, index=homes.index)

    def __repr__(self) -> str:
        """One line: the year."""
        return f"TaxBenefit: rules of {self.year}-{(self.year + 1) % 100:02d}"


def _benefits(
    families: Families, known: Circumstances, income, tax, insurance, rent, london, communal, p
) -> dict[str, np.ndarray]:
    """Child benefit, its charge, and universal credit of each benefit unit."""
    adult, age, add = ~families.child, known.number("age"), families.sum
    children, couple = add(families.child), add(families.partner) > 0
    lives = ~communal[families.home]
    benefit = benefits.child_benefit(children, p)
    highest = np.zeros(len(children))
    np.maximum.at(highest, families.unit[adult], income[adult])
    charge = benefits.child_benefit_charge(benefit, highest, p)

    earned = known.number("employment_income") + known.number("self_employment_income")
    share = np.divide(earned, income, out=np.zeros_like(earned), where=income > 0)
    net_earnings = np.maximum(add(earned - tax * share - insurance, adult), 0.0)
    other = add((income - earned) - tax * (1.0 - share), adult & (income > 0))
    sick = add(known.is_("activity", "sick") & adult & (age < p["universal_credit.oldest"])) > 0
    young = families.child & (age < p["universal_credit.limited_from_age"])
    helped = np.where(families.first & lives, add(rent, families.head), 0.0)  # whoever else lives there pays no rent of their own
    oldest = np.zeros(len(children))
    np.maximum.at(oldest, families.unit[adult], age[adult])
    most = benefits.standard_allowance(couple, oldest, p) + benefits.child_elements(
        add(families.child) - add(young), add(young), p
    )
    most += helped + benefits.MONTHS * p["universal_credit.limited_capability"] * sick
    of_age = add((age >= 18) & (age < p["universal_credit.oldest"]), adult) > 0
    studying = (add(~known.is_("activity", "student"), adult) == 0) & (children == 0)
    allowed = (children > 0) | sick
    credit = benefits.means_tested(most, net_earnings, other, allowed, helped > 0, p)
    credit = np.where(of_age & lives & ~studying, credit, 0.0)
    in_london = add(london, families.head) > 0
    exempt = sick | (net_earnings >= benefits.MONTHS * p["benefit_cap.lifted_from"])
    credit = benefits.benefit_cap(credit, benefit, couple | (children > 0), in_london, exempt, p)
    return {
        "child_benefit": benefit, "child_benefit_charge": charge, "universal_credit": credit * p["universal_credit.take_up"],
    }  # fmt: skip


def home_of(donors: Donors, homes: pd.DataFrame) -> np.ndarray:
    """(n,) int64: row of each person's household. Raises ValueError where there is none."""
    ids = donors["household"]
    if isinstance(donors.index, pd.MultiIndex):
        ids = pd.MultiIndex.from_arrays([donors.index.get_level_values(0), ids])
    row = homes.index.get_indexer(pd.Index(ids))
    if (row < 0).any():
        raise ValueError(f"{int((row < 0).sum()):,} people are of households that there are not")
    return row.astype(np.int64)


def changed(parameters: Mapping[str, Any], change: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return parameters with some changed. Raises ValueError for names that there are not."""
    strange = [k for k in (change or {}) if k not in parameters]
    if strange:
        near = {n: get_close_matches(n, parameters, n=1) for n in strange}
        told = ", ".join(f"{n!r}" + (f" (did you mean {v[0]!r}?)" if v else "") for n, v in near.items())
        raise ValueError(f"there is no parameter {told}")
    return {**parameters, **{k: tuple(v) if isinstance(v, list) else v for k, v in (change or {}).items()}}
