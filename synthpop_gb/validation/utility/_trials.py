"""Trials: models trained on real and on synthetic records and tested on the same real ones, which neither has seen."""

from __future__ import annotations

import warnings
from copy import copy
from dataclasses import dataclass

import numpy as np

from synthpop_gb.errors import Finding, finding
from synthpop_gb.validation.utility._sides import Sides, generator, part, patterns

__all__ = ["AGAIN", "DUMMY", "REAL", "SYNTHETIC", "Forest", "Task", "Trial", "task", "trial", "trials", "with_fewer_trees"]

REAL, SYNTHETIC, AGAIN, DUMMY = "real", "synthetic", "real again", "dummy"
"""What a model was trained on: the real training records; synthetic ones; a bootstrap sample of the real ones (how much two
models of the same quality differ); nothing: always the most frequent value or the mean."""


@dataclass(frozen=True)
class Forest:
    """Options of the random forests: trees, fewest records in a leaf, share of real records to train on, most of them."""

    trees: int = 100
    smallest: int = 5
    train: float = 0.7
    most_records: int = 50_000


@dataclass(frozen=True, eq=False)
class Task:
    """What is predicted from what.

    Attributes
    ----------
    both : Sides
        The records.
    target : str
        Predicted variable.
    classes : tuple of str
        Values of a category that real records have; empty for a number.
    variables : tuple of str
        Predictors.
    rows : (numpy.ndarray, numpy.ndarray)
        Rows of each side with a target and some weight.
    x, y : (numpy.ndarray, numpy.ndarray)
        (n, p) float64 predictors of those rows, numbers as ranks among both sides' values, for trees ask no more; and (n,) their
        outcomes: positions in `classes`, or numbers in `unit` from the real mean.
    unit : float
        Standard deviation of the real outcomes; 1 of a category.
    """

    both: Sides
    target: str
    classes: tuple[str, ...]
    variables: tuple[str, ...]
    rows: tuple[np.ndarray, np.ndarray]
    x: tuple[np.ndarray, np.ndarray]
    y: tuple[np.ndarray, np.ndarray]
    unit: float = 1.0


@dataclass(frozen=True, eq=False)
class Trial:
    """One split of the real records, and the models of it.

    Attributes
    ----------
    task : Task
        What is predicted.
    split : int
        Number of the split, from 0.
    test : numpy.ndarray
        Positions of the test records in the real side of the task.
    weight : numpy.ndarray
        (n_test,) their weights.
    models : dict of str to object
        By what they were trained on; only fitted ones.
    scores : dict of str to numpy.ndarray
        Of categories (n_test, n_classes) probabilities, of numbers (n_test,) predictions; with the dummy.
    trained : dict of str to int
        Records that each was trained on.
    """

    task: Task
    split: int
    test: np.ndarray
    weight: np.ndarray
    models: dict
    scores: dict
    trained: dict

    @property
    def actual(self) -> np.ndarray:
        """(n_test,) outcomes of the test records."""
        return self.task.y[0][self.test]

    def predicted(self, model: str) -> np.ndarray:
        """(n_test,) predicted outcomes."""
        score = self.scores[model]
        return score.argmax(axis=1) if self.task.classes else score


