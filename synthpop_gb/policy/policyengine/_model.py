"""The policy model 'policyengine-uk': donors in, taxes, benefits and net incomes out, by class of place."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from synthpop_gb.errors import Finding, InputError, finding, refuse
from synthpop_gb.geography import Geography
from synthpop_gb.policy._donors import Donors
from synthpop_gb.policy._places import Places
from synthpop_gb.policy.policyengine._draws import DRAWS, FIRST, SHARE
from synthpop_gb.policy.policyengine._engine import Engine, engine
from synthpop_gb.policy.policyengine._places import PLACES, classes_of, zone_places
from synthpop_gb.policy.policyengine._reform import as_reform
from synthpop_gb.policy.policyengine._tables import FIXED, Tables, fix, make_tables

__all__ = ["OUTCOMES", "PolicyEngineUK"]

OUTCOMES = ("income_tax", "national_insurance", "universal_credit", "child_benefit", "household_net_income")
"""Variables that are worked out where none are named."""

_UNITS = dict.fromkeys(OUTCOMES, "pounds a year")


class PolicyEngineUK:
    """PolicyEngine UK's rules as a policy model (extra `policy`; policyengine-uk is under the AGPL).

    Every donor household is run once for each class of region and local authority that the zones have, all in one dataset. The
    five numbers that PolicyEngine would draw from hashes of ids are the donor's own (see `prepared`), so a copy of a donor
    pays and receives what the donor does, and projecting by counts gives what running every copy would.

    Parameters
    ----------
    year : int, default 2025
        Fiscal year of the rules, by the year it starts in.
    priced : int, optional
        Fiscal year of the survey's amounts, which PolicyEngine uprates to `year`; `year` itself where absent.
    outcomes : iterable of str
        Any numeric variables of PolicyEngine. Those of persons are outcomes of persons; those of benefit units are added up
        within the household, and stand on each of its members, as those of households do.
    inputs : mapping, optional
        What PolicyEngine's rules read, by variable: a survey's column, a number for everybody, a table with `column` or
        `value`, `map` and `blank`, or a function of the donors. Without it ages, sexes, tenures, activities, and incomes by
        activity are understood from the common variables, and a survey that is a PolicyEngine dataset keeps all its inputs.
        The plain names sex, role, activity, partnership, tenure and income say which columns those are, where they are called
        otherwise: {'income': 'pay'}.
    labels : mapping, optional
        By plain name: what labels or codes mean that are not understood by themselves, {'role': {'1': 'reference'}}.
    seed : int, default 0
        Of the draws, where `prepared` is not given the study's.
    most_households : int, default 100000
        Households of one dataset: more classes of place are run one group after another, which bounds the memory and
        changes no number.

    Examples
    --------
    >>> model = PolicyEngineUK(year=2025)                                      # doctest: +SKIP
    >>> reform = {"gov.hmrc.income_tax.allowances.personal_allowance.amount": 15000}
    >>> simulate(population, model, reforms={"higher allowance": reform})      # doctest: +SKIP
    """

    name = "policyengine-uk"
    places = PLACES

    def __init__(
        self,
        *,
        year: int = 2025,
        priced: int | None = None,
        outcomes: Iterable[str] = OUTCOMES,
        inputs: Mapping[str, Any] | None = None,
        labels: Mapping[str, Mapping[str, str]] | None = None,
        seed: int = 0,
        most_households: int = 100_000,
    ):
        self.year, self.priced = int(year), int(year if priced is None else priced)
        self.wanted, self.inputs, self.labels = tuple(dict.fromkeys(outcomes)), dict(inputs or {}), dict(labels or {})
        self.seed, self.most_households = int(seed), int(most_households)
        self._facts: dict[str, Any] = {}
        if self.priced > self.year:
            raise ValueError(f"amounts of {self.priced} cannot be taken back to {self.year}: name a year from {self.priced} on")

    def configured(self, *, year: int | None = None, **options: Any) -> PolicyEngineUK:
        """Return the same model with other options; amounts that are of the old year's are of the new one's.

        Parameters
        ----------
        year : int, optional
            Fiscal year of the rules.
        **options
            Any other of the class.
        """
        known = {
            "year": self.year, "priced": self.priced, "outcomes": self.wanted, "inputs": self.inputs, "labels": self.labels,
            "seed": self.seed, "most_households": self.most_households,
        }  # fmt: skip
        if year is not None:
            known |= {"year": year, "priced": year if self.priced == self.year else self.priced}
        return PolicyEngineUK(**{**known, **options})

    def asked(self, outcomes: Iterable[str]) -> PolicyEngineUK:
        """Return the same model for the outcomes that a question names; PolicyEngine has more than a thousand."""
        return self.configured(outcomes=outcomes)

    @property
    def units(self) -> dict[str, str]:
        """Units by outcome."""
        return {name: _UNITS[name] if name in _UNITS else engine().variable(name).unit for name in self.wanted}

    def facts(self) -> dict[str, Any]:
        """Return what the last run was made with: versions, year, how inputs were filled and which were left at a default."""
        return dict(self._facts)

    def findings(self) -> tuple[Finding, ...]:
        """Say which inputs the last run read at the engine's default: one note (`engine-defaults`)."""
        names = list(self._facts.get("defaults", ()))
        if not names:
            return ()
        loud = [n for n in _OFTEN_DECISIVE if n in names]
        said = f" Often decisive among them: {', '.join(loud)}." if loud else ""
        message = f"PolicyEngine read {len(names):,} inputs at its own default.{said}"
        rows = pd.DataFrame({"input": names, "default": [str(self._facts["defaults"][n]) for n in names]})
        return (finding("engine-defaults", message, place="inputs", count=len(names), rows=rows),)

    def places_of(self, geography: Geography, table: pd.DataFrame | None = None) -> Places:
        """Find the classes of region and local authority of a study's zones.

        Parameters
        ----------
        geography : Geography
            With its levels 'lad' and 'region' and their names; nations tell themselves by their codes.
        table : pandas.DataFrame, optional
            Columns 'region' and 'local_authority' by zone, or by a level that its index is named for: a made-up county's
            districts are put somewhere by it.

        Raises
        ------
        InputError
            `engine-place`, where a zone's place is not known, or its region, authority and code exclude each other.
        """
        places, findings = zone_places(geography, engine().local_authorities, table)
        refuse(findings)
        return classes_of(places)

    def prepared(self, donors: Donors, seed: int | None = None) -> Donors:
        """Give donors their benefit units and the five draws, once for each donor.

        Parameters
        ----------
        donors : Donors
            Of a survey of whole households.
        seed : int, optional
            The study's; the model's own where absent.
        """
        self._facts["draws"] = {"seed": self.seed if seed is None else int(seed), "variables": list(DRAWS)}
        return fix(donors, self.seed if seed is None else int(seed), self.inputs, self.labels)

    def outcomes(self, donors: Donors, parameters: Mapping[str, Any] | None = None) -> dict[str, pd.DataFrame]:
        """Run the rules on every donor in every class of place.

        Parameters
        ----------
        donors : Donors
            By ('place', 'donor') where there are several classes, with `region` and `local_authority` of the class.
        parameters : mapping, optional
            What a reform changes: PolicyEngine's parameter names to values of the year, or to values by period.

        Returns
        -------
        dict
            'person' and 'household', where there are outcomes of that kind.

        Raises
        ------
        InputError
            `missing-extra`; `engine-outcome`, `engine-parameter`, `engine-input`, `engine-place` with everything found.
        """
        started = time.perf_counter()
        rules = engine()
        reform = as_reform(parameters, rules.parameters if parameters else (), self.year)
        _refuse_outcomes(self.wanted, rules)
        if not {*FIXED, *DRAWS} <= set(donors.columns):
            donors = self.prepared(donors)
        parts = [self._part(donors, classes, rules, reform) for classes in self._groups(donors)]
        self._record(rules, parts, time.perf_counter() - started)
        found = {}
        for kind in ("person", "household"):
            frame = pd.concat([p[kind] for p in parts])
            if len(frame.columns):
                found[kind] = frame.loc[donors.index if kind == "person" else donors.households.index]
        return found

    def _groups(self, donors: Donors) -> list[list[int] | None]:
        """Classes of place to be run together, so many that a dataset keeps to its size; None where there are none."""
        if donors.index.nlevels == 1:
            return [None]
        classes = pd.unique(donors.index.get_level_values("place")).tolist()
        each = max(1, self.most_households * len(classes) // max(len(donors.households), 1))
        return [classes[i : i + each] for i in range(0, len(classes), each)]

    def _part(self, donors: Donors, classes: list[int] | None, rules: Engine, reform: Mapping) -> dict[str, Any]:
        """Outcomes of some classes."""
        if classes is not None and len(classes) < donors.index.get_level_values("place").nunique():
            part = Donors(donors[donors.index.get_level_values("place").isin(classes)])
            part.households = donors.households[donors.households.index.get_level_values("place").isin(classes)]
            donors = part
        share = reform.get(SHARE, {}).get(str(self.year), rules.parameter(SHARE, max(self.year, FIRST)))
        tables = make_tables(donors, rules, inputs=self.inputs, year=self.priced, share=share)
        if self.priced != self.year and {"student_loan_plan", "highest_education"} <= set(tables.frames["person"].columns):
            message = (
                "PolicyEngine draws student loans of later years from hashes of ids, so copies of a donor would differ by them."
            )
            remedy = "Give amounts of the year that is run (leave `priced` out), or leave student_loan_plan out of the survey."
            raise InputError([finding("engine-input", message, place="student_loan_plan", remedy=remedy)])
        run = rules.run(tables.frames, year=self.year, priced=self.priced, wanted=self.wanted, reform=reform)
        return {**_frames(donors, tables, run.values, rules), "tables": tables, "defaulted": run.defaulted}

    def _record(self, rules: Engine, parts: list[dict[str, Any]], seconds: float) -> None:
        """Keep the facts of a run."""
        tables: Tables = parts[0]["tables"]
        given = {"rent", "council_tax"} & set(tables.filled.values)
        defaulted = set().union(*(p["defaulted"] for p in parts)) | ({"rent", "council_tax"} - given)
        self._facts |= {
            "engine": rules.versions, "year": self.year, "priced": self.priced, "outcomes": list(self.wanted),
            "inputs": dict(sorted(tables.filled.how.items())),
            "defaults": {n: _plain(rules.variable(n).default) for n in sorted(defaulted)},
            "households_run": int(sum(len(p["tables"].households) for p in parts)), "runs": len(parts),
            "seconds": round(seconds, 3), **tables.filled.notes,
        }  # fmt: skip
        if "draws" in self._facts:
            self._facts["draws"] = {**self._facts["draws"], "kept_from_survey": list(tables.kept)}


_OFTEN_DECISIVE = (
    "rent", "council_tax", "savings", "hours_worked", "is_disabled_for_benefits", "childcare_expenses",
    "employee_pension_contributions", "savings_interest_income", "dividend_income", "property_income", "would_claim_uc",
)  # fmt: skip
"""Inputs that results for Great Britain hang on most often where a survey lacks them."""


def _plain(value):
    return value if isinstance(value, bool | int | float | str) else str(value)


def _refuse_outcomes(wanted: Iterable[str], rules: Engine) -> None:
    """`engine-outcome` for each variable that the engine does not have, or that is no number."""
    findings = []
    for name in wanted:
        about = rules.variable(name)
        if about is None:
            message = f"PolicyEngine has no variable {name!r}.{rules.near(name)}"
            findings.append(finding("engine-outcome", message, place=name))
        elif about.kind not in ("float", "int", "bool") or name.endswith("_id"):
            message = f"The variable {name!r} of PolicyEngine is no amount, so it has no mean or total."
            findings.append(finding("engine-outcome", message, place=name))
    refuse(findings)


def _frames(donors: Donors, tables: Tables, values: Mapping[str, np.ndarray], rules: Engine) -> dict[str, pd.DataFrame]:
    """Values of the engine's order as frames of donors and of their households."""
    person, household = {}, {}
    for name, found in values.items():
        entity = rules.variable(name).entity
        if entity == "person":
            back = np.empty(len(found))
            back[tables.person_row] = found
            person[name] = back
        elif entity == "benunit":
            household[name] = np.bincount(tables.benunit_household, found, len(tables.households))
        else:
            household[name] = found
    return {
        "person": pd.DataFrame(person, index=donors.index),
        "household": pd.DataFrame(household, index=tables.households),
    }
