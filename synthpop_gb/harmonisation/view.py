"""The survey as the tables see it: every variable coded once, every table drafted, what is wrong with the records said once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from synthpop_gb.benchmark import BenchmarkTable
from synthpop_gb.codebook import Universe
from synthpop_gb.errors import Finding, finding
from synthpop_gb.harmonisation._words import article, listed, nearest, number
from synthpop_gb.harmonisation.cells import Draft, draft_table
from synthpop_gb.harmonisation.counts import Prepared
from synthpop_gb.harmonisation.members import COUNTED, Homes, check_sizes, household_weights, uneven_values
from synthpop_gb.harmonisation.recode import Recode
from synthpop_gb.harmonisation.records import UNKNOWN, Coded, code_variable, find_variable, take_weights
from synthpop_gb.harmonisation.resolve import Request
from synthpop_gb.harmonisation.universe import common_universe, membership
from synthpop_gb.microdata import Microdata

__all__ = ["View"]

_NO_AGE = " An age below nought is a code: of no answer, or of a child born since the year told."
_BELOW_NOUGHT = (
    "Name them in `missing` of [survey.variables.age], which leaves these people out, or map them: "
    '[recode.age] map = {{ "{}" = "0" }}.'
)


@dataclass(eq=False)
class View:
    """The survey as seen through the tables: its coded variables, and the drafts made with them, filled by `check`.

    homes : who lives with whom, where whole households are placed; None = persons.
    """

    survey: Microdata
    covered: Universe
    recodes: dict[str, Recode]
    tables: Mapping[str, BenchmarkTable]
    homes: Homes | None = None
    weight: np.ndarray = field(default_factory=lambda: np.zeros(0))
    coded: dict[str, Coded | None] = field(default_factory=dict)
    drafts: list[Draft] = field(default_factory=list)

    @property
    def constraints(self) -> list[Draft]:
        """Drafts to be fitted in every zone."""
        return [d for d in self.drafts if not d.request.held_out and not d.request.level]

    @property
    def held_out(self) -> list[Draft]:
        """Drafts of zones kept back."""
        return [d for d in self.drafts if d.request.held_out and not d.request.level]

    @property
    def fitted(self) -> list[Draft]:
        """Drafts to be fitted in zones or in areas above them: a record must have what any of them asks for."""
        return [d for d in self.drafts if not d.request.held_out]

    def usable(self) -> np.ndarray:
        """Find the records with a weight, every value that a constraint needs, and a place in some constraint's universe.

        Of households, those whose every member has the first two, and some member the third.
        """
        lacking = np.any([mask for d in self.fitted for mask in d.lacking.values()], axis=0)
        inside = np.any([d.record_cell >= 0 for d in self.fitted], axis=0)
        if self.homes is not None:
            return self.homes.usable(self.weight, lacking, inside)
        return (self.weight > 0) & ~lacking & inside

    def check(self, requests: Sequence[Request], prepared: Mapping[str, Prepared]) -> list[Finding]:
        """Draft every request that can be; say what is wrong with the survey on the way."""
        self.weight, findings = take_weights(self.survey) if self.homes is None else household_weights(self.survey, self.homes)
        findings = [f for f in findings if f.code not in {g.code for g in self.survey.findings}]
        described = {v for r in requests for v in r.variables}
        for name in self.recodes.keys() - described:
            message = f"The recode of {name!r} is for no variable of the study.{nearest(name, described)}"
            findings.append(finding("study-reference", message, place=f"recode.{name}"))
        told: set[str] = set()
        unknown: dict[str, np.ndarray] = {}
        for request in requests:
            universe, said = common_universe(
                prepared[request.table].table, request.variables, self.covered, self.survey.variables, self.tables,
                self.survey.household is not None,
            )  # fmt: skip
            findings += _new(said, told)
            needed = list(dict.fromkeys([*request.variables, *(universe.members if universe else ())]))
            known = [self._code(name, request, findings) for name in needed]
            if not all(known) or universe is None:
                continue
            coded = {name: self.coded[name] for name in needed}
            inside, said = membership(request.name, universe, coded)
            if universe.unit == "household":
                if self.homes is None:
                    continue
                said += self._uneven(universe, needed)
                inside = np.where(self.homes.reference, inside, 0)  # a household is counted once, through its first member
            draft, more = draft_table(request, prepared[request.table], universe, inside, coded, self.recodes)
            findings += _new(said + more, told)
            for name in needed:
                mask = (coded[name].category == UNKNOWN) & (inside != 0)
                unknown[name] = unknown.get(name, False) | mask
            self.drafts += [draft] if draft is not None else []
        return findings + self._unmapped(unknown) + self._missing(unknown) + self._lost(unknown)

    def _uneven(self, universe: Universe, needed: Sequence[str]) -> list[Finding]:
        """Say which variables of a table of households differ within one, and whose size is another than their members'."""
        of_reference = "reference" in universe.name
        findings = []
        for name in needed:
            findings += uneven_values(self.survey, self.homes, self.coded[name], of_reference=of_reference)
            if name == "household_size" and self.coded[name].variable.source != COUNTED:
                findings += check_sizes(self.survey, self.homes, self.coded[name])
        return findings

    def _lost(self, unknown: Mapping[str, np.ndarray]) -> list[Finding]:
        """Say how many households and people were left out, and for want of what."""
        if self.homes is None or not self.fitted:
            return []
        lacking: dict[str, np.ndarray] = {}
        for draft in self.fitted:
            for name, mask in draft.lacking.items():
                lacking[name] = lacking.get(name, False) | (mask & ~unknown[name])
        return self.homes.lost(self.survey, self.weight, lacking, self.usable())

    def _code(self, name: str, request: Request, findings: list[Finding]) -> bool:
        """Code one variable of the survey, once; False where the survey does not have it."""
        if name not in self.coded:
            variable, said = find_variable(self.survey, name, request.name)
            findings += said
            self.coded[name] = code_variable(self.survey, variable, self.recodes.get(name)) if variable else None
        return self.coded[name] is not None

    def _unmapped(self, unknown: Mapping[str, np.ndarray]) -> list[Finding]:
        """One finding a variable whose codes, among the people counted, the codebook does not have."""
        findings = []
        for name, mask in unknown.items():
            if not mask.any():
                continue
            variable = self.coded[name].variable
            column = variable.column or name
            codes = self.survey.records.loc[mask, column].astype(str).value_counts(sort=True)
            n = int(mask.sum())
            who = f"{self.survey.name}: {number(n, 'record has', 'records have')}"
            message = f"{who} {article(name)} {name} code that no category has: {listed(codes.index, 6)}."
            negative = name == "age" and all(str(code).startswith("-") for code in codes.index)
            known = nearest(codes.index[0], [c.code for c in variable.categories]).replace("There are", "Known codes")
            message += _NO_AGE if negative else known
            rows = pd.DataFrame({"variable": name, "code": codes.index, "records": codes.to_numpy()})
            findings.append(finding("unmapped-code", message, place=f"{self.survey.name}: {column}", count=n, rows=rows,
                                    remedy=_BELOW_NOUGHT.format(codes.index[0]) if negative else None))  # fmt: skip
        return findings

    def _missing(self, unknown: Mapping[str, np.ndarray]) -> list[Finding]:
        """One finding a variable in which records of a table's universe have no value."""
        findings = []
        out = "left out" if self.homes is None else "left out with everybody who lives with them"
        for drafts, outcome in (
            (self.fitted, out),
            ([d for d in self.drafts if d.request.held_out], "not counted when the held-out table is compared"),
        ):
            lacking: dict[str, np.ndarray] = {}
            for draft in drafts:
                for name, mask in draft.lacking.items():
                    lacking[name] = lacking.get(name, False) | (mask & ~unknown[name] & (self.weight > 0))
            for name, mask in lacking.items():
                if mask.any():
                    n, column = int(mask.sum()), self.coded[name].variable.column or name
                    who = f"{self.survey.name}: {number(n, 'record has', 'records have')}"
                    message = f"{who} no value of {name} and {'was' if n == 1 else 'were'} {outcome}."
                    rows = pd.DataFrame({"record": self.survey.records.index[mask], "variable": name})
                    findings.append(finding("missing-value", message, place=f"{self.survey.name}: {column}", count=n, rows=rows))
        return [f for i, f in enumerate(findings) if f.place not in {g.place for g in findings[:i]}]


def _new(findings: list[Finding], told: set[str]) -> list[Finding]:
    """Return the findings not told before: two constraints from one table have the same faults."""
    new = [f for f in findings if f.message not in told]
    told |= {f.message for f in findings}
    return new
