"""What somebody learns who knows that a person answered the survey, from people who are copies of its records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.errors import InputError
from synthpop_gb.indicators.question import labels_of
from synthpop_gb.validation.disclosure.rates import percent_of
from synthpop_gb.validation.disclosure.regions import Regions
from synthpop_gb.validation.recount import RecordUse

__all__ = ["Copies", "intruder_table"]


@dataclass(frozen=True, eq=False)
class Copies:
    """How records and combinations of keys are spread over zones.

    Attributes
    ----------
    key_of : (n_records,) int32
        Combination of keys of each record.
    use : RecordUse
        Copies of each record, and zones that hold one.
    people, zones, squares, largest : (n_keys,) int64
        Of each combination: people, zones with somebody who has it, sum over zones of squared people, most people of one zone.
    alike : (n_records,) int64
        Sum over zones of (copies of the record) x (people of the zone with its keys).
    regions : Regions
        Where respondents come from and were placed.
    """

    key_of: np.ndarray
    use: RecordUse
    people: np.ndarray
    zones: np.ndarray
    squares: np.ndarray
    largest: np.ndarray
    alike: np.ndarray
    regions: Regions


_SEES = {
    "ids": "people with their zone and the survey's record id",
    "answers": "people with their zone and all answers, without ids",
    "both": "people with their zone, all answers and ids (or other labels by record)",
}


def intruder_table(
    copies: Copies,
    aligned: Aligned,
    keys: Sequence[str],
    *,
    targets: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Say what is learnt of respondents, each of whom counts once, by somebody who knows their keys and that they answered.

    The worst case: keys are known without error and every respondent could be asked for.

    Parameters
    ----------
    copies : Copies
        From `cloned.count_copies`.
    aligned : Aligned
        Records with their answers, zones with their areas.
    keys : sequence of str
        What is known of the respondent.
    targets : sequence of str, optional
        Answers wanted; every variable of the survey that is no key where absent (numbers, with more than 500 values, are not).

    Returns
    -------
    pandas.DataFrame
        One row a measure: sees (what the intruder has), measure, target, value, unit, baseline, baseline_is (the same without
        the population: in words), respondents (over whom), headline (bool). Measures:

        - copied: respondents of whom there is a copy at all; zones with a copy: how many zones hold one (median), beside all;
        - found by keys: respondents whose keys no other copied respondent has, so that, with ids, all their copies are known;
        - all answers given away: respondents all of whose matches agree in every target; answer given away: in one target,
          beside the share whose answer would be right by naming the commonest for everybody;
        - answer guessed: mean chance of the right answer by taking that of a random person with the keys, beside the chance of
          taking a random person's;
        - zone guessed by a copy: mean chance that the zone of a random copy is the respondent's home, if respondents with the
          keys live where people with the keys live, beside that of the zone of any person with the keys: copies tell no more
          where the two agree; zone guessed by the tables: naming the zone where most people with the keys live;
        - placed in own region: people who copy a respondent of the region that their zone is in, beside what copying without
          regard to region would give; NaN, and why, where the survey's regions cannot be found among the areas.
    """
    used = np.flatnonzero(copies.use.copies > 0)
    n_zones = len(aligned.zones)
    rows = [
        _row("ids", "copied", percent_of(len(used), len(copies.key_of)), 100.0, "all respondents", len(copies.key_of)),
        _row(
            "ids", "zones with a copy", _median(copies.use.zones[used]), float(n_zones), "zones", len(used), unit="zones (median)"
        ),
    ]
    code = copies.key_of[used]
    donors = np.bincount(code, minlength=len(copies.people))
    alone = donors[code] == 1
    rows.append(
        _row("both", "found by keys", percent_of(alone.sum(), len(used)), 0.0, "without the population", len(used), headline=True)
    )
    rows += _answers(copies, aligned, used, keys, targets)
    rows += _zone(copies, used, max(n_zones, 1))
    rows.append(_region(copies, aligned))
    return pd.DataFrame(rows)


