"""Broken pairs: findings and NaN, never a traceback or a warning; and what is shown as text stays text."""

import warnings

import numpy as np
import pytest

from synthpop_gb.validation.utility import utility
from tests.pairs import broken_pairs

TABLES = {
    "univariate", "univariate_bins", "association", "association_norms", "utility_tables", "propensity", "regression",
    "regression_fit", "prediction", "confusion", "importance", "importance_agreement", "fairness",
}  # fmt: skip
PAIRS = broken_pairs()


@pytest.mark.parametrize("name", PAIRS)
def test_broken_pairs_give_findings(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("error", FutureWarning)
        checks = utility(PAIRS[name], permutations=3)
    assert set(checks.tables) == TABLES
    for frame in checks.tables.values():
        numbers = frame.select_dtypes("number").to_numpy(np.float64)
        assert not np.isinf(numbers).any()
    for value in checks.headline.values():
        assert isinstance(value, str | int | float)
        assert "nan" not in str(value).split()
    assert all(f.code.startswith("utility-") for f in checks.findings)


def test_text_that_means_something_to_a_browser_or_a_spreadsheet_stays_as_it_is():
    checks = utility(PAIRS["category only in synthetic, of HTML"], prediction=False, permutations=2)
    names = checks["univariate"].set_index("variable").loc["education", "only_synthetic_names"]
    assert names == '<script>alert("x")</script>|=1+1 (40 %)'
    assert '<script>alert("x")</script>|=1+1' in checks["univariate_bins"]["label"].tolist()
