"""How far counted people are from published ones: pure functions, each with its formula, its source and what happens at nought.

Throughout, *expected* (E) is the published count of a cell and *observed* (O) the one counted in the synthetic population; the
literature swaps the words. N is the sum of E. Every function takes

- `observed`, `expected`: array-like counts of equal shape, whole or fractional, not negative;
- `weights`: how many times each cell counts (the result is the same as repeating the cell so often; nought times, and it is
  taken as empty); None = once;
- `axis`: None takes all cells as one table and returns a float; an integer runs along that axis and returns an array, so that
  `tae(zones_by_cells, targets, axis=1)` has one value a zone.

Where a ratio is nought over nought, nothing was to be met and nothing missed: it is 0. Something over nought is infinite.
"""

from __future__ import annotations

import numpy as np

from synthpop_gb.validation.registry import register_metric

__all__ = [
    "CRITICAL_Z", "effective_number", "invented", "misplaced", "missing", "nonfitting_cells", "nonfitting_table",
    "percent_wrong", "r2", "rssz", "sae", "sei", "srmse", "tae", "tvd", "vw", "z", "z_modified",
]  # fmt: skip

CRITICAL_Z = 1.96
"""A cell whose abs(modified Z) exceeds this does not fit: 5 % of a true model's cells would."""


def _cells(observed, expected, weights, axis):
    """Observed, expected and weights as float64 arrays with the cells of one table along the last axis."""
    for side in ("index", "columns"):
        left, right = getattr(observed, side, None), getattr(expected, side, None)
        if hasattr(left, "equals") and hasattr(right, "equals") and not left.equals(right):  # a list has an `index` too
            raise ValueError(f"observed and expected are labelled differently along their {side}: align them first")
    o, e = np.asarray(observed, np.float64), np.asarray(expected, np.float64)
    if o.shape != e.shape:
        raise ValueError(f"observed has shape {o.shape}, expected {e.shape}")
    w = np.ones_like(e) if weights is None else np.broadcast_to(np.asarray(weights, np.float64), e.shape)
    if weights is not None:
        o, e = np.where(w != 0, o, 0.0), np.where(w != 0, e, 0.0)
    if axis is None:
        return o.ravel(), e.ravel(), w.ravel()
    return tuple(np.ascontiguousarray(np.moveaxis(a, axis, -1)) for a in (o, e, w))


def _over(above, below):
    """Divide, with 0/0 = 0 and x/0 = infinity of x's sign."""
    above, below = np.broadcast_arrays(np.asarray(above, np.float64), np.asarray(below, np.float64))
    out = np.zeros(above.shape)
    np.divide(above, below, out=out, where=below != 0)
    return np.where((below == 0) & (above != 0), np.copysign(np.inf, above), out)


def _result(values, axis):
    return float(values) if axis is None else values


@register_metric(source="Voas & Williamson 2001; Lovelace & Dumont 2016, ch. 8", unit="people")
def tae(observed, expected, *, weights=None, axis=None):
    """Total absolute error: TAE = sum abs(O - E), in people.

    A misplaced person counts twice, once where they are too many and once where they are missing. Empty cells count like any
    other. Voas & Williamson (2001); Lovelace & Dumont (2016), ch. 8.

    >>> tae([4, 3, 3], [5, 3, 2])  # one person in the third cell instead of the first
    2.0
    """
    o, e, w = _cells(observed, expected, weights, axis)
    return _result((w * np.abs(o - e)).sum(-1), axis)


@register_metric(source="", unit="people")
def misplaced(observed, expected, *, weights=None, axis=None):
    """Misplaced people: TAE / 2. Where observed and expected have one total, so many would have to change cell.

    Where totals differ by d, at least d / 2 of it are not misplaced but too many or missing.

    >>> misplaced([4, 3, 3], [5, 3, 2])
    1.0
    """
    return tae(observed, expected, weights=weights, axis=axis) / 2


