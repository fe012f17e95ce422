"""From means with their errors to figures in the unit of the question: estimate, interval, its parts, who stands behind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.assessment.estimates import Means
from synthpop_gb.assessment.intervals import ModelError
from synthpop_gb.indicators import FEW_DONORS, classify
from synthpop_gb.indicators.group_sums import classes_of
from synthpop_gb.indicators.question import Answers, Asked
from synthpop_gb.indicators.sums import Behind

__all__ = ["Kind", "figures", "labels_by_row", "model_errors", "of_few", "with_donors"]


@dataclass(frozen=True)
class Kind:
    """What kind of number a measure is.

    adds : a sum over people, so a mean over everybody times the people; share : a share of people, judged by the smaller part;
    least, most : limits of the mean, None = none.
    """

    adds: bool = False
    share: bool = False
    least: float | None = None
    most: float | None = None


def model_errors(model: ModelError, means: Means, asked: Asked | Answers, resembles: str | None = None) -> np.ndarray:
    """Find the standard deviation of the model error, (n_areas, n_variables).

    An area of several classes of place, in which a variable is described differently, takes their mean by zones.
    """
    n_classes = classes_of(asked)
    if n_classes == 1:
        return np.stack([model.deviation(f, means.scale[:, v], resembles) for v, (f,) in enumerate(means.features)], axis=1)
    share = np.zeros((len(asked.areas), n_classes))
    known = asked.area >= 0
    np.add.at(share, (asked.area[known], asked.of_zone[known]), 1.0)
    share /= np.maximum(share.sum(axis=1, keepdims=True), 1.0)
    out, memory = np.empty(means.scale.shape), {}
    for v, features in enumerate(means.features):
        for f in features:
            if id(f) not in memory:
                memory[id(f)] = model.deviation(f, np.ones(len(share)), resembles)
        factor = np.stack([memory[id(f)] for f in features], axis=1)
        out[:, v] = (share * factor).sum(axis=1) * means.scale[:, v]
    return out


def of_few(means: Means, behind: Behind, kind: Kind) -> np.ndarray:
    """Variance of a mean of very few records, by the survey's: one record shows none, and its figure would look certain."""
    if kind.adds:  # a mean over everybody
        return np.zeros(means.estimate.shape)
    overall = np.array([f[0].variance for f in means.features])
    return np.where(behind.donors < FEW_DONORS, overall / np.fmax(behind.n_eff, 1.0), 0.0)


def figures(
    means: Means, spread: np.ndarray, error: np.ndarray, deviation: np.ndarray, z: float, kind: Kind, ends=None
) -> dict[str, np.ndarray]:
    """Columns of figures in the unit of the question, each (n_areas, n_groups).

    spread, error, deviation : (n_areas, n_groups) between replicates, of the model, of everything; z : half-width of an interval
    in standard deviations. ends : for a quantile, from the share at which it lies +- the half-width to its value, lower and upper
    (Woodruff 1952).
    """
    factor = means.people if kind.adds else np.ones(means.people.shape)
    parts = means.estimate, z * deviation, spread, error, np.sqrt(means.finite)
    with np.errstate(invalid="ignore"):  # nobody, times an error without bounds
        estimate, half, spread, error, finite = (x * factor for x in parts)
    if kind.adds:  # of nobody there are none, for certain
        nobody = factor == 0
        estimate, half, spread, error, finite = (np.where(nobody, 0.0, x) for x in (estimate, half, spread, error, finite))
    unit = np.ones(factor.shape)
    lower, upper = estimate - half, estimate + half
    if ends is not None:
        estimate, lower, upper = ends
        with np.errstate(invalid="ignore", divide="ignore"):
            unit = np.where(deviation > 0, (upper - lower) / (2 * z * deviation), 0.0)  # value a share
    else:  # linear calibration may have left fewer than nobody
        low = -np.inf if kind.least is None else kind.least * factor
        most = np.full(factor.shape, np.inf) if kind.most is None else kind.most * factor
        estimate, lower, upper = (np.clip(x, low, most) for x in (estimate, lower, upper))
    return {
        "estimate": estimate, "standard_error": half / z * unit, "lower": lower, "upper": upper, "people": means.asked,
        "replicate_error": spread * unit, "finite_error": finite * unit, "model_error": error * unit,
    }  # fmt: skip


def with_donors(columns: dict[str, np.ndarray], counted: np.ndarray, behind: Behind, kind: Kind) -> dict[str, np.ndarray]:
    """Add the figure counted among the whole people, who stands behind each, and the class of reliability; in their order."""
    names = list(columns)
    place = names.index("people")
    out = {n: columns[n].ravel() for n in names[:place]} | {"counted": counted.ravel()}
    out |= {n: columns[n].ravel() for n in names[place:]}
    out |= {"n_eff": behind.n_eff.ravel(), "donors": behind.donors.ravel(), "largest_donor": behind.largest.ravel()}
    out["reliability"] = classify(out["estimate"], out["standard_error"], out["donors"], share=kind.share)
    return out


def labels_by_row(asked: Asked | Answers) -> dict[str, np.ndarray]:
    """Columns that say whose figure a row is: area, and category of each variable that makes groups; areas by groups."""
    n_areas, n_groups = len(asked.areas), len(asked.groups)
    labels = {str(asked.areas.name): np.repeat(asked.areas.to_numpy(), n_groups)}
    if isinstance(asked.groups, pd.MultiIndex):
        for name in asked.groups.names:
            labels[name] = np.tile(asked.groups.get_level_values(name).to_numpy(), n_areas)
    return labels
