"""What became of each zone: one status for the fit, one for the whole people, never a flattering boolean.

Kernels return these as plain integers; everybody else reads them by name. "Stopped" is never reported as "converged".
"""

from enum import IntEnum

__all__ = ["FIT_MEANING", "WHOLE_MEANING", "FitStatus", "WholeStatus"]


class FitStatus(IntEnum):
    """How the fit of one zone ended."""

    CONVERGED = 0
    STALLED = 1
    CYCLE_LIMIT = 2
    INFEASIBLE = 3
    EMPTY = 4


class WholeStatus(IntEnum):
    """How the whole people of one zone compare with its targets."""

    EXACT = 0
    REMAINDER = 1


FIT_MEANING = {
    FitStatus.CONVERGED: "every target met within the tolerance",
    FitStatus.STALLED: "the largest miss stopped shrinking before the tolerance was reached: tables contradict each other",
    FitStatus.CYCLE_LIMIT: "still improving when the limit of cycles was reached",
    FitStatus.INFEASIBLE: "a target above zero has no record that could fill it, or the bounds asked for forbid it",
    FitStatus.EMPTY: "the zone has no people",
}

WHOLE_MEANING = {
    WholeStatus.EXACT: "whole people meet every target exactly",
    WholeStatus.REMAINDER: "whole people miss some targets; the total absolute error stands beside",
}
