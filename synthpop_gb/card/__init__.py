"""The card: what a result is, is not, and may be used for, for people and for programs; no claim without a figure behind it.

`describe` notes what a run is made from, `card_of_run` and `card_of_pair` make a `Card`, `card_texts` writes it as README.md,
card.json, datapackage.json (Frictionless), ro-crate-metadata.json, croissant.json and ddi.xml. Whose files these are is another's
concern: `run_folder` puts them in place.
"""

from synthpop_gb.card.claims import Claim, Facts, Figure, Source, look_up, say
from synthpop_gb.card.described import describe
from synthpop_gb.card.noun import About, Card, CardFile, CardSource, CardTable, CardVariable, Section
from synthpop_gb.card.of_pair import PAIR, card_of_pair, pair_record
from synthpop_gb.card.of_run import card_of_run, checks_files
from synthpop_gb.card.texts import CARD_FILES, card_texts

__all__ = [
    "CARD_FILES", "PAIR", "About", "Card", "CardFile", "CardSource", "CardTable", "CardVariable", "Claim", "Facts", "Figure",
    "Section", "Source", "card_of_pair", "card_of_run", "card_texts", "checks_files", "describe", "look_up", "pair_record", "say",
]  # fmt: skip
