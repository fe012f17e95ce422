"""Benefits of families: a rule each, on arrays of benefit units, in pounds a year."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = [
    "MONTHS", "WEEKS", "benefit_cap", "child_benefit", "child_benefit_charge", "child_elements", "means_tested",
    "standard_allowance",
]  # fmt: skip

WEEKS, MONTHS = 52.0, 12.0


def child_benefit(children, p: Mapping[str, Any]) -> np.ndarray:
    """Child benefit of a family (Child Benefit (Rates) Regulations 2006, reg. 2); 52 weeks to the year.

    For three children in 2021 (21.15 + 2 x 14.00) x 52:

    >>> child_benefit([0, 1, 3], {"child_benefit.eldest": 21.15, "child_benefit.further": 14.00}).round(2).tolist()
    [0.0, 1099.8, 2555.8]
    """
    children = np.asarray(children, np.float64)
    each = p["child_benefit.eldest"] + p["child_benefit.further"] * np.maximum(children - 1.0, 0.0)
    return np.where(children > 0, each * WEEKS, 0.0)


def child_benefit_charge(benefit, highest_income, p: Mapping[str, Any]) -> np.ndarray:
    """High income child benefit charge: the share that the better-off parent's income has gone from the one limit to the other.

    Law takes it in whole per cent, rounded down (Income Tax (Earnings and Pensions) Act 2003, s. 681C):

    >>> p = {"child_benefit.charge_from": 60_000.0, "child_benefit.charge_to": 80_000.0}
    >>> child_benefit_charge([1331.2, 1331.2], [65_250.0, 90_000.0], p).round(2).tolist()
    [346.11, 1331.2]
    """
    start, end = p["child_benefit.charge_from"], p["child_benefit.charge_to"]
    if end <= start:  # all of it at once
        share = np.asarray(highest_income) > start
    else:
        share = np.clip(
            np.floor(100.0 * (np.asarray(highest_income, np.float64) - start) / (end - start) + 1e-9) / 100.0, 0.0, 1.0
        )
    return np.asarray(benefit, np.float64) * share


def standard_allowance(couple, oldest, p: Mapping[str, Any]) -> np.ndarray:
    """Universal credit's standard allowance, by whether there is a couple and the age of the older adult.

    >>> from synthpop_gb.policy.models.tax_benefit.parameters import parameters_of
    >>> standard_allowance([False, False, True], [24, 25, 40], parameters_of(2021)).round(2).tolist()
    [3087.96, 3898.08, 6118.92]
    """
    couple, young = np.asarray(couple, bool), np.asarray(oldest) < 25
    name = "universal_credit."
    month = np.where(
        couple,
        np.where(young, p[name + "couple_young"], p[name + "couple"]),
        np.where(young, p[name + "single_young"], p[name + "single"]),
    )
    return MONTHS * month


def child_elements(older, younger, p: Mapping[str, Any]) -> np.ndarray:
    """Universal credit's elements for children: all of those born before 6 April 2017, of later ones while there are two at most.

    older, younger : (n,) children born before, and since. The first child's element is higher where it was born before.

    In 2021: two older and two younger, 282.50 + 237.08 a month; one older and two younger, 282.50 + 237.08; three younger,
    2 x 237.08.

    >>> from synthpop_gb.policy.models.tax_benefit.parameters import parameters_of
    >>> (child_elements([2, 1, 0], [2, 2, 3], parameters_of(2021)) / 12).round(2).tolist()
    [519.58, 519.58, 474.16]
    """
    older, younger = np.asarray(older, np.float64), np.asarray(younger, np.float64)
    paid = older + np.clip(np.minimum(younger, p["universal_credit.most_children"] - older), 0.0, None)
    extra = p["universal_credit.first_child"] - p["universal_credit.child"]
    return MONTHS * (p["universal_credit.child"] * paid + np.where(older > 0, extra, 0.0))


def means_tested(most, net_earnings, other_income, allowed, with_rent, p: Mapping[str, Any]) -> np.ndarray:
    """Universal credit after the means test: less other income in full, less the taper of earnings above the work allowance.

    most : (n,) standard allowance and elements. net_earnings : (n,) after tax and national insurance. allowed : (n,) bool, who
    has a work allowance: with children, or limited capability for work. with_rent : (n,) bool, rent is among the elements.

    10,000 pounds less 55 % of 15,000 - 12 x 335:

    >>> from synthpop_gb.policy.models.tax_benefit.parameters import parameters_of
    >>> means_tested([10_000.0], [15_000.0], [0.0], [True], [True], parameters_of(2021)).round(2).tolist()
    [3961.0]
    """
    name = "universal_credit."
    allowance = np.where(with_rent, p[name + "work_allowance_with_rent"], p[name + "work_allowance"])
    counted = np.maximum(np.asarray(net_earnings, np.float64) - MONTHS * allowance * np.asarray(allowed, bool), 0.0)
    return np.maximum(np.asarray(most, np.float64) - p[name + "taper"] * counted - np.asarray(other_income, np.float64), 0.0)


def benefit_cap(credit, other_benefits, family, london, exempt, p: Mapping[str, Any]) -> np.ndarray:
    """Universal credit after the benefit cap: what all benefits exceed the cap by is taken off it.

    family : (n,) bool, a couple or with children. exempt : (n,) bool, earns enough or has limited capability for work.

    >>> from synthpop_gb.policy.models.tax_benefit.parameters import parameters_of
    >>> rules = parameters_of(2021)
    >>> benefit_cap([21_000.0, 21_000.0], [2_000.0, 2_000.0], [True, True], [False, True], [False, False], rules).tolist()
    [18000.0, 21000.0]
    """
    london, family = np.asarray(london, bool), np.asarray(family, bool)
    cap = np.where(
        family, np.where(london, p["benefit_cap.family_london"], p["benefit_cap.family"]),
        np.where(london, p["benefit_cap.single_london"], p["benefit_cap.single"]),
    )  # fmt: skip
    credit = np.asarray(credit, np.float64)
    excess = np.maximum(credit + np.asarray(other_benefits, np.float64) - cap, 0.0)
    return np.where(exempt, credit, np.maximum(credit - excess, 0.0))
