"""One step of a population scenario as arrays: whose members count where, what each zone is to hold, who may come for whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from synthpop_gb.aligned import Aligned
from synthpop_gb.errors import InputError, finding
from synthpop_gb.indicators import parse_condition
from synthpop_gb.indicators.question import labels_of
from synthpop_gb.population import DonorCounts, Population, id_order
from synthpop_gb.problem import Problem
from synthpop_gb.simulation.steps import Amplify, Balance, Raise, Step

__all__ = ["Plan", "plan_of"]


@dataclass(frozen=True, eq=False)
class Plan:
    """A step made ready for a problem's units.

    value : (n_units, n_categories) int64 members of each unit in each category; kind_of : (n_levels, n_units) int32, see
    `kernels.exchange`, -1 = never exchanged; own : whether those who come are first sought in the zone; zones : (n_zones,) bool,
    where; goal : from members by zone (n_zones, n_categories) and a uniform draw a zone to the members wanted; names : of the
    categories.
    """

    value: np.ndarray
    kind_of: np.ndarray
    own: bool
    zones: np.ndarray
    goal: Callable[[np.ndarray, np.ndarray], np.ndarray]
    names: tuple[str, ...]

    def members(self, units: DonorCounts) -> np.ndarray:
        """(n_zones, n_categories) int64: members of the units that are there, by zone and category."""
        zone = np.repeat(np.arange(len(units.zones)), np.diff(units.indptr))
        out = np.zeros((len(units.zones), self.value.shape[1]), np.int64)
        np.add.at(out, zone, units.n[:, None] * self.value[units.record])
        return out

    def exchanged(self, one: Population, units: DonorCounts, seed: int, step: int):
        """Exchange the units of a population, or of one replicate of it.

        Returns the units that are there afterwards; exchanges by zone and level; what is left by zone; members by zone before,
        and as wanted.
        """
        from synthpop_gb.kernels.exchange import exchange_zones
        from synthpop_gb.kernels.streams import SCENARIO, stream_keys, uniforms

        problem, n_zones = one.problem, len(units.zones)
        class_value, class_of = np.unique(self.value, axis=0, return_inverse=True)
        class_of = class_of.reshape(-1).astype(np.int32)
        zone = np.repeat(np.arange(n_zones), np.diff(units.indptr))
        now = self.members(units)
        number = one.number
        keys = stream_keys(seed, problem.zone_keys, number, SCENARIO + 2 * step)
        rounding = stream_keys(seed, problem.zone_keys, number, SCENARIO + 2 * step + 1)
        goal = np.where(self.zones[:, None], self.goal(now, uniforms(rounding, 1)[:, 0]), now)
        copies = np.repeat(units.record, units.n).astype(np.int32)
        indptr = np.concatenate([[0], np.cumsum(np.bincount(zone, units.n, n_zones))]).astype(np.int64)
        arrays = indptr, copies, self.kind_of, class_of, class_value, *self._pools(problem, class_of)
        goal = np.ascontiguousarray(goal)
        for array in (*arrays, goal, keys):
            array.setflags(write=False)
        after, moved, missed = exchange_zones(*arrays, self.own, goal, keys)
        return _counted(after, indptr, units, len(problem.units)), moved, missed, now, goal

    def _pools(self, problem: Problem, class_of: np.ndarray):
        """Units that may come, by kind and class, in the order of their ids, by design weight."""
        _, rank = id_order(problem.units)
        weight = np.zeros(len(problem.units))
        weight[problem.donor] = problem.donor_weight
        level, unit = np.nonzero((self.kind_of >= 0) & (weight > 0))
        kind = self.kind_of[level, unit]
        order = np.lexsort((rank[unit], class_of[unit], kind))
        kind, unit = kind[order], unit[order].astype(np.int32)
        group_key = kind.astype(np.int64) * (int(class_of.max(initial=0)) + 1) + class_of[unit]
        begins = np.flatnonzero(np.diff(group_key, prepend=-1))
        pool_start = np.append(begins, len(unit)).astype(np.int64)
        n_kinds = int(self.kind_of.max(initial=-1)) + 1
        kind_start = np.searchsorted(kind[begins], np.arange(n_kinds + 1)).astype(np.int64)
        cumulated = np.empty(len(unit))
        for a, b in zip(pool_start[:-1].tolist(), pool_start[1:].tolist(), strict=True):
            cumulated[a:b] = np.cumsum(weight[unit[a:b]])
        return kind_start, class_of[unit[begins]], pool_start, unit, cumulated


def _counted(copies: np.ndarray, indptr: np.ndarray, units: DonorCounts, n_units: int) -> DonorCounts:
    """Count copies by zone and unit."""
    zone = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    key, n = np.unique(zone * n_units + copies, return_counts=True)
    start = np.searchsorted(key // n_units, np.arange(len(indptr))).astype(np.int64)
    return DonorCounts(units.zones, start, (key % n_units).astype(np.int32), n.astype(np.int32))


def plan_of(step: Step, problem: Problem, aligned: Aligned) -> Plan:
    """Make a step ready.

    Raises InputError: `bad-condition` for words that the survey does not know, `study-reference` for places that the study does
    not have, `scenario-empty` where nobody in the survey could come.
    """
    zones = _chosen(step.zones, aligned)
    if isinstance(step, Raise):
        return _raising(step, problem, aligned, zones)
    if isinstance(step, Amplify):
        met = parse_condition(step.where).matches(aligned)
        _somebody(met, step.where)
        code, names = np.where(met, 0, 1), (step.where, "others")
        return Plan(_members(code, 2, problem), _sizes(problem, 2), True, zones, _amplified(step.times), names)
    if not isinstance(step, Balance):
        raise TypeError(f"{type(step).__name__} is no step that moves counts")
    labels = labels_of(step.variable, aligned)
    names = tuple(map(str, labels.categories))
    shares = _shares(step, names)
    for name, share in zip(names, shares, strict=True):
        if share > 0:
            _somebody(np.asarray(labels == name), f"{step.variable} = {name!r}")
    code = np.where(labels.codes < 0, len(names), labels.codes)
    value = _members(code, len(names) + 1, problem)
    return Plan(value, _sizes(problem, 2), True, zones, _balanced(shares), (*names, "not known"))


def _raising(step: Raise, problem: Problem, aligned: Aligned, zones: np.ndarray) -> Plan:
    what = parse_condition(step.what)
    met, known = what.matches(aligned), what.known(aligned)
    named = set(what.names)
    base = known
    if step.where is not None:
        where = parse_condition(step.where)
        base = known & where.matches(aligned)
        named |= set(where.names)
    _somebody(base & met, step.what if step.where is None else f"{step.what} and {step.where}")
    code = np.where(base & met, 0, np.where(base, 1, 2))
    names = (step.what, "others of whom it is a share", "others")
    return Plan(_members(code, 3, problem), _alike(problem, aligned, named), False, zones, _raised(step), names)


def _amplified(times: float):
    def goal(now, drawn):
        total = now.sum(axis=1)
        return _systematic(np.stack([np.minimum(times * now[:, 0], total), total], axis=1), drawn)

    return goal


def _balanced(shares: np.ndarray):
    def goal(now, drawn):
        known = now[:, :-1].sum(axis=1)
        wanted = known[:, None] * np.cumsum(shares)
        wanted[:, -1] = known
        return np.concatenate([_systematic(wanted, drawn), now[:, -1:]], axis=1)

    return goal


def _raised(step: Raise):
    def goal(now, drawn):
        whom = now[:, 0] + now[:, 1]
        with np.errstate(invalid="ignore", divide="ignore"):
            rate = np.where(whom > 0, step.rate(now[:, 0] / whom), 0.0)
        wanted = np.floor(rate * whom + 0.5).astype(np.int64)
        return np.stack([wanted, whom - wanted, now[:, 2]], axis=1)

    return goal


def _systematic(cumulated: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Whole numbers whose expectation over the draw is what is wanted: (n_zones, n) cumulated in, each within one."""
    marks = np.floor(cumulated + drawn[:, None] + 1e-9).astype(np.int64)
    marks[:, -1] = np.rint(cumulated[:, -1])
    marks = np.minimum(marks, marks[:, -1:])
    return np.diff(marks, axis=1, prepend=0)


