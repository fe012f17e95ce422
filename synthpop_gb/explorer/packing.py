"""Arrays for the page: whole numbers in planes of bytes, deflated, as text; each distinct array stands in the page once."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Sequence

import numpy as np

from synthpop_gb.indicators.tabulated import Figures

__all__ = ["NOTHING", "Store", "pack_figures", "zigzag"]

NOTHING = 65_535
"""Code of a figure that is not there."""

_FINE = 100  # steps in half of an interval, at least: rounding is then a two-hundredth of it


class Store:
    """Arrays of one page, by number; `texts` are base64 of what `DecompressionStream('deflate-raw')` undoes."""

    def __init__(self):
        self.texts: list[str] = []
        self._known: dict[bytes, int] = {}

    def put(self, *parts: tuple[np.ndarray, int]) -> dict:
        """Keep arrays one behind another, each with the bytes of a number in it (1, 2 or 4); returns where and how long they are.

        Of each array the lowest bytes come first, then the next: those of small numbers are noughts, which deflate to nothing.
        """
        raw = b"".join(_planes(np.ascontiguousarray(values).ravel(), width) for values, width in parts)
        key = hashlib.sha256(raw).digest()
        if key not in self._known:
            packer = zlib.compressobj(9, zlib.DEFLATED, -15)
            self._known[key] = len(self.texts)
            self.texts.append(base64.b64encode(packer.compress(raw) + packer.flush()).decode("ascii"))
        return {"b": self._known[key], "s": [[int(values.size), width] for values, width in parts]}


def _planes(values: np.ndarray, width: int) -> bytes:
    if values.size and (values.min() < 0 or int(values.max()) >= 1 << (8 * width)):
        raise ValueError(f"numbers from {values.min()} to {values.max()} do not fit into {width} bytes")
    return values.astype(f"<u{width}").view(np.uint8).reshape(-1, width).T.tobytes()


def zigzag(values: np.ndarray) -> np.ndarray:
    """Turn whole numbers of either sign into unsigned ones, small ones staying small.

    >>> zigzag(np.array([0, -1, 1, -2])).tolist()
    [0, 1, 2, 3]
    """
    values = np.asarray(values, np.int64)
    return (values << 1) ^ (values >> 63)


def pack_figures(store: Store, figures: Figures, groups: Sequence[int]) -> dict:
    """Put some groups' figures into the store.

    Each column of each group has a step of its own: a round number at most a hundredth of half its median interval, so that
    rounding is nothing beside the error; without intervals a 60,000th of its range.

    Returns
    -------
    dict
        'b' and 's' as `Store.put` returns them, of estimates, halves of intervals (and what they are below the estimate, where
        that differs) and classes; 'low' and 'step' of estimates, 'h' and 'l' the steps of halves, one a column, group by group.
        Without intervals there is no 'h'.
    """
    chosen = list(groups)
    estimate, half = _rows(figures.estimate[chosen]), _rows(figures.half[chosen])
    below = None if figures.below is None else _rows(figures.below[chosen])
    middle = np.array([np.median(w[np.isfinite(w)]) if np.isfinite(w).any() else 0.0 for w in half])
    low = np.array([min(0.0, float(np.nanmin(row))) if np.isfinite(row).any() else 0.0 for row in estimate])
    code, step = _coded(estimate - low[:, None], middle)
    parts, extra = [(code, 2)], {}
    for name, width in (("h", half), ("l", below)):
        if width is not None and np.isfinite(width).any():
            codes, steps = _coded(width, middle)
            parts.append((codes, 2))
            extra[name] = _short(steps)
    return store.put(*parts, (figures.reliability[chosen], 1)) | {"low": _short(low), "step": _short(step)} | extra


def _rows(values: np.ndarray) -> np.ndarray:
    return values.reshape(-1, values.shape[-1])


def _coded(rows: np.ndarray, middle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Round rows of numbers from nought up to their steps: codes, and the step of each row."""
    known = np.isfinite(rows)
    step = np.array([_step(m, float(r[k].max(initial=0.0))) for m, r, k in zip(middle, rows, known, strict=True)])
    with np.errstate(invalid="ignore"):
        return np.where(known, np.round(np.where(known, rows, 0.0) / step[:, None]), NOTHING).astype(np.int64), step


def _step(middle: float, reach: float) -> float:
    """Step of the codes: a power of ten times 1, 2 or 5, fine beside an interval, and coarse enough for two bytes."""
    least = reach / 60_000
    wanted = max(middle / _FINE, least)
    if wanted <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(wanted))
    below = max((m for m in (1, 2, 5) if m * power <= wanted * (1 + 1e-9)), default=1) * power
    return float(below if below >= least else next(m * power for m in (2, 5, 10, 20) if m * power >= least))


def _short(values: np.ndarray) -> list[float]:
    return [float(f"{v:.6g}") for v in values]
