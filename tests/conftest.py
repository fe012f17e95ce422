"""Shared fixtures: where the open data lies, and quiet, repeatable property tests."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "repeatable", deadline=None, derandomize=True, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Folder of open data named by SYNTHPOP_GB_DATA; the test is skipped where it is unset, and fails where it is wrong."""
    name = os.environ.get("SYNTHPOP_GB_DATA")
    if not name:
        pytest.skip("SYNTHPOP_GB_DATA is not set: the tests on real census data are skipped")
    folder = Path(name)
    if not (folder / "census2011-lsoa-ew").is_dir():
        pytest.fail(
            f"SYNTHPOP_GB_DATA names {folder}, which holds no census2011-lsoa-ew: set it to the folder of open data, or unset it"
        )
    return folder
