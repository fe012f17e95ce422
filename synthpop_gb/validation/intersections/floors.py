"""The noise floor: what a perfect sample of the reference itself would show. Closed forms; none is drawn.

Throughout, `share` is (n_cells,) float64, the reference's distribution over its cells (sums to 1), and n the number of people
drawn from it, each by itself (multinomial). n need not be whole: effective sizes are rounded.
"""

from __future__ import annotations

import numpy as np

__all__ = ["expected_lost", "expected_missing", "expected_srmse", "expected_tvd", "tvd_by_chance", "tvd_limit", "unseen_mass"]


def _whole(n: float) -> int:
    return max(1, round(float(n)))


def expected_tvd(share: np.ndarray, n: float) -> float:
    """Expect the total variation distance of a sample from what it was drawn from: half the sum of E |X / n - p|. Exact.

    E |X - np| = 2 v (1 - p) b(v; n, p) with v = floor(np) + 1 and b the binomial probability: De Moivre 1730, in Diaconis &
    Zabell (1991), "Closed form summation for classical distributions", Statistical Science 6, theorem 1.

    >>> round(expected_tvd(np.array([0.5, 0.5]), 2), 6)  # 2, 1 or 0 of two: TVD 1/2, 0, 1/2
    0.25
    """
    from scipy.special import gammaln, xlog1py, xlogy

    n = _whole(n)
    p = np.clip(np.asarray(share, np.float64), 0.0, 1.0)
    v = np.minimum(np.floor(n * p) + 1, n)  # at p = 1, where the deviation is nought, v would be n + 1
    log_b = gammaln(n + 1) - gammaln(v + 1) - gammaln(n - v + 1) + xlogy(v, p) + xlog1py(n - v, -p)
    return float((v * (1 - p) * np.exp(log_b)).sum() / n)


def expected_srmse(share: np.ndarray, n: float) -> float:
    """Bound the expected standardised root mean squared error of a sample: sqrt(m sum p (1 - p) / n) over m cells.

    The root of the expected mean square, hence at least the expectation (Jensen), and near it from a few cells on.

    >>> round(expected_srmse(np.full(4, 0.25), 100), 4)
    0.1732
    """
    p = np.asarray(share, np.float64)
    return float(np.sqrt(len(p) * (p * (1 - p)).sum() / _whole(n)))


def expected_lost(share: np.ndarray, n: float) -> np.ndarray:
    """(n_cells,) probability that a sample has nobody of the cell: (1 - p)^n. Exact.

    >>> expected_lost(np.array([0.5, 0.5]), 2).tolist()
    [0.25, 0.25]
    """
    from scipy.special import xlog1py

    return np.exp(xlog1py(_whole(n), -np.clip(np.asarray(share, np.float64), 0.0, 1.0)))


def expected_missing(share: np.ndarray, n: float) -> float:
    """Expect the missing mass of a sample: the reference's share in cells of which the sample has nobody, sum p (1 - p)^n. Exact.

    >>> expected_missing(np.array([0.5, 0.5]), 2)
    0.25
    """
    return float((np.asarray(share, np.float64) * expected_lost(share, n)).sum())


def unseen_mass(people: np.ndarray, records: np.ndarray) -> float:
    """Estimate the share of a population in cells that a sample of it has not met: the share of cells met once.

    Good (1953), "The population frequencies of species", Biometrika 40: with n records, singletons / n. With weights, the
    weight of the singletons. It is what another perfect sample of the *population* would seem to invent; one of the sample
    itself (a bootstrap) invents nobody.

    Parameters
    ----------
    people, records : numpy.ndarray
        (n_cells,) weight and number of the sample's records by cell.

    >>> unseen_mass(np.array([5.0, 3.0, 1.0, 1.0]), np.array([5, 3, 1, 1]))
    0.2
    """
    people = np.asarray(people, np.float64)
    total = people.sum()
    return float(people[np.asarray(records) == 1].sum() / total) if total else 0.0


def tvd_limit(
    share: np.ndarray, n: float, reference: float = np.inf, unseen: float = 0.0, tests: int = 1, q: float = 0.05
) -> float:
    """Largest total variation distance that passes: its expectation for a perfect sample, and what chance adds to that.

    With h = n where the reference is known, and 1 / h = 1 / n + 1 / r where it is itself a sample of r records,

        limit = E TVD(h) + unseen + sqrt(ln(tests / q) / 2 h).

    Changing one person moves the distance by at most 1 / n, so it exceeds its expectation by e with probability at most
    exp(-2 h e^2) (McDiarmid 1989, "On the method of bounded differences"); tests / q makes that hold for all tables at once
    (Bonferroni). For two samples the expectation is that of one sample of h people, and `unseen` (`unseen_mass`) what the
    reference has not met.

    >>> round(tvd_limit(np.array([0.5, 0.5]), 10_000), 4)  # 0.004 + 0.0122
    0.0162
    """
    slack = np.sqrt(np.log(max(tests, 1) / q) / (2 * _both(n, reference)))
    return float(min(1.0, tvd_by_chance(share, n, reference, unseen) + slack))


def tvd_by_chance(share: np.ndarray, n: float, reference: float = np.inf, unseen: float = 0.0) -> float:
    """Expect the total variation distance of a perfect sample from a reference that is itself a sample: E TVD(h) + unseen.

    See `tvd_limit`. Of a known reference it is `expected_tvd`.

    >>> round(tvd_by_chance(np.array([0.5, 0.5]), 200, 200), 4)  # as of one sample of a hundred
    0.0398
    """
    return expected_tvd(share, _both(n, reference)) + unseen


def _both(n: float, reference: float) -> float:
    """Size of one sample that varies as the difference of two."""
    return 1.0 / (1.0 / max(float(n), 1.0) + (0.0 if np.isinf(reference) else 1.0 / max(float(reference), 1.0)))
