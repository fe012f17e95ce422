"""The one place that decides how kernels are compiled.

`nogil` lets threads run blocks of zones side by side; `cache` keeps compiled code on disk, so that a command starts quickly;
`fastmath` stays off: NaN checks survive and sums keep their order, so that equal input gives equal bits.
Set SYNTHPOP_GB_CACHE=0 where the package's folder and NUMBA_CACHE_DIR cannot be written.
"""

import hashlib
import os
import re
from functools import cache
from pathlib import Path

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
        return lambda f: _compiled(f, policy)
    return _compiled(function, policy)


def _compiled(function, policy):
    kernel = _njit(**policy)(function)
    stamp = _stamp(Path(function.__code__.co_filename)) if policy["cache"] else None
    # numba asks only whether the kernel's own file has changed: after a change in a helper elsewhere, the old one would run.
    # These names are numba's own: where they are missing (renamed, or NUMBA_DISABLE_JIT is set), its own question has to do
    file = getattr(getattr(kernel, "_cache", None), "_cache_file", None)
    if stamp is not None and hasattr(file, "_source_stamp"):
        file._source_stamp = stamp
    return kernel


@cache
def _stamp(path: Path) -> str | None:
    """Hash of a module of kernels and of every kernel module it imports, its helpers' helpers too; None where it is no file."""
    files, waiting = {}, [path]
    while waiting:
        here = waiting.pop()
        if here in files:
            continue
        try:
            files[here] = here.read_bytes()
        except OSError:
            return None
        names = re.findall(rb"^from synthpop_gb\.kernels\.(\w+) import", files[here], re.MULTILINE)
        waiting += [path.with_name(name.decode() + ".py") for name in names]
    return hashlib.sha256(b"".join(files[f] for f in sorted(files))).hexdigest()
