"""Every variable as a target: attribute disclosure beside what chance and general knowledge would give away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.pair import Pair
from synthpop_gb.validation.disclosure._records import combinations, label_of, labelled
from synthpop_gb.validation.disclosure.attribute import Crossed, attribute, cap, crossed

__all__ = ["Guards", "attribute_table"]

_SHUFFLES = 5
"""Draws of the synthetic target that `DiSCO_shuffled` is the mean of: its spread is that of a mean over all real records."""


@dataclass(frozen=True)
class Guards:
    """What is no disclosure, though the keys give it away: what everybody knows.

    Attributes
    ----------
    one_way : (int, float)
        A level of the target dominates where more than so many real records are disclosed to have it, and more than so many
        per cent of all that are disclosed. Raab, Nowok & Dibben (2024), section 4: 50 and 90.
    two_way : (int, float)
        A level of a key implies one of the target where a disclosure rests on more than so many synthetic records and more than
        so many per cent of the real records with the key's level have that of the target: 4 and 80 (the same).
    not_levels : mapping of str to sequence of str
        By target, levels that it is no disclosure to have ('none', 'does not apply').
    denominator_limit : int or None
        Disclosures that rest on more synthetic records than so many are rules, not persons; None leaves none out.
    """

    one_way: tuple[int, float] = (50, 90.0)
    two_way: tuple[int, float] = (4, 80.0)
    not_levels: Mapping[str, Sequence[str]] | None = None
    denominator_limit: int | None = None


def attribute_table(
    pair: Pair,
    keys: Sequence[str],
    targets: Sequence[str] | None = None,
    *,
    seed: int,
    holdout: pd.DataFrame | None = None,
    groups: int | None = 20,
    key_groups: int | None = None,
    missing: str = "category",
    guards: Guards | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measure what the keys give away of each target.

    Parameters
    ----------
    pair : Pair
        Whose records.
    keys : sequence of str
        What an intruder knows.
    targets : sequence of str, optional
        What he wants to learn; every variable that is no key where absent.
    seed : int
        Fixes the shuffles of the baseline.
    holdout : pandas.DataFrame, optional
        Records of people who were not synthesised from: what is given away of *them* is general knowledge, no leak.
    groups, key_groups : int or None
        Numbers among targets and among keys are cut in about so many groups; None: each number for itself.
    missing : str
        'category' or 'leave out', see `_records.combinations`.
    guards : Guards, optional
        What is no disclosure.

    Returns
    -------
    (pandas.DataFrame, pandas.DataFrame)
        One row a target: target, wanted (whether it is the pair's), levels, the measures of `attribute` and `cap`, and

        - DiSCO_guarded: without dominating levels, implied levels and `not_levels`;
        - DiSCO_shuffled, DiSCO_guarded_shuffled: where the target of the synthetic records is shuffled, so that the keys say
          nothing of it;
        - DiSCO_holdout, DiSCO_guarded_holdout, DCAPd_holdout: of the holdout's records (NaN without one);
        - dominating, implied: how many levels were left out.

        And one row a level left out: target, rule ('1-way', '2-way', 'named'), key, key_level, level, records (disclosed),
        percent (of all disclosed; of the real records with the key's level).
    """
    guards = guards or Guards()
    frames = [pair.real, pair.synthetic] + ([] if holdout is None else [holdout])
    q = combinations(frames, pair, keys, groups=key_groups, missing=missing)
    levels_of_keys = {k: labelled(frames, pair, k, key_groups) for k in keys}
    rows, left_out = [], []
    for number, target in enumerate(t for t in (targets or pair.names) if t not in keys):
        labels, t = labelled(frames, pair, target, groups)
        if missing == "category":
            t = [np.where(c < 0, len(labels), c) for c in t]
        table = crossed(q[0], t[0], q[1], t[1])
        rules = _common_knowledge(table, labels, target, q[0], levels_of_keys, t[0], guards)
        known = _Known(rules, {k: _level_of_q(q, codes) for k, (_, codes) in levels_of_keys.items()}, guards.denominator_limit)
        left_out += _shown(rules, known, table, target, labels, levels_of_keys)
        limit, rng = guards.denominator_limit, np.random.default_rng([seed, number])
        named = _Known([r for r in rules if r.rule == "named"], known.of_q, limit)
        row = {"target": target, "wanted": target == pair.target, "levels": len(labels)}
        row |= attribute(table, left_out=named.mask(table), denominator_limit=limit) | cap(table)
        shuffled = [crossed(q[0], t[0], q[1], rng.permutation(t[1])) for _ in range(_SHUFFLES)]
        row["DiSCO_shuffled"] = float(np.mean([named.told(s) for s in shuffled]))
        row["DiSCO_guarded"] = known.told(table)
        row["DiSCO_guarded_shuffled"] = float(np.mean([known.told(s) for s in shuffled]))
        row |= dict.fromkeys(("DiSCO_holdout", "DiSCO_guarded_holdout", "DCAPd_holdout"), float("nan"))
        if holdout is not None:
            other = crossed(q[2], t[2], q[1], t[1])
            row["DiSCO_holdout"], row["DiSCO_guarded_holdout"] = named.told(other), known.told(other)
            row["DCAPd_holdout"] = cap(other)["DCAPd"]
        row["dominating"] = sum(r.rule == "1-way" for r in rules)
        row["implied"] = sum(r.rule == "2-way" for r in rules)
        rows.append(row)
    columns = ["target", "rule", "key", "key_level", "level", "records", "percent"]
    return pd.DataFrame(rows), pd.DataFrame(left_out, columns=columns)


