"""What must hold of a problem's arrays: they have the shapes of one another, numbers are finite, parts come together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from synthpop_gb.problem._problem import Problem

__all__ = ["check"]


def check(problem: Problem) -> None:
    """Raise ValueError, which names the array, where something does not hold."""
    _shapes(problem)
    _optional(problem)
    _units(problem)
    _start(problem)
    _guides(problem)


def _shapes(problem: Problem) -> None:
    n_cells, n_profiles, n_zones = len(problem.cells), len(problem.start), len(problem.zones)
    if problem.cell_of.shape != (problem.n_constraints, n_profiles):
        raise ValueError(f"cell_of is {problem.cell_of.shape}, expected {(problem.n_constraints, n_profiles)}")
    if problem.targets.shape != (n_zones, n_cells) or problem.constraint_start[-1] != n_cells:
        raise ValueError(f"targets are {problem.targets.shape}, expected {(n_zones, n_cells)} as labelled")
    if len(problem.zone_keys) != n_zones or len(np.unique(problem.zone_keys)) != n_zones:
        raise ValueError("zone keys must be one a zone and distinct")
    if len(problem.donor_start) != n_profiles + 1 or len(problem.donor) not in (0, problem.donor_start[-1]):
        raise ValueError("donor_start must delimit the donors of every profile")
    for c in range(problem.n_constraints):
        row = problem.cell_of[c]
        inside = row[row >= 0]
        if inside.size and (inside.min() < problem.constraint_start[c] or inside.max() >= problem.constraint_start[c + 1]):
            raise ValueError(f"constraint {c} names cells outside its own range")
    if not (np.isfinite(problem.targets).all() and (problem.targets >= 0).all()):
        raise ValueError("targets must be finite and not negative")
    if not (np.isfinite(problem.start).all() and (problem.start >= 0).all()):
        raise ValueError("start weights must be finite and not negative")


def _optional(problem: Problem) -> None:
    by_zone, by_profile = (problem.n_zones, problem.n_cells), (problem.n_profiles,)
    duals = (problem.n_zones, problem.n_duals)
    shapes = {"standard_error": [(problem.n_cells,), by_zone], "published": [by_zone], "first_duals": [duals],
              "size": [by_profile], "communal": [by_profile]}  # fmt: skip
    shapes |= {name: [(len(problem.units),), (0,)] for name in ("stratum", "cluster")}
    for name, allowed in shapes.items():
        array = getattr(problem, name)
        if array is None:
            continue
        if array.shape not in allowed:
            raise ValueError(f"{name} is {array.shape}, expected {' or '.join(map(str, allowed))}")
        if name != "first_duals" and not (np.isfinite(array).all() and (array >= 0).all()):
            raise ValueError(f"{name} must be finite and not negative")


def _units(problem: Problem) -> None:
    needed = {name: getattr(problem, name) is not None for name in ("incidence", "households", "member_start", "member", "size")}
    if len(set(needed.values())) > 1:
        raise ValueError(
            f"households need {', '.join(needed)}; only {', '.join(n for n, there in needed.items() if there)} given"
        )
    held, size = problem.incidence, (problem.n_profiles, problem.n_cells)
    if held is not None and (held.n_profiles, held.n_cells) != size:
        raise ValueError(f"the incidence is {held!r}, expected {size[0]} profiles and {size[1]} cells")
    if problem.member is not None and len(problem.donor) and len(problem.member_start) != len(problem.households) + 1:
        raise ValueError("member_start must delimit the members of every unit")
    for level in problem.levels:
        if len(level.of_zone) != problem.n_zones or level.cell_of.shape[1] != problem.n_profiles:
            raise ValueError(f"the level {level.name!r} is of other zones or profiles")


def _start(problem: Problem) -> None:
    if (problem.tilt_of is None) != (problem.tilt is None):
        raise ValueError("tilts need both tilt_of and tilt")
    if problem.tilt is not None:
        wrong = problem.tilt_of.shape[1] != problem.n_profiles or int(problem.tilt_of.max(initial=-1)) >= problem.tilt.shape[1]
        if wrong or len(problem.tilt) != problem.n_zones or not np.isfinite(problem.tilt).all():
            raise ValueError("tilts must be finite, and of the problem's profiles and zones")
    most = problem.max_copies
    if most is not None and not (0 < most < 1 or (most >= 1 and most % 1 == 0)):
        raise ValueError(f"max_copies is a whole number from 1, or a share between 0 and 1, not {most}")


def _guides(problem: Problem) -> None:
    given = [name for name in ("guide_of", "guide_start", "guide_targets", "guides") if getattr(problem, name) is not None]
    if not given:
        return
    if len(given) < 4:
        raise ValueError(f"guides need guide_of, guide_start, guide_targets and guides; only {', '.join(given)} given")
    shapes = (len(problem.guide_start) - 1, problem.n_profiles), (problem.n_zones, len(problem.guides))
    if (problem.guide_of.shape, problem.guide_targets.shape) != shapes or problem.guide_start[-1] != len(problem.guides):
        raise ValueError(f"guides are {problem.guide_of.shape} and {problem.guide_targets.shape}, expected {shapes} as labelled")
    low, high = problem.guide_start[:-1, None], problem.guide_start[1:, None]
    if ((problem.guide_of < low) | (problem.guide_of >= high)).any():
        raise ValueError("guide_of names bins outside a guide's own range")
    share = np.add.reduceat(problem.guide_targets, problem.guide_start[:-1], axis=1) if problem.n_zones else np.ones(0)
    if not ((problem.guide_targets >= 0).all() and np.allclose(share, 1.0, atol=1e-6)):
        raise ValueError("the shares of every guide must not be negative and add up to 1 in every zone")