@register_metric(source="Voas & Williamson 2001")
def sae(observed, expected, *, weights=None, axis=None):
    """Standardised absolute error: SAE = TAE / N, from 0 to 2 where totals agree.

    Trap: Lovelace & Dumont (2016) also print SAE for the *sum* of absolute errors, which is the TAE here, and call this one
    relative error, RE. Here SAE is always the standardised one. Voas & Williamson (2001). N = 0: 0 where nobody was placed,
    else infinite.

    >>> sae([4, 3, 3], [5, 3, 2])
    0.2
    >>> sae([0, 0], [0, 0]), sae([1, 0], [0, 0])
    (0.0, inf)
    """
    o, e, w = _cells(observed, expected, weights, axis)
    return _result(_over((w * np.abs(o - e)).sum(-1), (w * e).sum(-1)), axis)


@register_metric(source="", unit="%")
def percent_wrong(observed, expected, *, weights=None, axis=None):
    """People in the wrong cell, in per cent: 100 x (sum abs(O - E) / 2) / N, which is 100 x SAE / 2. N = 0: as for `sae`.

    >>> percent_wrong([4, 3, 3], [5, 3, 2])
    10.0
    """
    return 50.0 * sae(observed, expected, weights=weights, axis=axis)


@register_metric(source="total variation distance")
def tvd(observed, expected, *, weights=None, axis=None):
    """Total variation distance of the two distributions: half the sum of abs(O / sum O - E / N), from 0 to 1.

    Blind to totals: `sae` / 2 where they agree. Both empty: 0. One empty: 1, since no mass is shared.

    >>> round(tvd([8, 6, 6], [5, 3, 2]), 12)  # shares .4 .3 .3 against .5 .3 .2
    0.1
    """
    o, e, w = _cells(observed, expected, weights, axis)
    many, n = (w * o).sum(-1, keepdims=True), (w * e).sum(-1, keepdims=True)
    half = (w * np.abs(_over(o, many) - _over(e, n))).sum(-1) / 2
    return _result(np.where((many[..., 0] == 0) != (n[..., 0] == 0), 1.0, half), axis)


@register_metric(source="Knudsen & Fotheringham 1986")
def srmse(observed, expected, *, weights=None, axis=None):
    """Standardised root mean squared error: sqrt(mean (O - E)^2) / mean E over m cells.

    Knudsen & Fotheringham (1986). Divided by the mean, not the range, so it is no NRMSE; above 1 where the errors exceed the
    mean cell. N = 0: as for `sae`.

    >>> srmse([4, 4, 2, 2], [3, 3, 3, 3])
    0.3333333333333333
    """
    o, e, w = _cells(observed, expected, weights, axis)
    m = w.sum(-1)
    return _result(_over(np.sqrt(_over((w * (o - e) ** 2).sum(-1), m)), _over((w * e).sum(-1), m)), axis)


@register_metric(better="higher", source="Pearson 1896; Lovelace & Dumont 2016, ch. 8")
def r2(observed, expected, *, weights=None, axis=None):
    """Squared correlation of observed and expected cells: R2 = r^2.

    Trap: it measures the scatter about the best line, not about O = E: a population with every cell doubled has R2 = 1. `sei`
    measures about O = E. Lovelace & Dumont (2016), ch. 8. Where O or E is the same in every cell r is undefined: 1 where O = E
    throughout, else NaN.

    >>> round(r2([2, 4, 6], [1, 2, 3]), 12), r2([2, 2], [2, 2])
    (1.0, 1.0)
    """
    o, e, w = _cells(observed, expected, weights, axis)
    m = w.sum(-1, keepdims=True)
    do, de = o - _over((w * o).sum(-1, keepdims=True), m), e - _over((w * e).sum(-1, keepdims=True), m)
    soo, see, soe = (w * do * do).sum(-1), (w * de * de).sum(-1), (w * do * de).sum(-1)
    tiny = 1e-24 * np.maximum((w * (o * o + e * e)).sum(-1), 1e-300)  # a spread that is rounding, not variation
    known = (soo > tiny) & (see > tiny)
    ratio = np.divide(soe, np.sqrt(soo) * np.sqrt(see), out=np.full(np.shape(soe), np.nan), where=known)
    return _result(np.where((w * np.abs(o - e)).sum(-1) == 0, 1.0, np.minimum(ratio**2, 1.0)), axis)


