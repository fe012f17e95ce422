"""Arrays of a noun: of the type that kernels are compiled for, C-contiguous, read-only."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

__all__ = ["freeze"]


def freeze(noun: object, arrays: Iterable[tuple[str, type, int | None]]) -> None:
    """Replace arrays of a frozen dataclass by read-only copies of a type; those that are None stay so.

    Copies, since the caller's arrays stay writeable. Raises ValueError for an array of another number of dimensions.

    arrays : (name, type, number of dimensions or None for any) of each.
    """
    for name, dtype, dimensions in arrays:
        if getattr(noun, name) is None:
            continue
        array = np.array(getattr(noun, name), dtype=dtype, order="C")
        if dimensions is not None and array.ndim != dimensions:
            raise ValueError(f"{name} of {type(noun).__name__} must have {dimensions} dimension(s), not {array.ndim}")
        array.setflags(write=False)
        object.__setattr__(noun, name, array)
