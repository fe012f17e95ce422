"""Options of the method 'balance'."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from synthpop_gb.methods._checks import check_above, check_choice, check_whole, is_number
from synthpop_gb.methods._softness import check_softness
from synthpop_gb.methods._whole_options import WholeOptions

__all__ = ["BalanceOptions"]


@dataclass(frozen=True)
class BalanceOptions(WholeOptions):
    """Options of the method 'balance': of the fit, and of the search for whole households (`WholeOptions`).

    Attributes
    ----------
    effort : str
        'exact': again and again until household and person tables are met; 'quick': one attempt of 10,000 proposals.
    max_proposals : int
        Swaps that one attempt may propose, a zone.
    restarts : int
        Attempts after the first, where a zone is not exact yet.
    milp_nodes : int
        Limit of nodes of the integer programme that has the last word where all attempts fail, a zone; 0 = none.
    soft : bool
        Meet perturbed or sampled tables within their standard error; False to meet every target exactly.
    standard_error : float or mapping of str to float, optional
        Of each count, in what the table counts (people or households); instead of the tables' own. One number for all tables, or
        by constraint; 0 = exact.
    importance : mapping of str to float, optional
        How much harder the tables named are held to than by their standard error alone, where tables disagree: their variances
        are divided by it. 1 for those not named. Exact tables take notice in zones that contradict themselves only.
    prior : float
        What a unit of the start weights counts for beside one published, above 0 (see `CalibrateOptions`). Softness only.
    zeros : str
        What a published nought of a soft table means: 'soft' (there may be somebody) or 'exact' (nobody).
    lower, upper : float
        Bounds on a weight over its start weight brought to the zone's size: 0 <= lower < 1 < upper; without upper there is none.
    fit : str
        'newton' (Newton steps on the dual; the weights nearest the start weights) or 'ipu' (iterative proportional updating, Ye
        et al. 2009, for comparison: exact targets, no bounds, and no duals are kept).
    tolerance : float
        Largest miss of an exact target by the fractional weights, and of the optimum at a soft one; in what the table counts.
    max_steps : int
        Limit of Newton steps a zone; 5 to 20 are usual.
    max_cycles : int
        Limit of cycles of 'ipu' a zone.

    Raises
    ------
    ValueError
        For a value outside its range, or options that 'ipu' cannot heed.
    """

    soft: bool = True
    standard_error: float | Mapping[str, float] | None = None
    importance: Mapping[str, float] | None = None
    prior: float = 0.01
    zeros: Literal["soft", "exact"] = "soft"
    lower: float = 0.0
    upper: float | None = None
    fit: Literal["newton", "ipu"] = "newton"
    tolerance: float = 1e-6
    max_steps: int = 200
    max_cycles: int = 3000

    def __post_init__(self):
        super().__post_init__()
        check_softness(self)
        check_choice("zeros", self.zeros, ("soft", "exact"))
        check_choice("fit", self.fit, ("newton", "ipu"))
        check_above("tolerance", self.tolerance, "persons")
        check_above("prior", self.prior)
        check_whole("max_steps", self.max_steps, 1)
        check_whole("max_cycles", self.max_cycles, 1)
        most = 2.0 if self.upper is None else self.upper
        if not (is_number(self.lower) and is_number(most) and 0 <= self.lower < 1 < most):
            raise ValueError(f"bounds are 0 <= lower < 1 < upper, not {self.lower!r} and {self.upper!r}")
        self._check_importance()
        if self.fit == "ipu" and (self.bounded or self.standard_error is not None or self.importance is not None):
            raise ValueError("'ipu' heeds neither bounds nor standard errors nor importance: leave them out, or fit by 'newton'")

    def _check_importance(self):
        if self.importance is None:
            return
        for table, value in dict(self.importance).items():
            check_above(f"the importance of {table}", value)
        object.__setattr__(self, "importance", {str(t): float(v) for t, v in sorted(dict(self.importance).items())})

    @property
    def bounded(self) -> bool:
        """Whether weights are held within bounds."""
        return self.lower > 0 or self.upper is not None
