"""Options of placing whole households, for the methods that do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from synthpop_gb.kernels.unit_whole import Effort
from synthpop_gb.methods._checks import check_choice, check_whole

__all__ = ["WholeOptions"]

_QUICK = Effort(2_000, 0, 1_000, 10, least=1.0)
_THIN = 0.1  # below this fractions meet before the draw: most profiles of a large survey


@dataclass(frozen=True)
class WholeOptions:
    """How hard whole households are searched for. To be inherited by the options of a method.

    Attributes
    ----------
    effort : str
        'exact': again and again until household and person tables are met; 'quick': one attempt of 2,000 proposals.
    max_proposals : int
        Swaps that one attempt may propose, a zone. Most zones take some 3,000 in all.
    restarts : int
        Attempts after the first, where a zone is not exact yet.
    milp_nodes : int
        Limit of nodes of the integer programme that has the last word where all attempts fail, a zone; 0 = none. No limit is one
        of time: results do not depend on the machine.

    Raises
    ------
    ValueError
        For a value outside its range.
    """

    effort: Literal["exact", "quick"] = "exact"
    max_proposals: int = 200_000
    restarts: int = 20
    milp_nodes: int = 200

    def __post_init__(self):
        check_choice("effort", self.effort, ("exact", "quick"))
        check_whole("max_proposals", self.max_proposals, 0)
        check_whole("restarts", self.restarts, 0)
        check_whole("milp_nodes", self.milp_nodes, 0)

    @property
    def search(self) -> Effort:
        """The same for the kernel."""
        if self.effort == "quick":
            return _QUICK._replace(max_proposals=min(_QUICK.max_proposals, self.max_proposals))
        return Effort(self.max_proposals, self.restarts, 2_000, 40, least=_THIN)
