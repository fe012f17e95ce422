"""Taxes on persons: a rule each, on arrays, in pounds a year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["banded", "class_1", "class_4", "income_tax", "personal_allowance"]


def banded(amount, rates: Sequence[float], limits: Sequence[float]) -> np.ndarray:
    """Tax an amount band by band.

    Parameters
    ----------
    amount : array_like
        Pounds, 0 or more.
    rates : sequence of float
        One a band.
    limits : sequence of float
        Amount up to which each rate but the last holds, rising.

    Raises
    ------
    ValueError
        Where there are not as many limits as rates but one, or limits fall.

    Examples
    --------
    20 % of 37,700 and 40 % of 2,300:

    >>> banded([40_000.0], (0.20, 0.40, 0.45), (37_700.0, 125_140.0)).tolist()
    [8460.0]
    """
    edges = np.array([0.0, *limits, np.inf])
    if len(edges) != len(rates) + 1 or (np.diff(edges) < 0).any():
        raise ValueError(f"{len(rates)} rates need {len(rates) - 1} rising limits, not {list(limits)}")
    amount = np.asarray(amount, np.float64)
    return sum(r * np.clip(amount - low, 0.0, high - low) for r, low, high in zip(rates, edges[:-1], edges[1:], strict=True))


def personal_allowance(income, p: Mapping[str, Any]) -> np.ndarray:
    """Return the allowance that is left: it goes by half of the income above the limit (Income Tax Act 2007, s. 35).

    >>> p = {"income_tax.personal_allowance": 12_570.0, "income_tax.allowance_limit": 1e5, "income_tax.allowance_taper": 0.5}
    >>> personal_allowance([30_000.0, 110_000.0, 130_000.0], p).tolist()
    [12570.0, 7570.0, 0.0]
    """
    above = np.maximum(np.asarray(income, np.float64) - p["income_tax.allowance_limit"], 0.0)
    return np.maximum(p["income_tax.personal_allowance"] - p["income_tax.allowance_taper"] * above, 0.0)


def income_tax(income, scottish, p: Mapping[str, Any]) -> np.ndarray:
    """Income tax of a person; in Scotland by its own rates.

    income : (n,) all taxable income. scottish : (n,) bool, who lives in Scotland.

    Of 30,000 pounds 17,430 are taxable in 2024: 20 %, or in Scotland 19 % of 2,306, 20 % of 11,685 and 21 % of 3,439.

    >>> from synthpop_gb.policy.models.tax_benefit.parameters import parameters_of
    >>> income_tax([30_000.0, 30_000.0], [False, True], parameters_of(2024)).round(2).tolist()
    [3486.0, 3497.33]
    """
    taxable = np.maximum(np.asarray(income, np.float64) - personal_allowance(income, p), 0.0)
    scottish = np.broadcast_to(np.asarray(scottish, bool), taxable.shape)
    tax = banded(taxable, p["income_tax.rates"], p["income_tax.limits"])
    if not scottish.any():
        return tax
    return np.where(scottish, banded(taxable, p["scottish_income_tax.rates"], p["scottish_income_tax.limits"]), tax)


def class_1(earnings, age, p: Mapping[str, Any]) -> np.ndarray:
    """National insurance of employees, 16 to state pension age, as if earned evenly over the year.

    Of 60,000 pounds in 2024: 8 % of 37,700 and 2 % of 9,730.

    >>> from synthpop_gb.policy.models.tax_benefit.parameters import parameters_of
    >>> class_1([60_000.0, 60_000.0], [40, 70], parameters_of(2024)).round(2).tolist()
    [3210.6, 0.0]
    """
    name = "national_insurance."
    rates, limits = (0.0, p[name + "main_rate"], p[name + "upper_rate"]), (p[name + "primary_threshold"], p[name + "upper_limit"])
    return np.where(_contributes(age, p), banded(earnings, rates, limits), 0.0)


def class_4(profits, age, p: Mapping[str, Any]) -> np.ndarray:
    """National insurance of the self-employed on their profits. Class 2, about 160 pounds a year until 2023, is left out.

    Of 20,000 pounds in 2021: 9 % of 10,432.

    >>> from synthpop_gb.policy.models.tax_benefit.parameters import parameters_of
    >>> class_4([20_000.0], [40], parameters_of(2021)).round(2).tolist()
    [938.88]
    """
    name = "national_insurance."
    rates = (0.0, p[name + "class_4_rate"], p[name + "class_4_upper_rate"])
    limits = (p[name + "lower_profits"], p[name + "upper_profits"])
    return np.where(_contributes(age, p), banded(profits, rates, limits), 0.0)


def _contributes(age, p: Mapping[str, Any]) -> np.ndarray:
    age = np.asarray(age, np.float64)
    return (age >= 16) & (age < p["national_insurance.oldest"])
