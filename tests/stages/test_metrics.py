"""Metrics against brute force over cells, and the laws that tie them together."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import chi2

from synthpop_gb.validation import METRICS, register_metric
from synthpop_gb.validation import metrics as m

TABLE_METRICS = [f for f in METRICS.values() if f.per == "table"]
counts = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=8)


def over(above, below):
    return above / below if below else (0.0 if above == 0 else math.copysign(math.inf, above))


def z_modified_by_hand(cells):
    n = sum(e for _, e in cells)
    out = []
    for o, e in cells:
        variance = e * (1 - e / n) if n else 0
        out.append((o - e) / math.sqrt(variance) if variance > 0 else float(o - e))
    return out


BY_HAND = {
    "tae": lambda c: sum(abs(o - e) for o, e in c),
    "misplaced": lambda c: sum(abs(o - e) for o, e in c) / 2,
    "sae": lambda c: over(sum(abs(o - e) for o, e in c), sum(e for _, e in c)),
    "percent_wrong": lambda c: over(50 * sum(abs(o - e) for o, e in c), sum(e for _, e in c)),
    "srmse": lambda c: over(math.sqrt(sum((o - e) ** 2 for o, e in c) / len(c)), sum(e for _, e in c) / len(c)),
    "rssz": lambda c: sum(z * z for z in z_modified_by_hand(c)) / chi2.ppf(0.95, len(c)),
    "nonfitting_cells": lambda c: sum(abs(z) > 1.96 for z in z_modified_by_hand(c)),
    "invented": lambda c: over(sum(o for o, e in c if e == 0), sum(e for _, e in c)),
    "missing": lambda c: over(sum(e for o, e in c if o == 0), sum(e for _, e in c)),
}


@pytest.mark.parametrize("name", BY_HAND)
@given(counts)
def test_equals_the_formula_cell_by_cell(name, cells):
    observed, expected = zip(*cells, strict=True)
    assert METRICS[name](observed, expected) == pytest.approx(BY_HAND[name](cells), rel=1e-12)


@given(counts)
def test_equals_libraries_where_there_is_one(cells):
    observed, expected = (np.array(x, float) for x in zip(*cells, strict=True))
    assume(observed.std() > 0 and expected.std() > 0)
    assert m.r2(observed, expected) == pytest.approx(np.corrcoef(observed, expected)[0, 1] ** 2, abs=1e-12)
    identity = 1 - ((observed - expected) ** 2).sum() / ((expected - expected.mean()) ** 2).sum()
    assert m.sei(observed, expected) == pytest.approx(identity)
    shares = observed / observed.sum(), expected / expected.sum()
    assert m.tvd(observed, expected) == pytest.approx(abs(shares[0] - shares[1]).sum() / 2)


@given(counts)
def test_vw_is_the_two_sample_chi_squared_statistic(cells):
    cells = [c for c in cells if sum(c)]
    assume(cells)
    observed, expected = (np.array(x, float) for x in zip(*cells, strict=True))
    assume(observed.sum() > 0 and expected.sum() > 0)
    table = np.stack([observed, expected])
    predicted = table.sum(1)[:, None] * table.sum(0) / table.sum()
    chi = ((table - predicted) ** 2 / predicted).sum()
    # Voas & Williamson divide by the pooled count: chi-squared over the original's share of rows
    assert m.vw(observed, expected) == pytest.approx(chi * table.sum() / expected.sum())


@pytest.mark.parametrize("metric", TABLE_METRICS, ids=lambda f: f.name)
@given(data=st.data(), cells=counts)
def test_weights_are_repeated_cells(metric, data, cells):
    observed, expected = (np.array(x, float) for x in zip(*cells, strict=True))
    times = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(cells), max_size=len(cells))))
    assume(times.sum() > 0)
    got = metric(observed, expected, weights=times)
    wanted = metric(np.repeat(observed, times), np.repeat(expected, times))
    assert got == pytest.approx(wanted, rel=1e-9, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda f: f.name)
@given(data=st.data())
def test_axis_is_one_table_a_row(metric, data):
    n_rows, n_cells = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 5))
    pairs = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=n_rows * n_cells, max_size=n_rows * n_cells)
    both = np.array(data.draw(pairs)).reshape(n_rows, n_cells, 2).astype(float)
    observed, expected = both[..., 0], both[..., 1]
    together = metric(observed, expected, axis=1)
    assert (np.array([metric(o, e) for o, e in zip(observed, expected, strict=True)]) == together).all() or np.allclose(
        [metric(o, e) for o, e in zip(observed, expected, strict=True)], together, rtol=1e-12, equal_nan=True
    )
    down = metric(observed.T, expected.T, axis=0)
    assert np.allclose(down if metric.per == "table" else down.T, together, rtol=1e-12, equal_nan=True)


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda f: f.name)
def test_perfect_fit_and_empty_tables(metric):
    best = 1.0 if metric.better == "higher" else 0.0
    for cells in ([3, 0, 7], [0, 0, 0], [5], [4, 4]):
        assert np.all(metric(cells, cells) == best), cells


@given(counts)
def test_laws(cells):
    observed, expected = (np.array(x, float) for x in zip(*cells, strict=True))
    assert m.tae(observed, expected) == m.tae(expected, observed)
    assert m.tae(observed, expected) >= abs(observed.sum() - expected.sum())
    assert m.nonfitting_table(observed, expected) == float(m.rssz(observed, expected) > 1)
    if observed.sum() == expected.sum() > 0:
        assert m.tae(observed, expected) % 2 == 0  # people are moved, not made
        assert m.percent_wrong(observed, expected) == pytest.approx(100 * m.tvd(observed, expected))
        inner = (expected > 0) & (expected < expected.sum())
        assert m.z(observed, expected)[inner] == pytest.approx(m.z_modified(observed, expected)[inner])


def test_z_at_its_edges():
    assert m.z([0, 5], [0, 9]).tolist() == [0.0, 0.0]  # e = 0 met, e = 1 met: blind to totals
    assert m.z_modified([0, 5], [0, 9]).tolist() == [0.0, -4.0]  # four people short
    assert m.z([1, 8], [0, 9]).tolist() == [math.inf, -math.inf]
    assert m.z([2, 1], [0, 0]).tolist() == [math.inf, math.inf]
    assert m.z_modified([2, 1], [0, 0]).tolist() == [2.0, 1.0]
    assert m.z([0, 0], [4, 6]) == pytest.approx([-0.4 / math.sqrt(0.24 / 10), -0.6 / math.sqrt(0.24 / 10)])


def test_totals_that_differ():
    assert m.sae([1], [0]) == math.inf
    assert m.tvd([1, 0], [0, 0]) == 1.0
    assert m.vw([1, 0], [0, 0]) == m.vw([0, 0], [1, 0]) == math.inf
    assert math.isnan(m.r2([1, 2], [3, 3]))
    assert m.sei([1, 2], [3, 3]) == -math.inf


def test_takes_whatever_is_like_an_array_and_keeps_its_shape():
    frame = pd.DataFrame([[1, 2], [3, 4]], index=["a", "b"])
    assert m.tae(frame, frame + 1) == 4.0
    assert m.z_modified(frame, frame).shape == (2, 2)
    assert m.tae(frame, frame + 1, axis=1).tolist() == [2.0, 2.0]
    with pytest.raises(ValueError, match="labelled differently"):
        m.tae(frame, frame.iloc[::-1])
    with pytest.raises(ValueError, match="shape"):
        m.tae([1, 2], [1, 2, 3])


def test_effective_number():
    assert m.effective_number(np.full(7, 3.0)) == pytest.approx(7)
    assert m.effective_number([1, 0, 0]) == 1


def test_every_metric_says_what_it_is():
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.better in ("lower", "higher", "zero")
        assert isinstance(metric.source, str)
        assert metric.__doc__


def test_registering_is_checked():
    def plain(observed, expected, *, weights=None):
        return 0.0

    with pytest.raises(ValueError, match="already registered"):
        register_metric(plain, name="tae", source="")
    with pytest.raises(ValueError, match="better"):
        register_metric(plain, better="bigger", source="")
    with pytest.raises(ValueError, match="per"):
        register_metric(plain, per="zone", source="")
    with pytest.raises(ValueError, match="weights"):
        register_metric(lambda observed, expected: 0.0, name="no_weights", source="")
    assert "plain" not in METRICS
