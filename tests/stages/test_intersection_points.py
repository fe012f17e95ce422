"""Every cell of a scan is in the picture once, near where it belongs, and wrong ones are told from those within chance."""

import numpy as np
import pytest

from synthpop_gb.coded import Coded
from synthpop_gb.validation.intersections import scan

LABELS = (("Husband", "Wife", "Other"), ("Female", "Male"), tuple(f"{i}" for i in range(20)))
NAMES = ("relationship", "sex", "area")


def side(n, seed, swapped=0.0, weight=1.0):
    rng = np.random.default_rng(seed)
    codes = np.stack([rng.integers(0, 3, n), rng.integers(0, 2, n), rng.geometric(0.2, n).clip(1, 20) - 1], axis=1)
    codes[:, 1] = np.where(codes[:, 0] == 0, 1, codes[:, 1])
    wrong = (codes[:, 0] == 0) & (rng.random(n) < swapped)
    codes[wrong, 1] = 0
    return Coded(NAMES, LABELS, codes, np.full(n, weight))


def test_cells_are_all_there_and_near_their_counts():
    real, made = side(6000, 1), side(3000, 2, swapped=0.1)
    checks = scan(real, made)
    points, tables = checks["scan_points"], checks["scan_tables"]
    assert points.groupby("k")["cells"].sum().to_dict() == tables.groupby("k")["cells"].sum().to_dict()
    together = {}
    for side_of, name in ((real, "expected"), (made, "observed")):
        count = np.bincount(side_of.codes[:, 0] * 2 + side_of.codes[:, 1], side_of.weight, minlength=6)
        together[name] = count * (0.5 if name == "expected" else 1.0)  # brought to 3,000
    pair = [frozenset(("relationship", "sex")) == frozenset(c.split(" x ")) for c in tables["combination"]]
    assert tables.loc[pair, "cells"].item() == np.count_nonzero(together["expected"] + together["observed"])
    two = points[points["k"] == 2]
    for e, o in zip(together["expected"], together["observed"], strict=True):
        if e or o:
            near = np.isclose(two["expected"], e, rtol=0.024, atol=0.051) & np.isclose(two["observed"], o, rtol=0.024, atol=0.051)
            assert near.any(), (e, o)


def test_wrong_cells_are_told_and_a_sample_has_none():
    real = side(6000, 1)
    wrong = scan(real, side(3000, 2, swapped=0.1))["scan_points"]
    assert wrong.loc[wrong["expected"].eq(0) & wrong["k"].eq(2), "beyond"].any()
    right = scan(real, side(3000, 3))["scan_points"]
    assert right.loc[right["beyond"], "cells"].sum() <= 2


def test_spread_is_of_both_sizes_and_of_weights():
    real, made = side(6000, 1), side(3000, 2)
    assert scan(real, made)["scan_points"]["spread"].iloc[0] == pytest.approx(1.5)  # 1 + 3,000 / 6,000
    assert scan(real, made, reference_kind="census")["scan_points"]["spread"].iloc[0] == pytest.approx(1.0)
    heavy = scan(real, side(3000, 2, weight=10.0))["scan_points"]["spread"].iloc[0]
    assert heavy == pytest.approx(10 + 30_000 / 6_000)


def test_nobody_makes_no_points():
    real = side(50, 1)
    empty = Coded(NAMES, LABELS, np.empty((0, 3), np.int32), np.empty(0))
    assert scan(real, empty)["scan_points"].empty
