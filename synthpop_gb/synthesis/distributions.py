"""Distribution-based data: each variable from its best-fitting distribution, without (level 1) or with (level 2) correlation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.synthesis._columns import Column, columns_of, number_wanted, stream
from synthpop_gb.synthesis.copula import hermite, latent_correlation, nearest_correlation
from synthpop_gb.synthesis.marginals import FAMILIES, FEW, Marginal, fit_marginal

__all__ = ["CORRELATIONS", "Distributions", "draw_within", "fit_distributions"]

CORRELATIONS = ("spearman", "pearson", "normal-scores")
"""What level 2 keeps: Spearman's or Pearson's correlation of the data, or that of their normal scores taken as it is."""


@dataclass(frozen=True, eq=False)
class Distributions:
    """What was learnt of the records: one distribution a variable, and the correlations of their latent normals.

    Attributes
    ----------
    fitted : tuple of Marginal
        One a variable, in the frame's order.
    correlation : str
        One of `CORRELATIONS`.
    wanted : pandas.DataFrame
        (k, k) that correlation of the real records, over pairs of known values; NaN for a constant.
    latent : pandas.DataFrame
        (k, k) correlation matrix of the latent standard normals that level 2 draws.
    n_real : int
        Number of records learnt from.
    """

    fitted: tuple[Marginal, ...]
    correlation: str
    wanted: pd.DataFrame
    latent: pd.DataFrame
    n_real: int
    _columns: tuple[Column, ...]

    @property
    def marginals(self) -> pd.DataFrame:
        """One row a variable: which distribution, how well it fits.

        Columns variable, distribution, parameters (text), nought, missing (shares), aic, ks, second, second_aic;
        `second` is the runner-up among the families, where there was one.
        """
        rows = [
            {
                "variable": m.name, "distribution": m.distribution, "parameters": ", ".join(f"{p:.6g}" for p in m.parameters),
                "nought": m.nought, "missing": m.missing, "aic": m.aic, "ks": m.ks,
                "second": m.tried[1][0] if len(m.tried) > 1 else "",
                "second_aic": m.tried[1][1] if len(m.tried) > 1 else np.nan,
            }
            for m in self.fitted
        ]  # fmt: skip
        return pd.DataFrame(rows)

    @property
    def tried(self) -> pd.DataFrame:
        """One row a variable and family that was fitted: variable, distribution, aic, ks; best first within a variable."""
        rows = [(m.name, *t) for m in self.fitted for t in m.tried]
        return pd.DataFrame(rows, columns=["variable", "distribution", "aic", "ks"])

    def draw(self, n: int | None = None, *, seed: int, correlated: bool = True) -> pd.DataFrame:
        """Draw synthetic records.

        A latent standard normal a variable, correlated as `latent` (level 2) or not at all (level 1); its probability is put into
        the variable's quantile function. Whole numbers are rounded. Values are missing with the variable's own share,
        independently of everything.

        Parameters
        ----------
        n : int, optional
            How many records; as many as were learnt from where absent.
        seed : int
            Same seed, same records; at level 1 a variable's draws do not depend on which others there are.
        correlated : bool
            Level 2 (True) or level 1.

        Returns
        -------
        pandas.DataFrame
            Columns and types as learnt from.
        """
        from scipy.special import ndtr

        wanted = self.n_real if n is None else number_wanted(n, self.wanted)
        z = np.stack([stream(seed, "latent", m.name).standard_normal(wanted) for m in self.fitted], axis=1)
        if correlated:
            z = z @ np.linalg.cholesky(self.latent.to_numpy()).T
        made = {}
        for at, (marginal, column) in enumerate(zip(self.fitted, self._columns, strict=True)):
            values = marginal.quantile(np.clip(ndtr(z[:, at]), 1e-15, 1 - 1e-15))
            gone = stream(seed, "missing", marginal.name).random(wanted) < marginal.missing
            made[marginal.name] = column.series(np.where(gone, np.nan, values))
        return pd.DataFrame(made)


def fit_distributions(
    real: pd.DataFrame, *, families: Iterable[str] = FAMILIES, few: int = FEW, correlation: str = "spearman"
) -> Distributions:
    """Learn the best-fitting distribution of each variable and the correlations between them.

    Distributions by maximum likelihood, the family of least AIC; categories and numbers of few values by their frequencies
    (`fit_marginal`). Correlations by a Gaussian copula: for 'spearman' and 'pearson' the latent correlation of each pair is
    solved so that the two *fitted* distributions have the real data's correlation (NORTA: Cario & Nelson 1997), for
    'normal-scores' it is Pearson's correlation of the normal scores of ranks (van der Waerden), which understates it where
    values are tied. The matrix of pairs is then replaced by the nearest correlation matrix (Higham 2002).

    Categories enter by position: exact for two; of more, only the trend along their order is kept.

    Parameters
    ----------
    real : pandas.DataFrame
        Numbers, text, truth values, Categoricals; missing values as NaN.
    families : iterable of str
        Families to try, of `FAMILIES`.
    few : int
        Numbers with at most so many distinct values keep their frequencies.
    correlation : str
        One of `CORRELATIONS`.

    Returns
    -------
    Distributions
        Draw from it with `Distributions.draw`.

    Raises
    ------
    InputError
        'no-records', 'study-value'.
    ValueError
        For an unknown family or correlation.

    >>> frame = pd.DataFrame({"age": np.arange(1.0, 41.0), "ill": ["no"] * 20 + ["yes"] * 20})
    >>> learnt = fit_distributions(frame)
    >>> learnt.marginals["distribution"].tolist()
    ['uniform', 'frequencies']
    >>> made = learnt.draw(4000, seed=1)
    >>> bool(made["age"].between(1, 40).all()), round(float((made["ill"] == "yes").mean()), 1)
    (True, 0.5)
    """
    if correlation not in CORRELATIONS:
        raise ValueError(f"there is no correlation {correlation!r}; there are {', '.join(CORRELATIONS)}")
    columns = columns_of(real)
    fitted = tuple(fit_marginal(c, families, few) for c in columns)
    numbers = pd.DataFrame({c.name: c.values for c in columns})
    if correlation == "pearson":
        wanted = _correlation(numbers)
        latent = latent_correlation(wanted.to_numpy(), [hermite(m.quantile) for m in fitted])
    elif correlation == "spearman":
        wanted = _correlation(numbers, ranks=True)
        latent = latent_correlation(wanted.to_numpy(), [hermite(m.grade) for m in fitted])
    else:
        wanted = _correlation(numbers.apply(_normal_scores))
        pairs = wanted.fillna(0.0).to_numpy(copy=True)
        np.fill_diagonal(pairs, 1.0)
        latent = nearest_correlation(pairs)
    return Distributions(fitted, correlation, wanted, pd.DataFrame(latent, wanted.index, wanted.columns), len(real), columns)


def draw_within(
    real: pd.DataFrame, by: object, *, seed: int, n: int | None = None, correlated: bool = True, **options
) -> pd.DataFrame:
    """Draw synthetic records of each group from distributions of its own, as where an outcome is to stay predictable.

    Groups are the values of one variable (missing is one), drawn by their frequencies; within each, the other variables
    follow its own distributions, with (level 2) or without (level 1) correlation. At level 1, variables are then independent
    *given* the group, and whatever differs between groups still correlates over all.

    Parameters
    ----------
    real : pandas.DataFrame
        As for `fit_distributions`.
    by : hashable
        Column whose values are the groups.
    seed, n, correlated
        As for `Distributions.draw`.
    **options
        As for `fit_distributions`.

    Returns
    -------
    pandas.DataFrame
        Columns and types of `real`.

    Raises
    ------
    KeyError
        Where there is no column `by`.
    InputError, ValueError
        As for `fit_distributions`.

    >>> frame = pd.DataFrame({"ill": ["no"] * 40 + ["yes"] * 40, "age": [*np.linspace(20, 40, 40), *np.linspace(60, 80, 40)]})
    >>> made = draw_within(frame, "ill", seed=1)
    >>> bool((made.loc[made["ill"] == "no", "age"] < 50).all()), bool((made.loc[made["ill"] == "yes", "age"] > 50).all())
    (True, True)
    """
    columns = columns_of(real)
    if by not in real.columns:
        raise KeyError(f"there is no column {by!r}")
    wanted = number_wanted(n, real)
    (group,) = (c for c in columns if c.name == by)
    drawn = group.values[stream(seed, "group", by).integers(len(real), size=wanted)]
    rest, parts = real.drop(columns=by), []
    if not len(rest.columns):
        return pd.DataFrame({by: group.series(drawn)})
    for value in np.unique(drawn):
        members, places = (np.flatnonzero(np.isnan(v) if np.isnan(value) else v == value) for v in (group.values, drawn))
        own = int(stream(seed, "group", by, value).integers(2**62))
        made = fit_distributions(rest.iloc[members], **options).draw(len(places), seed=own, correlated=correlated)
        parts.append(pd.concat([made, group.series(drawn[places])], axis=1).set_axis(places)[list(real.columns)])
    return pd.concat(parts).sort_index() if parts else real.iloc[:0].reset_index(drop=True)


def _correlation(numbers: pd.DataFrame, *, ranks: bool = False) -> pd.DataFrame:
    """Correlations over pairs of known values; NaN where one of the two is constant or fewer than two pairs are known."""
    with np.errstate(all="ignore"):
        return numbers.corr(method="spearman" if ranks else "pearson", min_periods=2)


def _normal_scores(column: pd.Series) -> pd.Series:
    """Return the normal quantile of (rank - 1/2) / n, ranks of ties averaged; missing stays missing."""
    from scipy.special import ndtri

    return pd.Series(ndtri((column.rank() - 0.5) / max(int(column.notna().sum()), 1)), index=column.index)
