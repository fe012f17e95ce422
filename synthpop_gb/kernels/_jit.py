"""The one place that decides how kernels are compiled.

`nogil` lets threads run blocks of zones side by side; `cache` keeps compiled code on disk, so that a command starts quickly;
`fastmath` stays off: NaN checks survive and sums keep their order, so that equal input gives equal bits.
Set SYNTHPOP_GB_CACHE=0 where the package's folder and NUMBA_CACHE_DIR cannot be written.
"""

import os

from numba import njit as _njit

__all__ = ["njit"]

_SWITCH = os.environ.get("SYNTHPOP_GB_CACHE", "1")
if _SWITCH not in ("0", "1"):
    raise ValueError(f"SYNTHPOP_GB_CACHE must be 0 or 1, not {_SWITCH!r}")


def njit(function=None, **options):
    """Compile with the package's one policy: nogil, disk cache, strict floating point.

    Extra options are for `inline="always"`, `boundscheck` and the like; `fastmath` and `parallel` are refused.
    """
    for refused in ("fastmath", "parallel"):
        if options.get(refused):
            raise ValueError(f"kernels are compiled without {refused}: it changes bits between machines or thread counts")
    policy = {"nogil": True, "cache": _SWITCH == "1", "fastmath": False, "error_model": "numpy", **options}
    if function is None:
        return lambda f: _njit(**policy)(f)
    return _njit(**policy)(function)