def _somebody(met: np.ndarray, words: str) -> None:
    if not met.any():
        message = f"no usable record of the survey meets {words}, so nobody could come."
        raise InputError([finding("scenario-empty", message, place="population")])


def _shares(step: Balance, names: Sequence[str]) -> np.ndarray:
    if step.shares is None:
        return np.full(len(names), 1.0 / len(names))
    if unknown := [name for name in step.shares if name not in names]:
        message = f"{step.variable} has no category {', '.join(map(repr, unknown))}; it has {', '.join(map(repr, names))}."
        raise InputError([finding("bad-condition", message, place="population")])
    return np.array([float(step.shares.get(name, 0.0)) for name in names])


def _chosen(zones, aligned: Aligned) -> np.ndarray:
    """(n_zones,) bool: zones that a step is about."""
    codes = aligned.zones
    if zones is None:
        return np.ones(len(codes), bool)
    wanted = zones if isinstance(zones, Mapping) else {"zone": zones}
    chosen, found = np.zeros(len(codes), bool), []
    for level, several in wanted.items():
        several = [several] if isinstance(several, str) else [str(s) for s in several]
        if level != "zone" and level not in aligned.geography.parents:
            message = f"there is no level {level!r}; there are zone, {', '.join(aligned.geography.parents)}."
            found.append(finding("study-reference", message, place="population.zones"))
            continue
        known = codes.astype(str) if level == "zone" else aligned.geography.zones[level].astype(str)
        named = aligned.geography.zones.get(f"{level}_name")
        inside = np.array(known.isin(several))
        inside |= np.zeros(len(codes), bool) if named is None else np.asarray(named.astype(str).isin(several))
        if lost := [s for s in several if s not in set(known) and (named is None or s not in set(named.astype(str)))]:
            message = f"there is no {level} {', '.join(lost[:5])} in the study."
            found.append(finding("study-reference", message, place="population.zones", count=len(lost)))
        chosen |= inside
    if found:
        raise InputError(found)
    return chosen


