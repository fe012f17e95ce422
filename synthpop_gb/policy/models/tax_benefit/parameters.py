"""Parameters of the tax-benefit model: what each is called, its unit, its value in each tax year, and the law it stands in.

A tax year is called by the calendar year in which it begins: 2024 is 6 April 2024 to 5 April 2025.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

__all__ = ["TAX_YEARS", "Parameter", "describe", "parameters_of"]

TAX_YEARS = (2021, 2022, 2023, 2024, 2025)

YEAR, WEEK, MONTH, SHARE = "pounds a year", "pounds a week", "pounds a month", "share"


@dataclass(frozen=True)
class Parameter:
    """One parameter: `values` has one a tax year of `TAX_YEARS`, or a single one for all."""

    name: str
    unit: str
    what: str
    source: str
    values: tuple[Any, ...]

    def value(self, year: int) -> Any:
        """Value in a tax year."""
        return self.values[0] if len(self.values) == 1 else self.values[TAX_YEARS.index(year)]


_ITA, _CB, _UC = "Income Tax Act 2007", "Child Benefit (Rates) Regulations 2006", "Universal Credit Regulations 2013"
_NIC, _SSCBA = "Social Security (Contributions) Regulations 2001", "Social Security Contributions and Benefits Act 1992"
_SCOTS = "Scottish Rate Resolution of the year (Scotland Act 1998, s. 80C)"

_PARAMETERS = (
    Parameter("income_tax.personal_allowance", YEAR, "income on which nobody pays tax", f"{_ITA}, s. 35", (12_570.0,)),
    Parameter("income_tax.allowance_limit", YEAR, "income above which the allowance goes", f"{_ITA}, s. 35(2)", (100_000.0,)),
    Parameter("income_tax.allowance_taper", SHARE, "allowance lost for each pound above", f"{_ITA}, s. 35(2)", (0.5,)),
    Parameter("income_tax.rates", SHARE, "basic, higher and additional rate", f"{_ITA}, s. 6 and 10", ((0.20, 0.40, 0.45),)),
    Parameter(
        "income_tax.limits", YEAR, "taxable income up to which the basic and the higher rate hold",
        f"{_ITA}, s. 10 and 20 (Finance Acts 2021 and 2023)",
        ((37_700.0, 150_000.0), (37_700.0, 150_000.0), *((37_700.0, 125_140.0),) * 3),
    ),
    Parameter(
        "scottish_income_tax.rates", SHARE, "starter to top rate, of income but savings and dividends", _SCOTS,
        (
            *((0.19, 0.20, 0.21, 0.41, 0.46),) * 2, (0.19, 0.20, 0.21, 0.42, 0.47),
            *((0.19, 0.20, 0.21, 0.42, 0.45, 0.48),) * 2,
        ),
    ),
    Parameter(
        "scottish_income_tax.limits", YEAR, "taxable income up to which each rate but the last holds", _SCOTS,
        (
            (2_097.0, 12_726.0, 31_092.0, 150_000.0), (2_162.0, 13_118.0, 31_092.0, 150_000.0),
            (2_162.0, 13_118.0, 31_092.0, 125_140.0), (2_306.0, 13_991.0, 31_092.0, 62_430.0, 125_140.0),
            (2_827.0, 14_921.0, 31_092.0, 62_430.0, 125_140.0),
        ),
    ),
    Parameter(
        "national_insurance.primary_threshold", YEAR, "earnings of an employee from which contributions are paid",
        f"{_NIC}, reg. 10 and 11; 2022: the threshold of a whole year for company directors",
        (9_568.0, 11_908.0, 12_570.0, 12_570.0, 12_570.0),
    ),
    Parameter("national_insurance.upper_limit", YEAR, "earnings from which the other holds", f"{_NIC}, reg. 10", (50_270.0,)),
    Parameter(
        "national_insurance.main_rate", SHARE, "of an employee's earnings between threshold and upper limit",
        f"{_SSCBA}, s. 8; 2022 and 2023: the rate of a whole year for company directors, since it changed within them",
        (0.12, 0.1273, 0.115, 0.08, 0.08),
    ),
    Parameter("national_insurance.upper_rate", SHARE, "above the limit", f"{_SSCBA}, s. 8", (0.02, 0.0273, 0.02, 0.02, 0.02)),
    Parameter(
        "national_insurance.lower_profits", YEAR, "profits from which class 4 is paid", f"{_SSCBA}, s. 15",
        (9_568.0, 11_908.0, 12_570.0, 12_570.0, 12_570.0),
    ),
    Parameter("national_insurance.upper_profits", YEAR, "profits from which the other holds", f"{_SSCBA}, s. 15", (50_270.0,)),
    Parameter(
        "national_insurance.class_4_rate", SHARE, "of profits between the two", f"{_SSCBA}, s. 15",
        (0.09, 0.0973, 0.09, 0.06, 0.06),
    ),
    Parameter(
        "national_insurance.class_4_upper_rate", SHARE, "of profits above", f"{_SSCBA}, s. 15", (0.02, 0.0273, 0.02, 0.02, 0.02)
    ),
    Parameter("national_insurance.oldest", "years", "age from which nobody contributes", f"{_SSCBA}, s. 6(3)", (66.0,)),
    Parameter("child_benefit.eldest", WEEK, "for the eldest child", f"{_CB}, reg. 2", (21.15, 21.80, 24.00, 25.60, 26.05)),
    Parameter("child_benefit.further", WEEK, "for each further child", f"{_CB}, reg. 2", (14.00, 14.45, 15.90, 16.95, 17.25)),
    Parameter(
        "child_benefit.charge_from", YEAR, "income of the better-off parent from which a charge takes it back",
        "Income Tax (Earnings and Pensions) Act 2003, s. 681B", (50_000.0, 50_000.0, 50_000.0, 60_000.0, 60_000.0),
    ),
    Parameter(
        "child_benefit.charge_to", YEAR, "income at which the charge takes all of it",
        "Income Tax (Earnings and Pensions) Act 2003, s. 681C", (60_000.0, 60_000.0, 60_000.0, 80_000.0, 80_000.0),
    ),
    Parameter(
        "universal_credit.single_young", MONTH, "standard allowance of one adult under 25", f"{_UC}, reg. 36",
        (257.33, 265.31, 292.11, 311.68, 316.98),
    ),
    Parameter(
        "universal_credit.single", MONTH, "standard allowance of one adult of 25 or over", f"{_UC}, reg. 36",
        (324.84, 334.91, 368.74, 393.45, 400.14),
    ),
    Parameter(
        "universal_credit.couple_young", MONTH, "standard allowance of a couple, both under 25", f"{_UC}, reg. 36",
        (403.93, 416.45, 458.51, 489.23, 497.55),
    ),
    Parameter(
        "universal_credit.couple", MONTH, "standard allowance of a couple, one of 25 or over", f"{_UC}, reg. 36",
        (509.91, 525.72, 578.82, 617.60, 628.10),
    ),
    Parameter(
        "universal_credit.first_child", MONTH, "element for a first child born before 6 April 2017", f"{_UC}, reg. 24 and 36",
        (282.50, 290.00, 315.00, 333.33, 339.00),
    ),
    Parameter(
        "universal_credit.child", MONTH, "element for every other child", f"{_UC}, reg. 24 and 36",
        (237.08, 244.58, 269.58, 287.92, 292.81),
    ),
    Parameter("universal_credit.most_children", "children", "children there is an element for, of those born since April 2017",
              f"{_UC}, reg. 24A", (2.0,)),
    Parameter("universal_credit.limited_from_age", "years", "age from which a child was born before April 2017",
              f"{_UC}, reg. 24A, at the beginning of the tax year", (4.0, 5.0, 6.0, 7.0, 8.0)),
    Parameter(
        "universal_credit.limited_capability", MONTH, "element for who is long-term sick or disabled", f"{_UC}, reg. 27 and 36",
        (343.63, 354.28, 390.06, 416.19, 423.27),
    ),
    Parameter(
        "universal_credit.work_allowance_with_rent", MONTH, "earnings that do not count, with help for rent", f"{_UC}, reg. 22",
        (335.0, 344.0, 379.0, 404.0, 411.0),
    ),
    Parameter(
        "universal_credit.work_allowance", MONTH, "earnings that do not count, without help for rent", f"{_UC}, reg. 22",
        (557.0, 573.0, 631.0, 673.0, 684.0),
    ),
    Parameter("universal_credit.taper", SHARE, "lost of each further pound of net earnings", f"{_UC}, reg. 22(1)(b)", (0.55,)),
    Parameter("universal_credit.take_up", SHARE, "of what families are entitled to, that is paid", "assumption", (1.0,)),
    Parameter("universal_credit.oldest", "years", "state pension age: a couple claims while one is younger",
              "Pensions Act 1995, sch. 4; Welfare Reform Act 2012, s. 4", (66.0,)),
    Parameter("benefit_cap.family", YEAR, "most that a couple or a family gets", f"{_UC}, reg. 80A",
              (20_000.0, 20_000.0, 22_020.0, 22_020.0, 22_020.0)),
    Parameter("benefit_cap.single", YEAR, "most that one adult without children gets", f"{_UC}, reg. 80A",
              (13_400.0, 13_400.0, 14_753.0, 14_753.0, 14_753.0)),
    Parameter("benefit_cap.family_london", YEAR, "the same in Greater London", f"{_UC}, reg. 80A",
              (23_000.0, 23_000.0, 25_323.0, 25_323.0, 25_323.0)),
    Parameter("benefit_cap.single_london", YEAR, "the same in Greater London", f"{_UC}, reg. 80A",
              (15_410.0, 15_410.0, 16_967.0, 16_967.0, 16_967.0)),
    Parameter("benefit_cap.lifted_from", MONTH, "net earnings from which there is no cap: 16 hours at the living wage",
              f"{_UC}, reg. 82", (617.0, 658.0, 722.0, 793.0, 846.0)),
    Parameter("rent.social", YEAR, "of social tenants where the survey has none", "assumption, a round figure", (5_500.0,)),
    Parameter("rent.private", YEAR, "of private tenants where the survey has none", "assumption, a round figure", (9_000.0,)),
    Parameter("council_tax.single_discount", SHARE, "where one adult lives", "Local Government Finance Act 1992, s. 11",
              (0.25,)),
    Parameter("equivalence.first_adult", "couple = 1", "first member of 14 or over", "modified OECD scale (DWP, HBAI)",
              (0.67,)),
    Parameter("equivalence.further_adult", "couple = 1", "each further member of 14 or over", "as before", (0.33,)),
    Parameter("equivalence.child", "couple = 1", "each member under 14", "as before", (0.20,)),
)  # fmt: skip


def parameters_of(year: int) -> dict[str, Any]:
    """Return all parameters of a tax year by name. Raises ValueError for another year.

    >>> parameters_of(2024)["income_tax.personal_allowance"], parameters_of(2025)["child_benefit.eldest"]
    (12570.0, 26.05)
    """
    if year not in TAX_YEARS:
        raise ValueError(f"rules are known of the tax years {', '.join(map(str, TAX_YEARS))}, not of {year}")
    return {p.name: p.value(year) for p in _PARAMETERS}


def describe(year: int | None = None) -> pd.DataFrame:
    """Describe the parameters: unit, what it is, source, and its value a tax year, or in one.

    >>> describe(2021).loc["child_benefit.further", "value"]
    14.0
    """
    rows = [
        {"parameter": p.name, "unit": p.unit}
        | ({"value": p.value(year)} if year is not None else {str(y): p.value(y) for y in TAX_YEARS})
        | {"what": p.what, "source": p.source}
        for p in _PARAMETERS
    ]
    return pd.DataFrame(rows).set_index("parameter")
