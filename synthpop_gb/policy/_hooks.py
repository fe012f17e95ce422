"""What a model may further bring: how it finds its classes of place, and what it fixes once for every donor before it runs."""

from __future__ import annotations

import pandas as pd

from synthpop_gb.geography import Geography
from synthpop_gb.policy._donors import Donors
from synthpop_gb.policy._model import PolicyModel
from synthpop_gb.policy._places import Places

__all__ = ["places_for", "prepared"]


def places_for(model: PolicyModel, geography: Geography, table: pd.DataFrame | None = None) -> Places:
    """Find the classes of place that a model's rules tell apart.

    Parameters
    ----------
    model : PolicyModel
        With a method `places_of(geography, table)` it finds them itself, as an engine does that has its own names for places;
        else they are `Places.of` its attribute `places`.
    geography : Geography
        The study's zones.
    table : pandas.DataFrame, optional
        Further columns by zone, or by a level that its index is named for.

    Raises
    ------
    InputError
        Where something of a place is not known of every zone.
    """
    own = getattr(model, "places_of", None)
    if own is not None:
        return own(geography, table)
    return Places.of(geography, tuple(getattr(model, "places", ())), table)


def prepared(model: PolicyModel, donors: Donors, seed: int = 0) -> Donors:
    """Give donors what their model fixes once for each of them, so that copies of a donor never differ by it.

    A model with a method `prepared(donors, seed)` returns donors with further columns, drawn from streams keyed by the seed and
    the donor's id: from there on they are the donor's own, however ids are renumbered. Other models get the donors as they are.

    Parameters
    ----------
    model : PolicyModel
        It need not have the method.
    donors : Donors
        As `donors_of` lays them out.
    seed : int, default 0
        The study's seed.
    """
    own = getattr(model, "prepared", None)
    return donors if own is None else own(donors, seed)
