"""Donors: what a policy model is given: persons with their answers, their households, and what rules read of a place."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.codebook import Variable
from synthpop_gb.policy._places import Places

__all__ = ["Donors", "donors_of"]


class Donors(pd.DataFrame):
    """A frame of persons, one row a donor, as a policy model reads it.

    Indexed by the survey's record id, named 'donor'; where rules read the place by ('place', 'donor'), one row a person and class
    of place, the class's columns among its own. Columns are the survey's, with labels instead of codes where the codebook knows
    them (ages and other numbers stay numbers), `household` holding the id of each person's household where the survey knows who
    lives together, and `weight` the design weight.

    Attributes
    ----------
    households : pandas.DataFrame or None
        One row a household (residents of communal establishments are one each), indexed by its id, named 'household', or by
        ('place', 'household'): its reference person's columns, `members`, `communal` and `weight`. None where the survey does not
        say who lives together.
    """

    _metadata = ["households"]  # noqa: RUF012, pandas reads it so

    households: pd.DataFrame | None = None

    @property
    def _constructor(self):
        return pd.DataFrame  # what is taken from it is a plain frame


def donors_of(aligned: Aligned, places: Places | None = None) -> Donors:
    """Lay out a study's usable records for a policy model.

    Parameters
    ----------
    aligned : Aligned
        Records, their codebook, and who lives together.
    places : Places, optional
        Classes of place that rules read: donors are repeated for each, with its columns. A column of the survey of that name
        gives way, since copies live where they are placed.

    Returns
    -------
    Donors
        Persons in the order of `aligned.records`, class by class.

    Examples
    --------
    >>> from synthpop_gb.testing import small_aligned  # doctest: +SKIP
    >>> donors_of(small_aligned()).head()              # doctest: +SKIP
    """
    persons, homes = _persons(aligned), None
    if aligned.households is not None:
        units = aligned.households
        persons["household"] = units.ids[units.of_record].to_numpy()
        homes = persons.drop(columns=["household", "weight"]).iloc[units.reference]
        homes = homes.assign(members=units.size, communal=units.communal, weight=units.weight)
        homes.index = pd.Index(units.ids, name="household")
    if places is not None and len(places.classes.columns):
        persons, homes = _placed(persons, places), None if homes is None else _placed(homes, places)
    out = Donors(persons)
    out.households = homes
    return out


def _persons(aligned: Aligned) -> pd.DataFrame:
    """Usable records with labels for codes."""
    frame = aligned.frame()
    frame.index = pd.Index(frame.index, name="donor")
    columns = {str(c): frame[c] for c in frame.columns}
    for name, variable in aligned.survey.variables.items():
        column = variable.column or variable.name
        if column in frame.columns:
            columns[name] = _labelled(frame[column], variable)
    columns["weight"] = pd.Series(aligned.weight, frame.index)
    return pd.DataFrame(columns, index=frame.index)


def _labelled(values: pd.Series, variable: Variable) -> pd.Series:
    """Labels instead of codes; numbers whose labels are themselves, as single years of age are, stay numbers."""
    labels = {str(c.code): c.label for c in variable.categories}
    told = [label for c in variable.categories if (label := c.label) and c.atoms]
    if not told or (pd.api.types.is_numeric_dtype(values) and all(t.removesuffix("+").isdigit() for t in told)):
        return values  # single years, the last of them '120+'
    code, distinct = pd.factorize(values)
    known = [labels.get(str(int(v)) if isinstance(v, float) and v.is_integer() else str(v)) for v in distinct]
    if not any(label is not None for label in known):
        return values
    return pd.Series(pd.array([*known, None], dtype="str").take(code), index=values.index, name=values.name)


def _placed(frame: pd.DataFrame, places: Places) -> pd.DataFrame:
    """Repeat rows for every class of place, with the class's columns."""
    n, k = len(frame), len(places)
    rows = np.tile(np.arange(n), k)
    out = frame.drop(columns=[c for c in places.classes.columns if c in frame.columns]).iloc[rows]
    of_row = np.repeat(np.arange(k), n)
    out = out.assign(**{str(c): places.classes[c].to_numpy()[of_row] for c in places.classes.columns})
    out.index = pd.MultiIndex.from_arrays([of_row, frame.index.to_numpy()[rows]], names=["place", frame.index.name])
    return out