def task(both: Sides, target: str | None, findings: list[Finding], *, most_categories: int = 200) -> Task | None:
    """Prepare a task, or say why there is none. Missing numbers are set to the real median, missing categories are a value."""

    def none(why: str, level: str = "warning") -> None:
        findings.append(finding("utility-not-computed", f"No model was trained: {why}.", place=target or "", level=level))

    target = both.pair.target if target is None else target
    if not both.usable:
        return None
    if target is None:
        return none("no target is named", "note")
    kind = both.pair.variable(target).kind
    frames = (both.pair.real, both.pair.synthetic)
    rows = tuple(
        np.flatnonzero(f[target].notna().to_numpy() & (w > 0))
        for f, w in zip(frames, (both.real_weight, both.synthetic_weight), strict=True)
    )
    if len(rows[0]) < 10 or not len(rows[1]):
        return none(f"{len(rows[0]):,} real and {len(rows[1]):,} synthetic records have a value of {target}; 10 and 1 are needed")
    outcomes = [f[target].iloc[r] for f, r in zip(frames, rows, strict=True)]
    classes, unit = (), 1.0
    if kind == "category":
        codes = [o.cat.codes.to_numpy().astype(np.int64) for o in outcomes]
        known = np.unique(codes[0])
        if len(known) > most_categories:
            return none(f"{target} has {len(known):,} values, more than {most_categories}")
        place = np.full(len(outcomes[0].cat.categories), -1)
        place[known] = np.arange(len(known))
        classes = tuple(str(outcomes[0].cat.categories[k]) for k in known)
        strange = place[codes[1]] < 0  # nobody real has the value, so a model of it can only be wrong: it is told, not learnt
        if strange.any():
            message = (
                f"{strange.sum():,} synthetic records have a value of {target} that no real one has; no model learns from them."
            )
            findings.append(finding("utility-partial", message, place=target, count=int(strange.sum())))
            rows = (rows[0], rows[1][~strange])
        y = (place[codes[0]], place[codes[1]][~strange])
    else:
        y, unit = _standard(*(o.to_numpy(np.float64) for o in outcomes))
    if not len(rows[1]):
        return none(f"no synthetic record has a value of {target} that a real one has")
    if (y[0] == y[0][0]).all():
        return none(f"all real records have the same {target}")
    variables, columns = [], []
    for v in both.pair.variables:
        real = both.pair.real[v.name]
        if v.name == target or real.isna().all() or (v.kind == "category" and len(real.cat.categories) > most_categories):
            continue
        variables.append(v.name)
        columns.append([c[r] for c, r in zip(_columns(both, v.name, v.kind), rows, strict=True)])
    if not variables:
        return none("there is no predictor")
    x = tuple(np.stack([c[k] for c in columns], axis=1) for k in range(2))
    return Task(both, target, classes, tuple(variables), rows, x, y, unit)


def _columns(both: Sides, name: str, kind: str) -> list[np.ndarray]:
    """Both sides' predictor as (n,) float64: codes, or ranks among the values of both sides."""
    sides = [f[name] for f in (both.pair.real, both.pair.synthetic)]
    if kind == "category":
        codes = [c.cat.codes.to_numpy().astype(np.float64) for c in sides]
        return [np.where(c < 0, len(sides[0].cat.categories), c) for c in codes]
    middle = float(sides[0].median())
    values = [c.to_numpy(np.float64) for c in sides]
    _, rank = np.unique(np.concatenate([np.where(np.isnan(v), middle, v) for v in values]), return_inverse=True)
    return [rank[: len(values[0])].astype(np.float64), rank[len(values[0]) :].astype(np.float64)]


def _standard(real: np.ndarray, synthetic: np.ndarray) -> tuple[tuple[np.ndarray, np.ndarray], float]:
    """Both sides' outcomes in real standard deviations from the real mean, at most a million of them, and that deviation."""
    size = float(np.abs(real).max()) or 1.0
    scaled = real / size
    mean, sd = float(scaled.mean()), float(scaled.std()) or 1.0
    return tuple(np.clip((v / size - mean) / sd, -1e6, 1e6) for v in (real, synthetic)), sd * size


def trials(made: Task, seed: int, splits: int, forest: Forest, findings: list[Finding]) -> list[Trial]:
    """Run a task over some splits; what flatters the synthetic records is said once."""
    if not len(_split(made, generator(seed, "split 0"), forest)[1]):  # each value is met once, or all are trained on
        message = f"No model was trained: no real record is left to test on, of {len(made.y[0]):,} with a value of {made.target}."
        findings.append(finding("utility-not-computed", message, place=made.target, level="warning"))
        return []
    out = [trial(made, seed, k, forest) for k in range(splits)]
    used = out[0].trained
    if used[SYNTHETIC] == 0:
        message = "No model was trained on synthetic records: all are copies of real records that models are tested on."
        findings.append(finding("utility-not-computed", message))
    if made.both.donor is None:
        _say_copies(made, out[0], findings)
    if len(made.y[0]) * forest.train > forest.most_records:
        message = f"Models learnt from a random {forest.most_records:,} records of each side."
        findings.append(finding("utility-partial", message, count=int(len(made.y[0]) * forest.train) - forest.most_records))
    return out


