"""What a finding's code stands for."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Meaning"]


@dataclass(frozen=True)
class Meaning:
    """What a finding's code stands for: default level ('error', 'warning' or 'note'), why it matters, what to do."""

    level: str
    why: str
    remedy: str