def _members(code: np.ndarray, n: int, problem: Problem) -> np.ndarray:
    """(n_units, n) int64: members of each unit in each category. code : (n_records,) category of each record."""
    if problem.households is None:
        return np.eye(n, dtype=np.int64)[code]
    unit = np.repeat(np.arange(len(problem.units)), np.diff(problem.member_start))
    out = np.zeros((len(problem.units), n), np.int64)
    np.add.at(out, (unit, code[problem.member]), 1)
    return out


def _sizes(problem: Problem, levels: int) -> np.ndarray:
    """(levels, n_units): at every level units are alike in how many people they are, and in being a household."""
    kinds = _profile_kinds(problem, [])
    return _of_units(problem, [kinds] * levels)


def _alike(problem: Problem, aligned: Aligned, named: set[str]) -> np.ndarray:
    """Kinds from alike in every table down to alike in size: first the tables that speak of the condition go, then the last."""
    variables = {c.name: set(c.variables) for c in aligned.constraints}
    order = list(range(problem.n_constraints))
    speaking = [k for k in order if variables.get(problem.constraint_names[k], set()) & named]
    silent = [k for k in order if k not in speaking]
    kept = [order, *([silent] if speaking else []), *(silent[:n] for n in range(len(silent) - 1, 0, -1)), []]
    return _of_units(problem, [_profile_kinds(problem, some) for some in kept])


def _profile_kinds(problem: Problem, constraints: Sequence[int]) -> np.ndarray:
    """(n_profiles,) number of profiles alike in some constraints, in size and in being a household."""
    first = problem.constraint_start
    cells = np.concatenate([np.arange(first[k], first[k + 1]) for k in constraints]) if len(constraints) else np.empty(0, int)
    rows = problem.members.matrix().tocsc()[:, cells].toarray().astype(np.int32)
    communal = np.zeros(problem.n_profiles, np.int32) if problem.communal is None else problem.communal.astype(np.int32)
    return np.unique(np.column_stack([problem.people_of, communal, rows]), axis=0, return_inverse=True)[1].reshape(-1)


def _of_units(problem: Problem, kinds: Sequence[np.ndarray]) -> np.ndarray:
    """Kinds of units, numbered across levels; -1 for units that are no donors."""
    out = np.full((len(kinds), len(problem.units)), -1, np.int32)
    before = 0
    for level, of_profile in enumerate(kinds):
        out[level, problem.donor] = before + of_profile[problem.donor_profile]
        before += int(of_profile.max(initial=-1)) + 1
    return out
