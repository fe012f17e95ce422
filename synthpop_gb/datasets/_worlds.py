"""The worlds: demo counties fixed by name, each with one property that a method can be judged by.

A world is a set of parameters of the documented model, chosen once for what it shows and never tuned to a result. All
places are invented. `rutlow`, `calderholme` and `harrowmere` are for measuring methods, `penmarrow` for the demo.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

__all__ = ["WORLDS", "World", "find_world"]


@dataclass(frozen=True)
class World:
    """Parameters of one world. Zone effects are in county standard deviations, on the logit or probit scale.

    Attributes
    ----------
    name, county, about : str
        Name in code, name on maps, and what it is for.
    number : int
        Digit after 'D01' in its codes, and part of the key of its random streams. Never reused.
    districts : tuple of str
        Names of its districts.
    zones, survey_persons : int
        Size unless asked otherwise: zones of about 1,500 persons; persons in the survey, about.
    sorting : float
        Correlation of a household's advantage with minus the deprivation of its zone. 0.5 gives the spread of LSOAs in
        no qualifications (sd 7 points) and bad health (sd 2 points) of Census 2021.
    ethnic : tuple of 4 floats
        Log odds of a household's group (mixed, asian, black, other) against white in an average zone.
    ethnic_segregation, tenure_segregation : float
        Standard deviation over zones of those log odds, and of the log odds of renting from a social landlord beyond what
        deprivation explains.
    coast, campus : float
        How strongly the eastern coast is older; how many households are students sharing around the campus.
    local_joint : float
        Standard deviation of each zone-specific association (see `_landscape.LOCAL`): what no table of one variable shows. A
        third of its variance is shared by the zones of one msoa.
    outcome_people, outcome_zone : float
        Smoking: how strongly a person's own characteristics act (1 = as published), and the standard deviation of a zone
        effect on the log odds that is independent of everything else.
    """

    name: str
    county: str
    about: str
    number: int
    districts: tuple[str, ...]
    zones: int = 240
    survey_persons: int = 10_000
    sorting: float = 0.5
    ethnic: tuple[float, float, float, float] = (-4.0, -3.3, -4.0, -4.4)
    ethnic_segregation: float = 1.1
    tenure_segregation: float = 0.7
    coast: float = 1.0
    campus: float = 1.0
    local_joint: float = 0.25
    outcome_people: float = 1.0
    outcome_zone: float = 0.2


WORLDS: dict[str, World] = {
    world.name: world
    for world in (
        World(
            "penmarrow",
            "Penmarrow",
            "A small ordinary county for the demo, with every feature at ordinary strength.",
            number=1,
            districts=("Penmarrow Bay", "Upper Tarrow"),
            zones=60,
            survey_persons=4_000,
        ),
        World(
            "rutlow",
            "Rutlow",
            "The constraints tell much about the outcome: smoking follows strongly from a person's own qualification, activity, "
            "tenure, health and age; no zone effect, little local structure in the joint.",
            number=2,
            districts=("Rutlow Vale", "Ashmere", "Great Corby Fell"),
            sorting=0.6,
            local_joint=0.1,
            outcome_people=1.5,
            outcome_zone=0.0,
        ),
        World(
            "calderholme",
            "Calderholme",
            "The constraints tell nothing about the outcome: smoking depends on nothing but a zone effect that is independent of "
            "all else. No method can do better than the county's mean, and an honest interval says so.",
            number=3,
            districts=("Calderholme", "Low Strand", "Wether Moss"),
            outcome_people=0.0,
            outcome_zone=0.5,
        ),
        World(
            "harrowmere",
            "Harrowmere",
            "Strongly segregated by ethnic group and by tenure, with strong local structure in the joint.",
            number=4,
            districts=("Harrowmere Town", "Netherlode", "Stannick"),
            ethnic=(-4.0, -4.0, -4.8, -4.8),
            ethnic_segregation=3.5,
            tenure_segregation=3.3,
            local_joint=0.5,
            coast=0.5,
        ),
    )
}
"""The worlds by name."""


def find_world(name: str | World) -> World:
    """Return the world of that name; a World is returned as it is.

    Raises ValueError, with the nearest name, where there is none.

    >>> find_world("rutlow").county
    'Rutlow'
    """
    if isinstance(name, World):
        return name
    if name not in WORLDS:
        near = difflib.get_close_matches(str(name), WORLDS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "there are"
        raise ValueError(f"no world is called {name!r}: {hint} ({', '.join(WORLDS)})")
    return WORLDS[name]