@dataclass(frozen=True)
class _Rule:
    """A level of the target that is common knowledge: of everybody, or of whoever has a level of a key."""

    rule: str
    code: int
    key: str = ""
    level: int = -2
    percent: float = float("nan")


@dataclass(frozen=True, eq=False)
class _Known:
    """What is common knowledge, as rules; `of_q`: by key, the level of each combination."""

    rules: Sequence[_Rule]
    of_q: Mapping[str, np.ndarray]
    limit: int | None

    def mask(self, table: Crossed, rules: Sequence[_Rule] | None = None) -> np.ndarray:
        """(n_entries,) bool: entries that some rule is about."""
        out = np.zeros(len(table.q), bool)
        for rule in self.rules if rules is None else rules:
            about = table.t == rule.code
            out |= about & (self.of_q[rule.key][table.q] == rule.level) if rule.key else about
        return out

    def told(self, table: Crossed) -> float:
        """DiSCO without what is common knowledge."""
        return attribute(table, left_out=self.mask(table), denominator_limit=self.limit)["DiSCO"]


def _common_knowledge(table, labels, target, real_q, levels_of_keys, real_t, guards: Guards) -> list[_Rule]:
    """Find the levels that are no disclosure."""
    wanted = set((guards.not_levels or {}).get(target, ()))
    rules = [_Rule("named", i) for i, label in enumerate(labels) if label in wanted]
    told = table.certain & ~np.isin(table.t, [r.code for r in rules])
    disclosed = np.where(told, table.d, 0)
    total = int(disclosed.sum())
    if not total:
        return rules
    by_level = np.bincount(table.t, disclosed)
    top = int(by_level.argmax())
    few, percent = guards.one_way
    if by_level[top] > few and 100 * by_level[top] > percent * total:
        rules.append(_Rule("1-way", top, percent=100 * float(by_level[top]) / total))
    return rules + _implied(table, disclosed, real_q, levels_of_keys, real_t, guards.two_way)


def _shown(rules: Sequence[_Rule], known: _Known, table: Crossed, target: str, labels, levels_of_keys) -> list[dict]:
    """Rows that say what was left out."""
    rows = []
    for r in rules:
        records = int(table.d[known.mask(table, [r]) & table.certain].sum())
        level = label_of(labels, r.code if r.code < len(labels) else -1)  # the code of missing targets follows the last label
        key_level = label_of(levels_of_keys[r.key][0], r.level) if r.key else ""
        rows.append({"target": target, "rule": r.rule, "key": r.key, "key_level": key_level, "level": level, "records": records,
                     "percent": r.percent})  # fmt: skip
    return rows


def _level_of_q(q: Sequence[np.ndarray], codes: Sequence[np.ndarray]) -> np.ndarray:
    """Level of one key in each combination of keys."""
    of_q = np.full(max(int(side.max(initial=-1)) for side in q) + 1, -2, np.int64)
    for side, level in zip(q, codes, strict=True):
        of_q[side[side >= 0]] = level[side >= 0]
    return of_q


def _implied(table, disclosed, real_q, levels_of_keys, real_t, limits) -> list[_Rule]:
    """Pairs of a key's level and the target's that go together in the real data; for each disclosure the key that tells most."""
    few, percent = limits
    resting = np.flatnonzero((disclosed > 0) & (table.s > few))
    best = np.full(len(resting), -1.0)
    chosen = [("", -2)] * len(resting)
    width = int(max(real_t.max(initial=0), table.t.max(initial=0))) + 2
    for key, (labels, codes) in levels_of_keys.items():
        joint = np.bincount((codes[0] + 1) * width + real_t + 1, minlength=(len(labels) + 1) * width).reshape(-1, width)
        share = 100 * joint / np.maximum(joint.sum(axis=1, keepdims=True), 1)
        level = _level_of_q([real_q], [codes[0]])[table.q[resting]]  # disclosed, so the real data have the combination
        here = share[level + 1, table.t[resting] + 1]
        for i in np.flatnonzero(here > best):
            chosen[i] = (key, int(level[i]))
        best = np.maximum(best, here)
    found = {
        (key, level, code): share
        for (key, level), code, share in zip(chosen, table.t[resting].tolist(), best.tolist(), strict=True)
        if share > percent
    }
    return [_Rule("2-way", code, key, level, share) for (key, level, code), share in sorted(found.items())]
