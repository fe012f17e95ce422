"""Everything that is wanted of outcomes, estimated at once: means and sums together, then measures of each distribution."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import ndtri

from synthpop_gb.assessment.estimates import Averaged, Means
from synthpop_gb.assessment.figures import figures, labels_by_row, model_errors, of_few, with_donors
from synthpop_gb.assessment.grounds import Grounds
from synthpop_gb.assessment.together import means_together
from synthpop_gb.indicators.group_sums import classes_of, placed_sums
from synthpop_gb.indicators.question import Asked
from synthpop_gb.indicators.sums import Behind, donors_behind
from synthpop_gb.policy import Places
from synthpop_gb.population import DonorCounts
from synthpop_gb.simulation.inequality import DISTRIBUTIONAL, Measures
from synthpop_gb.simulation.lines import Lines
from synthpop_gb.simulation.wanted import Wanted

__all__ = ["by_place", "estimated"]


def by_place(asked: Asked, places: Places) -> Asked:
    """Whom is asked about, told by class of place; as it was where there is one class."""
    if len(places) == 1:
        return asked
    shape = (len(places), asked.group.shape[-1])
    return replace(
        asked, base=np.broadcast_to(asked.base, shape), group=np.broadcast_to(asked.group, shape), of_zone=places.of_zone
    )


def estimated(
    wanted: list[Wanted],
    asked: Asked,
    grounds: Grounds,
    blocks: Iterable[DonorCounts],
    level: float,
    *,
    quantile: float,
    lines: Mapping[tuple[str, str], Lines],
) -> pd.DataFrame:
    """Estimate everything wanted: the frame of a `Simulation`.

    lines : poverty lines by scenario and outcome.
    """
    population, zones, blocks = grounds.population, grounds.population.zones, list(blocks)
    n_classes = classes_of(asked)
    told = _measures(wanted, asked, population, quantile)
    values: list[Averaged] = []
    for want in wanted:
        if want.measure not in DISTRIBUTIONAL:
            values.append(_averaged(want, lines, n_classes))
    first = len(values)
    for measures in told.values():
        values += measures.influences()
    means = means_together(asked, population, grounds.design, values)
    behind = donors_behind(asked, blocks, zones)
    plain = [v.value if n_classes > 1 else v.value[None] for v in values[:first]]
    totals = (
        placed_sums(asked, blocks, zones, [np.stack([p[c] for p in plain], axis=1) for c in range(n_classes)]) if plain else None
    )
    found: dict[tuple[str, str, str], tuple] = {}
    for key, measures in told.items():
        mine = means[first : first + len(measures.measures)]
        first += len(measures.measures)
        counted = measures.counted(behind)
        for name, of in zip(measures.measures, measures.means(mine), strict=True):
            found[(*key, name)] = of, counted[name], measures.ends if name == "quantile" else None
    z, labels, parts, at = float(ndtri((1 + level) / 2)), labels_by_row(asked), [], 0
    for want in wanted:
        key = want.scenario, want.outcome, want.measure
        if key not in found:
            total = totals[..., at]
            with np.errstate(invalid="ignore", divide="ignore"):
                found[key] = means[at], total if want.kind.adds else total / behind.people, None
            at += 1
        mean, counted, ends = found[key]
        columns = _columns(want, mean, model_errors(grounds.model, mean, asked), counted, behind, z, ends)
        head = dict(zip(("scenario", "outcome", "measure"), key, strict=True))
        parts.append(pd.DataFrame(head | labels | columns))
    return pd.concat(parts, ignore_index=True)


def _measures(wanted: list[Wanted], asked: Asked, population, quantile: float) -> dict[tuple[str, str], Measures]:
    """Distributions by scenario and outcome, each laid out once for all that is asked of it."""
    measures: dict[tuple[str, str], list[Wanted]] = {}
    for want in wanted:
        if want.measure in DISTRIBUTIONAL:
            measures.setdefault((want.scenario, want.outcome), []).append(want)
    return {k: Measures(asked, population, w[0].value, [x.measure for x in w], quantile) for k, w in measures.items()}


def _averaged(want: Wanted, lines: Mapping[tuple[str, str], Lines], n_classes: int) -> Averaged:
    """Say what is averaged; of poverty, who is below the line, in each replicate below its own."""
    if want.measure != "poverty":
        return Averaged(want.value if n_classes > 1 else want.value[0], want.kind.adds)
    line = lines[want.scenario, want.outcome]
    poor, drawn = line.poor(want.value), line.poor_in(want.value)
    if n_classes > 1:
        return Averaged(poor, drawn=drawn)
    return Averaged(poor[0], drawn=lambda place: drawn(place)[0])


def _columns(want: Wanted, means: Means, error, counted, behind: Behind, z: float, ends) -> dict[str, np.ndarray]:
    """Columns of figures of one measure."""
    deviation = np.sqrt(means.spread**2 + means.finite + error**2 + of_few(means, behind, want.kind))
    columns = figures(means, means.spread, error, deviation, z, want.kind, None if ends is None else ends(z * deviation))
    return with_donors(columns, counted, behind, want.kind)
