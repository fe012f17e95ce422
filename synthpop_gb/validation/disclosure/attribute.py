"""Attribute disclosure: what the keys give away of a target, with certainty (DiSCO) and on average (CAP), beside baselines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthpop_gb.validation.disclosure.rates import percent_of

__all__ = ["Crossed", "attribute", "cap", "crossed"]


@dataclass(frozen=True, eq=False)
class Crossed:
    """Combinations of keys by target, counted on both sides: one entry a pair (q, t) that occurs.

    Attributes
    ----------
    q, t : (n_entries,) int64
        Combination of keys and level of the target.
    d, s : (n_entries,) int64
        Real and synthetic records of (q, t).
    d_q, s_q : (n_entries,) int64
        Real and synthetic records of q.
    n_d, n_s : int
        Real and synthetic records, those without a combination included.
    """

    q: np.ndarray
    t: np.ndarray
    d: np.ndarray
    s: np.ndarray
    d_q: np.ndarray
    s_q: np.ndarray
    n_d: int
    n_s: int

    @property
    def certain(self) -> np.ndarray:
        """(n_entries,) bool: ps = 1, all synthetic records with the keys have this level."""
        return (self.s > 0) & (self.s == self.s_q)

    @property
    def certain_in_real(self) -> np.ndarray:
        """(n_entries,) bool: pd = 1, all real records with the keys have this level."""
        return (self.d > 0) & (self.d == self.d_q)

    @property
    def share(self) -> np.ndarray:
        """(n_entries,) float64: ps = s / s_q, 0 where the keys do not occur."""
        return self.s / np.maximum(self.s_q, 1)


def crossed(real_q: np.ndarray, real_t: np.ndarray, synthetic_q: np.ndarray, synthetic_t: np.ndarray) -> Crossed:
    """Cross combinations of keys with a target on both sides.

    Parameters
    ----------
    real_q, synthetic_q : numpy.ndarray
        (n,) int64 combination of keys; -1 = left out.
    real_t, synthetic_t : numpy.ndarray
        (n,) int64 level of the target; -1 = left out.
    """
    levels = int(max(real_t.max(initial=0), synthetic_t.max(initial=0))) + 1
    sides = []
    for q, t in ((real_q, real_t), (synthetic_q, synthetic_t)):
        used = (q >= 0) & (t >= 0)
        sides.append(q[used] * levels + t[used])
    entry, number = np.unique(np.concatenate(sides), return_inverse=True)
    number = number.ravel()
    d = np.bincount(number[: len(sides[0])], minlength=len(entry))
    s = np.bincount(number[len(sides[0]) :], minlength=len(entry))
    q, t = entry // levels, entry % levels
    size = int(q.max(initial=-1)) + 1
    d_q, s_q = (np.bincount(q, n, minlength=size).astype(np.int64)[q] for n in (d, s))
    return Crossed(q, t, d.astype(np.int64), s.astype(np.int64), d_q, s_q, len(real_q), len(synthetic_q))


def attribute(table: Crossed, *, left_out: np.ndarray | None = None, denominator_limit: int | None = None) -> dict[str, float]:
    """Per cent of records whose target the keys give away with certainty.

    With d and s the records of (q, t), d_q and s_q those of q, pd = d / d_q and ps = s / s_q:

    - Dorig = 100 sum of d with pd = 1 / N_d, Dsyn = 100 sum of s with ps = 1 / N_s: disclosive in the data themselves;
    - iS = 100 sum of d_q with s_q > 0 / N_d: the keys are there in the synthetic data;
    - DiS = 100 sum of d_q with some ps = 1 / N_d: and all synthetic records with them agree;
    - DiSCO = 100 sum of d with ps = 1 / N_d: and are right (disclosive in synthetic, correct in original);
    - DiSDiO = 100 sum of d with ps = 1 and pd = 1 / N_d: and the original would have given it away as well.

    So iS >= DiS >= DiSCO >= DiSDiO. Raab, Nowok & Dibben (2024), arXiv:2406.16826, section 3.3 and appendix.

    Parameters
    ----------
    table : Crossed
        See `crossed`.
    left_out : numpy.ndarray, optional
        (n_entries,) bool: entries that are no disclosure, e.g. a level that nearly everybody has. The intruder sees them all the
        same, so shares are of all records; only what is called disclosed leaves them out.
    denominator_limit : int, optional
        Leave out entries that more records of the data looked at have: many that agree are a rule, not a person.

    Returns
    -------
    dict
        Per cent by name, and max_denom and mean_denom: synthetic records behind a disclosure, over the real records disclosed.

    >>> table = crossed(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0]), np.array([0, 0, 1, 3]), np.array([0, 0, 1, 1]))
    >>> found = attribute(table)
    >>> [found[name] for name in ("Dorig", "Dsyn", "iS", "DiS", "DiSCO", "DiSDiO")]
    [50.0, 100.0, 75.0, 75.0, 50.0, 25.0]
    """
    counts = np.ones(len(table.q), bool) if left_out is None else ~left_out
    sure, sure_in_real = table.certain, table.certain_in_real
    told, told_in_real = sure & counts, sure_in_real & counts
    if denominator_limit is not None:
        told, told_in_real = told & (table.s <= denominator_limit), told_in_real & (table.d <= denominator_limit)
    denominators = np.where(told, table.d, 0)
    disclosed = int(denominators.sum())
    return {
        "Dorig": percent_of(table.d[told_in_real].sum(), table.n_d),
        "Dsyn": percent_of(table.s[told].sum(), table.n_s),
        "iS": percent_of(table.d[table.s_q > 0].sum(), table.n_d),
        "DiS": percent_of(table.d_q[told].sum(), table.n_d),
        "DiSCO": percent_of(disclosed, table.n_d),
        "DiSDiO": percent_of(table.d[told & sure_in_real].sum(), table.n_d),
        "max_denom": float(table.s[denominators > 0].max(initial=0)) if disclosed else float("nan"),
        "mean_denom": float((table.s * denominators).sum()) / disclosed if disclosed else float("nan"),
    }


def cap(table: Crossed) -> dict[str, float]:
    """Per cent of correct attributions by a guess in proportion to what the keys show (correct attribution probability).

    With p the share of a level among all real records with a target, N_b the *synthetic* records whose keys occur in the real
    data and N_db the real records whose keys occur in the synthetic data:

    - baseCAPd = 100 sum of p^2: guessing by the margin of the target alone; what the others have to be held against;
    - CAPd = 100 sum of pd d / N_d and CAPs = 100 sum of ps s / N_s: the data looked up in themselves;
    - DCAP = 100 sum of ps d / N_db: over real records whose keys are found (Taub et al. 2018, undefined left out);
      DCAPd = the same / N_d, DCAPs / N_s, DCAPb / N_b;
    - TCAP = 100 sum of d with ps = 1 / sum of d_q with some ps = 1: how often certainty is right (Little et al. 2022);
      TCAPs / N_s, TCAPb / N_b.

    The versions that divide real records by synthetic ones (DCAPs, DCAPb, TCAPs, TCAPb) are as published; where there are
    fewer synthetic than real records they are too high and can pass 100. Raab, Nowok & Dibben recommend DCAPd beside DiSCO.

    Elliot (2014), SYLLS report; Taub, Elliot, Pampaka & Smith (2018), PSD; Raab, Nowok & Dibben (2024), appendix.

    >>> table = crossed(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0]), np.array([0, 0, 1, 3]), np.array([0, 0, 1, 1]))
    >>> found = cap(table)
    >>> [round(found[name], 1) for name in ("baseCAPd", "CAPd", "CAPs", "DCAP", "DCAPd", "TCAP")]
    [50.0, 75.0, 100.0, 66.7, 50.0, 66.7]
    """
    d, s, n_d, n_s = table.d, table.s, table.n_d, table.n_s
    of_level = np.bincount(table.t, d)
    asked = d.sum()
    right = float((table.share * d).sum())
    sure = float(d[table.certain].sum())
    matched = int(d[table.s_q > 0].sum())
    both = int(s[table.d_q > 0].sum())
    return {
        "baseCAPd": percent_of((of_level.astype(float) ** 2).sum() / max(int(asked), 1), int(asked)),
        "CAPd": percent_of((d.astype(float) ** 2 / np.maximum(table.d_q, 1)).sum(), n_d),
        "CAPs": percent_of((s * table.share).sum(), n_s),
        "DCAP": percent_of(right, matched),
        "DCAPd": percent_of(right, n_d),
        "DCAPs": percent_of(right, n_s),
        "DCAPb": percent_of(right, both),
        "TCAP": percent_of(sure, int(table.d_q[table.certain].sum())),
        "TCAPs": percent_of(sure, n_s),
        "TCAPb": percent_of(sure, both),
    }
