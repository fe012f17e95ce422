"""A demo county: everything a study needs, made from nothing, with the truth beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthpop_gb.datasets import _draws as draws
from synthpop_gb.datasets._categories import HELD_OUT, HOUSEHOLDS, PUBLISHED, UNIVERSES, universe_of
from synthpop_gb.datasets._frames import frames
from synthpop_gb.datasets._households import Columns, draw_households, draw_members
from synthpop_gb.datasets._landscape import LOCAL, Landscape, make_landscape
from synthpop_gb.datasets._living import draw_living
from synthpop_gb.datasets._people import draw_attributes
from synthpop_gb.datasets._places import Places, make_places
from synthpop_gb.datasets._survey import draw_survey
from synthpop_gb.datasets._tables import record_keys, tabulate
from synthpop_gb.datasets._worlds import World, find_world

if TYPE_CHECKING:
    import geopandas

__all__ = ["DemoCounty", "make_county"]

BLOCK = 64
"""Zones drawn at once: about 100,000 persons, so that working memory stays below 100 MB whatever the size of the county."""
HOUSEHOLDS_A_ZONE = (650, 95, 400, 1200)
"""Households of a zone: mean, sd, least, most. The limits are those of LSOAs by design (ONS)."""
FEWEST_ZONES = 10


@dataclass(frozen=True, eq=False)
class DemoCounty:
    """A county with known truth. Labels, bands and universes: `synthpop_gb.datasets.codebook()`.

    Attributes
    ----------
    world : World
        The parameters it was made from.
    seed : int
        Fixes every draw.
    perturbed : bool
        Whether the tables carry Census 2021-like noise.
    survey_persons : int
        Persons asked for in the survey.
    persons, households : pandas.DataFrame
        The truth: everybody, with zone codes.
    survey : pandas.DataFrame
        One row a person of the survey, with design weights and without zones.
    tables : mapping of str to pandas.DataFrame
        Published counts, zones by categories, by name of the variable: to constrain with.
    held_out : mapping of str to pandas.DataFrame
        Published joint counts ('age_by_sex' ...), zones by cells (columns a MultiIndex): to judge with.
    lookup : pandas.DataFrame
        zone, name, msoa, msoa_name, district, district_name, county, county_name.
    effects : pandas.DataFrame
        True effects of each zone, by zone code: deprivation, urban, old, ..., local_*, outcome.
    boundaries : geopandas.GeoDataFrame
        zone, name, geometry in EPSG:27700.
    """

    world: World
    seed: int
    perturbed: bool
    survey_persons: int
    persons: pd.DataFrame
    households: pd.DataFrame
    survey: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    held_out: Mapping[str, pd.DataFrame]
    lookup: pd.DataFrame
    effects: pd.DataFrame
    boundaries: geopandas.GeoDataFrame

    @property
    def zones(self) -> pd.Index:
        """Zone codes in order."""
        return self.effects.index

    def table(self, *variables: str, level: str = "zone", perturbed: bool | None = None) -> pd.DataFrame:
        """Count any table of the county: variables crossed, by 'zone', 'msoa', 'district' or 'county'.

        Parameters
        ----------
        *variables : str
            One or more variables of persons, or of households; 'age' in its published bands.
        level : str
            Areas to count by. Perturbed tables of different levels do not add up to each other, as in a census.
        perturbed : bool, optional
            As the county's own tables unless said otherwise; False gives the truth.

        Raises ValueError for an unknown variable or level, or where persons and households are mixed.

        >>> county = make_county(zones=10)
        >>> county.table("health", level="county", perturbed=False).sum(axis=1).item() == len(county.persons)
        True
        """
        if level not in ("zone", "msoa", "district", "county"):
            raise ValueError(f"no level is called {level!r}: zone, msoa, district, county")
        records = self.households if _is_of_households(variables) else self.persons
        area = pd.Index(self.lookup[level].unique(), name=level)
        by = area.get_indexer(self.lookup[level])[records["zone"].cat.codes]
        noisy = self.perturbed if perturbed is None else perturbed
        return tabulate(records, variables, by, area, self._keys(records) if noisy else None)

    def _keys(self, records: pd.DataFrame) -> np.ndarray:
        block = int(records is self.households)
        return record_keys(draws.stream(self.world, self.seed, len(self.lookup), draws.KEYS, block), len(records))

    def outcomes(self) -> pd.DataFrame:
        """Return what no table publishes, by zone: adults, smokers, households, low_income, median equivalised income (£)."""
        smokes, poor = self.table("smokes", perturbed=False), self.table("low_income", perturbed=False)
        income = self.households.groupby("zone", observed=False)["equivalised_income"].median()
        return pd.DataFrame(
            {
                "adults": smokes.sum(axis=1),
                "smokers": smokes["yes"],
                "households": poor.sum(axis=1),
                "low_income": poor["yes"],
                "median_equivalised_income": income.to_numpy(),
            },
            index=self.zones,
        )

    def write(self, folder: str | Path) -> Path:
        """Write the county as a study finds its inputs, and return the folder. Layout: `synthpop_gb.datasets`."""
        from synthpop_gb.datasets._write import write_county

        return write_county(self, Path(folder))

    def __repr__(self) -> str:
        """One line: name, size, how the tables were made."""
        how = "perturbed" if self.perturbed else "exact"
        return (
            f"DemoCounty {self.world.name}: {len(self.persons):,} persons in {len(self.households):,} households, "
            f"{len(self.lookup):,} zones, survey of {len(self.survey):,} persons, {how} tables, seed {self.seed}"
        )


def make_county(
    world: str | World = "penmarrow",
    zones: int | None = None,
    scale: float = 1.0,
    seed: int = 2021,
    perturbed: bool = False,
    survey_persons: int | None = None,
) -> DemoCounty:
    """Make a county of invented people in invented places, by a documented model with British magnitudes.

    Parameters
    ----------
    world : str or World
        Which county: 'penmarrow' (60 zones, 90,000 people, the demo), 'rutlow', 'calderholme', 'harrowmere' (240 zones
        each); see `WORLDS`.
    zones : int, optional
        Number of zones of about 1,500 persons; the world's own otherwise. Another number of zones is another county: other
        borders, other people.
    scale : float
        Multiplies the number of zones: scale=20 makes 1.8 million people of the demo county.
    seed : int
        Fixes map, people, survey and noise. The same arguments give the same bits (with the same NumPy and SciPy).
    perturbed : bool
        Whether tables carry Census 2021-like noise: about one cell in eight changed, tables that disagree on their totals.
        The people are the same either way.
    survey_persons : int, optional
        Size of the survey, about; the world's own otherwise.

    Returns
    -------
    DemoCounty

    Raises ValueError for an unknown world, fewer than 10 or more than 99,999 zones, a negative seed or an empty survey.

    >>> county = make_county("penmarrow", zones=12, seed=1)
    >>> len(county.tables["age"]), int(county.tables["age"].to_numpy().sum()) == len(county.persons)
    (12, True)
    """
    world = find_world(world)
    n_zones = round((zones if zones is not None else world.zones) * scale)
    wanted = survey_persons if survey_persons is not None else world.survey_persons
    if not FEWEST_ZONES <= n_zones <= 99_999:
        raise ValueError(f"a county has {FEWEST_ZONES} to 99,999 zones, not {n_zones}: change zones or scale")
    if seed < 0 or wanted < 100:
        raise ValueError(f"seed must be 0 or more and survey_persons 100 or more, not {seed} and {wanted}")
    places = make_places(world, n_zones, draws.stream(world, seed, n_zones, draws.PLACES))
    land = make_landscape(world, places, draws.stream(world, seed, n_zones, draws.LANDSCAPE))
    hh, people = _everybody(world, seed, land)
    survey = draw_survey(world, seed, n_zones, land, hh, people, wanted)
    codes = pd.Index(places.lookup["zone"], name="zone")
    persons, households = frames(hh, people, codes)
    county = DemoCounty(
        world,
        seed,
        perturbed,
        wanted,
        persons,
        households,
        survey,
        {},
        {},
        places.lookup,
        _effects(land, codes),
        _boundaries(places),
    )
    return replace(
        county,
        tables={name: county.table(name) for name in PUBLISHED},
        held_out={"_by_".join(names): county.table(*names) for names in HELD_OUT},
    )


def _everybody(world: World, seed: int, land: Landscape) -> tuple[Columns, Columns]:
    """Draw all households and persons, a block of zones at a time, each block from its own stream."""
    n_zones = len(land.deprivation)
    mean, sd, least, most = HOUSEHOLDS_A_ZONE
    blocks: list[tuple[Columns, Columns]] = []
    n_hh = n_people = 0
    for block, first in enumerate(range(0, n_zones, BLOCK)):
        rng = draws.stream(world, seed, n_zones, draws.PEOPLE, block)
        here = land.of(slice(first, first + BLOCK))
        number = np.clip(np.round(rng.normal(mean, sd, len(here.deprivation))), least, most).astype(np.int64)
        hh = draw_households(world, here, number, rng)
        people = draw_members(here, hh, rng)
        draw_attributes(world, here, hh, people, rng)
        draw_living(world, here, hh, people, rng)
        del hh["advantage"]  # the latent is the model's, not the people's
        hh["zone"] = (hh["zone"] + first).astype(np.int32)
        people["partner"] = np.where(people["partner"] >= 0, people["partner"] + n_people, -1).astype(np.int32)
        people["household"] = (people["household"] + n_hh).astype(np.int32)
        people["income"], people["age"] = people["income"].astype(np.int32), people["age"].astype(np.int16)
        hh["start"] = hh["start"] + n_people
        n_hh, n_people = n_hh + len(hh["zone"]), n_people + len(people["age"])
        blocks.append((hh, people))
    return tuple({name: np.concatenate([b[part][name] for b in blocks]) for name in blocks[0][part]} for part in (0, 1))


def _is_of_households(variables: tuple[str, ...]) -> bool:
    unknown = [name for name in variables if name not in UNIVERSES]
    if unknown or not variables:
        raise ValueError(f"no variable is called {', '.join(map(repr, unknown)) or 'nothing'}: there are {', '.join(UNIVERSES)}")
    return universe_of(variables) == HOUSEHOLDS


def _effects(land: Landscape, codes: pd.Index) -> pd.DataFrame:
    columns = {name: getattr(land, name) for name in ("deprivation", "urban", "old", "students", "social", "private", "outcome")}
    columns |= {f"log_odds_{name}": row for name, row in zip(("mixed", "asian", "black", "other"), land.ethnic, strict=True)}
    columns |= {f"local_{name}": row for name, row in zip(LOCAL, land.local, strict=True)}
    return pd.DataFrame(columns, index=codes)


def _boundaries(places: Places) -> geopandas.GeoDataFrame:
    import geopandas

    return geopandas.GeoDataFrame(places.lookup[["zone", "name"]], geometry=places.polygons, crs="EPSG:27700")
