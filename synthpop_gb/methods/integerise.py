"""From weights to whole people: the ways to choose from, by name."""

from __future__ import annotations

from synthpop_gb.kernels.whole import CUBE, HALVING, LARGEST_REMAINDER, TRS

__all__ = ["INTEGERISE"]

INTEGERISE: dict[str, tuple[int, bool]] = {
    "halving": (HALVING, True),
    "cube": (CUBE, True),
    "trs": (TRS, False),
    "largest_remainder": (LARGEST_REMAINDER, False),
}
"""Name: (kernel's code, whether misses are repaired).

- 'halving': unbiased, every target met exactly after repair, two-way tables nearly as in the fit; the default.
- 'cube': unbiased, every target met exactly after repair (Deville & Tille 2004).
- 'trs': truncate, replicate, sample (Lovelace & Ballas 2013): unbiased, misses targets by chance.
- 'largest_remainder': no randomness, biased against small weights, misses targets.
"""
