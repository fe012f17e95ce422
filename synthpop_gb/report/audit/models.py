"""Models on the page: can a model tell the sides apart, and does a model say the same when it is learnt from synthetic data."""

from __future__ import annotations

from synthpop_gb.checks import Checks


def models(checks: Checks, unit: str) -> dict | None:
    """Return nothing yet."""
    return None