@register_metric(better="higher", source="Tanton & Vidyattama 2010; Timmins & Edwards 2016")
def sei(observed, expected, *, weights=None, axis=None):
    """Measure the standard error about identity: SEI = 1 - sum (O - E)^2 / sum (E - mean E)^2.

    1 is perfect, below 0 worse than the mean. Unlike R2 it measures about the line O = E. Tanton & Vidyattama (2010);
    Timmins & Edwards (2016). E the same in every cell: 1 where O = E throughout, else minus infinity.

    >>> sei([2, 4, 6], [1, 2, 3]), sei([1, 2, 3], [1, 2, 3])
    (-6.0, 1.0)
    """
    o, e, w = _cells(observed, expected, weights, axis)
    de = e - _over((w * e).sum(-1, keepdims=True), w.sum(-1, keepdims=True))
    return _result(1.0 - _over((w * (o - e) ** 2).sum(-1), (w * de * de).sum(-1)), axis)


@register_metric(better="zero", source="Voas & Williamson 2001", per="cell")
def z(observed, expected, *, weights=None, axis=None):
    """Z score of each cell, on proportions: Z = (o - e) / sqrt(e (1 - e) / N), with o = O / sum O and e = E / N.

    Voas & Williamson (2001). Blind to totals; `z_modified` is not. e = 0 or e = 1 leaves no variance: 0 where o = e, else
    infinite. Nobody placed (sum O = 0) counts as o = 0. N = 0: 0 where O = 0, else infinite. `weights` act through the sums
    alone.

    >>> z([60, 40], [50, 50]).round(6).tolist()
    [2.0, -2.0]
    >>> z([1, 0, 9], [0, 1, 9]).round(3).tolist()
    [inf, -1.054, 0.0]
    """
    o, e, w = _cells(observed, expected, weights, axis)
    n = (w * e).sum(-1, keepdims=True)
    o, e = _over(o, (w * o).sum(-1, keepdims=True)), _over(e, n)
    scores = _over(o - e, np.sqrt(_over(np.maximum(e * (1 - e), 0.0), n)))
    return _per_cell(scores, expected, axis)


@register_metric(better="zero", source="Voas & Williamson 2001; Huang & Williamson 2001", per="cell")
def z_modified(observed, expected, *, weights=None, axis=None):
    """Return the modified Z score of each cell: Zm = (O / N - e) / sqrt(e (1 - e) / N) = (O - E) / sqrt(E (1 - E / N)).

    Both proportions are of the expected total, so a table that is too large does not fit either (Voas & Williamson 2001).
    Where the variance is nought (E = 0, E = N, N = 0) one person takes the place of the standard deviation, so Zm = O - E,
    as Huang & Williamson (2001) do for empty cells: one person where none was published is never an infinite error.

    >>> z_modified([60, 40], [50, 50]).tolist()
    [2.0, -2.0]
    >>> z_modified([1, 0, 9], [0, 1, 9]).round(3).tolist()
    [1.0, -1.054, 0.0]
    """
    o, e, w = _cells(observed, expected, weights, axis)
    variance = e * (1 - _over(e, (w * e).sum(-1, keepdims=True)))
    return _per_cell((o - e) / np.sqrt(np.where(variance > 1e-9, variance, 1.0)), expected, axis)


def _per_cell(values, expected, axis):
    """Give a cellwise result the shape of the table that came in."""
    return values.reshape(np.shape(expected)) if axis is None else np.moveaxis(values, -1, axis)


@register_metric(source="Huang & Williamson 2001")
def rssz(observed, expected, *, weights=None, axis=None):
    """Relative sum of squared Z: RSSZ = sum Zm^2 / chi2(0.95, m) over m cells; above 1 the table does not fit.

    Of modified scores, so that it is finite everywhere. m degrees of freedom, not m - 1: with modified scores the last cell is
    free (Voas & Williamson 2001). Huang & Williamson (2001). No cells: 0.

    >>> round(rssz([60, 40], [50, 50]), 4)  # 8 / 5.9915
    1.3352
    """
    from scipy.special import chdtri

    scores = z_modified(observed, expected, weights=weights, axis=axis)
    squares, _, w = _cells(np.square(scores), np.asarray(expected), weights, axis)
    m = w.sum(-1)
    critical = np.where(m > 0, chdtri(np.where(m > 0, m, 1.0), 0.05), np.inf)
    return _result((w * squares).sum(-1) / critical, axis)