def _row(sees, measure, value, baseline, baseline_is, respondents, *, target="", unit="% of respondents", headline=False) -> dict:
    return {
        "sees": _SEES[sees], "measure": measure, "target": target, "value": float(value), "unit": unit,
        "baseline": float(baseline), "baseline_is": baseline_is, "respondents": int(respondents), "headline": headline,
    }  # fmt: skip


def _median(values: np.ndarray) -> float:
    return float(np.median(values)) if len(values) else float("nan")


def _answers(copies: Copies, aligned: Aligned, used: np.ndarray, keys, targets) -> list[dict]:
    """Say what those who match in keys agree on."""
    asked = list(targets) if targets is not None else [n for n in aligned.survey.variables if n not in keys]
    code, weight = copies.key_of[used], copies.use.copies[used].astype(np.float64)
    n_keys = len(copies.people)
    rows, agreed = [], np.ones(n_keys, bool)
    asked_of = 0
    for name in asked:
        try:
            values = labels_of(name, aligned)
        except InputError:
            if targets is not None:
                raise
            continue  # a column of numbers, or one that the file does not have
        answer = values.codes[used].astype(np.int64) + 1  # not to have answered is an answer
        levels = len(values.categories) + 1
        entry, number = np.unique(code.astype(np.int64) * levels + answer, return_inverse=True)
        n_answers = np.bincount(entry // levels, minlength=n_keys)
        agreed &= n_answers <= 1
        asked_of += 1
        given = n_answers[code] == 1
        mode = np.bincount(answer, weight, minlength=levels).argmax() if len(used) else 0
        shown = percent_of(given.sum(), len(used))
        rows.append(
            _row("answers", "answer given away", shown, percent_of((answer[given] == mode).sum(), len(used)),
                 "of these, right by naming the commonest answer for everybody", len(used), target=name)
        )  # fmt: skip
        matching = np.bincount(number.ravel(), weight, minlength=len(entry))[number.ravel()]
        all_matching = np.bincount(code, weight, minlength=n_keys)[code]
        margin = np.bincount(answer, weight, minlength=levels) / max(weight.sum(), 1.0)
        rows.append(
            _row("answers", "answer guessed", 100 * _mean(matching / np.maximum(all_matching, 1)), 100 * _mean(margin[answer]),
                 "from a person at random", len(used), target=name, unit="% right")
        )  # fmt: skip
    every = agreed[code].sum() if asked_of else float("nan")
    first = _row("answers", "all answers given away", percent_of(every, len(used)), 0.0, "without the population", len(used),
                 headline=True)  # fmt: skip
    return [first, *rows]


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _zone(copies: Copies, used: np.ndarray, n_zones: int) -> list[dict]:
    """How far the zones of copies tell where the respondent lives."""
    k = copies.key_of[used]
    people = np.maximum(copies.people[k], 1).astype(np.float64)
    by_copy = copies.alike[used] / (copies.use.copies[used] * people)
    by_anybody, best = copies.squares[k] / people**2, copies.largest[k] / people
    return [
        _row("ids", "zone guessed by a copy", 100 * _mean(by_copy), 100 * _mean(by_anybody), "the zone of anybody of these keys",
             len(used), unit="% right", headline=True),
        _row("ids", "zone guessed by the tables", 100 * _mean(best), 100 / n_zones, "any zone", len(used),
             unit="% right"),
    ]  # fmt: skip


def _region(copies: Copies, aligned: Aligned) -> dict:
    """Whether copies are placed where their respondents come from."""
    regions = copies.regions
    people = int(regions.placed.sum())
    if not people:
        why = regions.reason or "nobody is placed in a region that the survey names"
        return _row("ids", "placed in own region", np.nan, np.nan, why, 0, unit="% of people")
    inside = regions.of_record >= 0
    share = np.bincount(regions.of_record[inside], aligned.weight[inside], minlength=regions.n) / aligned.weight.sum()
    chance = float((regions.placed / people * share).sum())
    return _row("ids", "placed in own region", percent_of(regions.own.sum(), people), 100 * chance,
                "copying without regard to region", int((copies.use.copies > 0).sum()), unit="% of people")  # fmt: skip