def _say_copies(made: Task, first: Trial, findings: list[Finding]) -> None:
    """Note that synthetic records repeat the very records that models are tested on: their score flatters."""
    pattern = patterns(made.both.pair)
    real, synthetic = pattern[made.rows[0]], pattern[len(made.both.pair.real) :]
    test = np.zeros(len(real), bool)
    test[first.test] = True
    shares = [float(np.isin(real[test], other).mean()) for other in (synthetic, real[~test])]
    if shares[0] > shares[1] + 0.1:
        message = (
            f"{100 * shares[0]:.0f} % of the real records that models are tested on are repeated among the synthetic ones "
            f"({100 * shares[1]:.0f} % among the real ones trained on): training on synthetic records looks better than it is."
        )
        findings.append(finding("test-records-seen", message, count=round(100 * shares[0])))


def trial(made: Task, seed: int, split: int, forest: Forest) -> Trial:
    """Split the real records, train on the one part, on synthetic records and on the one part again, and predict the other.

    Synthetic training records are as many as the real ones where there are so many. Of a population of copies, those of test
    records are left out.
    """
    rng = generator(seed, f"split {split}")
    train, test = _split(made, rng, forest)
    pool = np.arange(len(made.y[1]))
    if made.both.donor is not None:
        tested = np.isin(made.both.donor[made.rows[1]], made.rows[0][test])
        pool = pool[~tested]
    if len(pool) > len(train):
        pool = np.sort(rng.choice(pool, len(train), replace=False))
    again = rng.choice(train, len(train))
    weights = [w[r] for w, r in zip((made.both.real_weight, made.both.synthetic_weight), made.rows, strict=True)]
    out = Trial(
        made, split, test, weights[0][test], {}, {}, {REAL: len(train), SYNTHETIC: len(pool), AGAIN: len(train), DUMMY: 0}
    )
    for name, side, rows in ((REAL, 0, train), (SYNTHETIC, 1, pool), (AGAIN, 0, again)):
        own = int(rng.integers(2**31))
        if len(rows):
            out.models[name] = _forest(made, forest, own, side, rows, weights[side])
            out.scores[name] = _score(made, out.models[name], made.x[0][test])
    out.scores[DUMMY] = _dummy(made, train, weights[0][train], len(test))
    return out


def _split(made: Task, rng: np.random.Generator, forest: Forest) -> tuple[np.ndarray, np.ndarray]:
    """Positions to train on and to test on; of a category the same share of every class, one record at least to train on."""
    y = made.y[0]
    groups = [np.flatnonzero(y == k) for k in range(len(made.classes))] if made.classes else [np.arange(len(y))]
    train = []
    for rows in groups:
        rows = rng.permutation(rows)
        train.append(rows[: max(round(forest.train * len(rows)), 1)])
    train = np.sort(np.concatenate(train))
    test = np.setdiff1d(np.arange(len(y)), train)
    if len(train) > forest.most_records:
        train = np.sort(rng.choice(train, forest.most_records, replace=False))
    return train, test


def _forest(made: Task, forest: Forest, seed: int, side: int, rows: np.ndarray, weight: np.ndarray):
    """Train one random forest."""
    name = "RandomForestClassifier" if made.classes else "RandomForestRegressor"
    (model,) = part("sklearn.ensemble", name)
    made_of = model(forest.trees, min_samples_leaf=forest.smallest, max_features="sqrt", random_state=seed, n_jobs=1)
    w = weight[rows] / weight[rows].mean()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # more classes than records deserve
        return made_of.fit(made.x[side][rows].astype(np.float32), made.y[side][rows], sample_weight=w)


def _score(made: Task, model, x: np.ndarray) -> np.ndarray:
    """Probabilities of all classes, 0 of those the model never saw; or predicted numbers."""
    if not made.classes:
        return model.predict(x.astype(np.float32))
    out = np.zeros((len(x), len(made.classes)))
    out[:, model.classes_] = model.predict_proba(x.astype(np.float32))
    return out


def _dummy(made: Task, train: np.ndarray, weight: np.ndarray, n: int) -> np.ndarray:
    y = made.y[0][train]
    if not made.classes:
        return np.full(n, float((weight * y).sum() / weight.sum()))
    share = np.bincount(y, weight, minlength=len(made.classes))
    return np.tile(share / share.sum(), (n, 1))


def with_fewer_trees(model, most: int):
    """Return a forest of the first trees of another: their mean stands for the whole forest's."""
    out = copy(model)
    out.estimators_ = model.estimators_[:most]
    out.n_estimators = len(out.estimators_)
    return out