@register_metric(source="Voas & Williamson 2001", unit="cells")
def nonfitting_cells(observed, expected, *, weights=None, axis=None):
    """Non-fitting cells: how many have abs(Zm) > 1.96. About 5 % of the cells of a random sample of the truth would.

    >>> nonfitting_cells([60, 40, 7], [50, 50, 7])
    0.0
    >>> nonfitting_cells([2, 8], [0, 10])  # two people where none was published; 2 too few of 10 of 10
    2.0
    """
    scores = z_modified(observed, expected, weights=weights, axis=axis)
    scores, _, w = _cells(np.abs(scores), np.asarray(expected), weights, axis)
    return _result((w * (scores > CRITICAL_Z)).sum(-1), axis)


@register_metric(source="Voas & Williamson 2001; Huang & Williamson 2001", unit="tables")
def nonfitting_table(observed, expected, *, weights=None, axis=None):
    """Non-fitting table: 1 where RSSZ > 1, else 0; summed over zones it counts non-fitting tables.

    >>> nonfitting_table([60, 40], [50, 50]), nonfitting_table([52, 48], [50, 50])
    (1.0, 0.0)
    """
    relative = rssz(observed, expected, weights=weights, axis=axis)
    return float(relative > 1) if axis is None else (relative > 1).astype(np.float64)


@register_metric(source="Voas & Williamson 2001, as in Raab, Nowok & Dibben 2021")
def vw(observed, expected, *, weights=None, axis=None):
    """Voas-Williamson utility: VW = sum (O - E c / (1 - c))^2 / (c (O + E)), with c = sum O / (sum O + sum E).

    Chi-squared with m - 1 degrees of freedom if the observed table were a sample of the expected one, cells empty in both left
    out (Raab, Nowok & Dibben 2021); 1 / (1 - c) times that if both were samples of one population. Trap: a cloned population
    has far fewer independent people than it has people, so that VW grows with its size; compare populations of one size only.
    Both tables empty: 0; one empty: infinite.

    >>> round(vw([60, 40], [50, 50]), 4)  # c = 1/2: 100 / (110 / 2) + 100 / (90 / 2)
    4.0404
    """
    o, e, w = _cells(observed, expected, weights, axis)
    many, n = (w * o).sum(-1, keepdims=True), (w * e).sum(-1, keepdims=True)
    odds = np.where(n > 0, many / np.where(n > 0, n, 1.0), 0.0)  # c / (1 - c)
    terms = w * _over((o - e * odds) ** 2, _over(many, many + n) * (o + e))
    one_empty = (many[..., 0] == 0) != (n[..., 0] == 0)
    return _result(np.where(one_empty, np.inf, np.where(one_empty[..., None], 0.0, terms).sum(-1)), axis)


@register_metric(source="")
def invented(observed, expected, *, weights=None, axis=None):
    """Invented share: people in cells where nobody was expected, sum over E = 0 of O / N. N = 0: as for `sae`.

    >>> invented([1, 0, 9], [0, 1, 9])
    0.1
    """
    o, e, w = _cells(observed, expected, weights, axis)
    return _result(_over((w * o * (e == 0)).sum(-1), (w * e).sum(-1)), axis)


@register_metric(source="")
def missing(observed, expected, *, weights=None, axis=None):
    """Missing share: people expected in cells where nobody was placed, sum over O = 0 of E / N. N = 0: 0.

    >>> missing([1, 0, 9], [0, 1, 9])
    0.1
    """
    o, e, w = _cells(observed, expected, weights, axis)
    return _result(_over((w * e * (o == 0)).sum(-1), (w * e).sum(-1)), axis)


def effective_number(weights) -> float:
    """Effective number of records: (sum w)^2 / sum w^2 (Kish 1965). How many equal weights would be as precise; nothing: 0.

    >>> effective_number([1, 1, 1, 1]), effective_number([3, 1]), effective_number([])
    (4.0, 1.6, 0.0)
    """
    w = np.asarray(weights, np.float64)
    return float(_over(w.sum() ** 2, (w * w).sum()))
