"""Circumstances: what rules ask of a person and a family, under one name each, whatever the survey calls it."""

from synthpop_gb.circumstances._columns import INPUTS, Circumstances, circumstances_of, numbers
from synthpop_gb.circumstances._families import Families, families_of
from synthpop_gb.circumstances._linked import families_by_links, links_that_cannot_be
from synthpop_gb.circumstances._places import is_london, is_scotland, region_number
from synthpop_gb.circumstances._words import WORDS, meaning_of

__all__ = [
    "INPUTS", "WORDS", "Circumstances", "Families", "circumstances_of", "families_by_links", "families_of", "is_london",
    "is_scotland", "links_that_cannot_be", "meaning_of", "numbers", "region_number",
]  # fmt: skip
