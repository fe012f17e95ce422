"""The explorer: one self-contained page that shows a run on a map, in tables and in graphs, with how sure each figure is."""

from synthpop_gb.explorer.data import Content, content_of
from synthpop_gb.explorer.geometry import Outlines, outlines_of
from synthpop_gb.explorer.offered import Census, Offer, offer_of
from synthpop_gb.explorer.page import engine, render_page, require_engine, write_page
from synthpop_gb.explorer.simulations import SimulationItem, simulation_items

__all__ = [
    "Census", "Content", "Offer", "Outlines", "SimulationItem", "content_of", "engine", "offer_of", "outlines_of", "render_page",
    "require_engine", "simulation_items", "write_page",
]  # fmt: skip
