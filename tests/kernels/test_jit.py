"""The compilation policy: strict arithmetic, and compiled code that is never older than any source it came from."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from synthpop_gb.kernels import _jit, ipf

KERNELS = Path(_jit.__file__).parent


def test_kernels_are_compiled_with_one_policy():
    for option in ("fastmath", "parallel"):
        with pytest.raises(ValueError, match=option):
            _jit.njit(**{option: True})
    options = ipf._fit_block.targetoptions
    assert options["nogil"]
    assert not options.get("fastmath")
    assert not options.get("parallel")


@pytest.mark.parametrize(
    "kernel", [SimpleNamespace(), SimpleNamespace(_cache=None), SimpleNamespace(_cache=SimpleNamespace(_cache_file=Path()))]
)
def test_a_numba_with_other_private_names_still_compiles(monkeypatch, kernel):
    monkeypatch.setattr(_jit, "_njit", lambda **policy: lambda function: kernel)
    assert _jit._compiled(ipf._fit_block.py_func, {"cache": True}) is kernel


def test_a_module_is_stale_when_a_helper_of_a_helper_changes(tmp_path):
    for path in KERNELS.glob("*.py"):
        shutil.copy(path, tmp_path)
    before = _jit._stamp.__wrapped__(tmp_path / "ipf.py")
    assert before == _jit._stamp.__wrapped__(KERNELS / "ipf.py")
    for name, matters in (("streams", False), ("fit_layout", True), ("entropy", True)):
        with (tmp_path / f"{name}.py").open("a") as file:
            file.write("# changed\n")
        after = _jit._stamp.__wrapped__(tmp_path / "ipf.py")
        assert (after != before) == matters
        before = after
    assert _jit._stamp.__wrapped__(tmp_path / "nowhere.py") is None


def test_numba_heeds_the_stamp(tmp_path):
    kernels = tmp_path / "synthpop_gb" / "kernels"
    kernels.mkdir(parents=True)
    shutil.copy(KERNELS / "_jit.py", kernels)
    for folder in (kernels, kernels.parent):
        (folder / "__init__.py").write_text("")
    jit = "from synthpop_gb.kernels._jit import njit\n"
    body = "@njit\ndef g():\n    return f()\n\n\nprint(g(), sum(g.stats.cache_hits.values()))\n"
    (kernels / "caller.py").write_text(f"{jit}from synthpop_gb.kernels.helper import f\n\n\n{body}")
    environment = {
        **os.environ,
        "PYTHONPATH": str(tmp_path),
        "NUMBA_CACHE_DIR": str(tmp_path / "cache"),
        "SYNTHPOP_GB_CACHE": "1",
    }
    said = []
    for value in (1, 1, 2):
        (kernels / "helper.py").write_text(jit + f"\n\n@njit\ndef f():\n    return {value}\n")
        command = [sys.executable, "-c", "import synthpop_gb.kernels.caller"]
        said.append(
            subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.split()
        )
    assert said == [["1", "0"], ["1", "1"], ["2", "0"]]
