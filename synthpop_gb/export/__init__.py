"""Export: a population for other programs, each file read back and compared before it gets its name."""

from synthpop_gb.export._rows import guarded
from synthpop_gb.export.geopackage import geopackage
from synthpop_gb.export.people import people
from synthpop_gb.export.polygons import polygons

__all__ = ["geopackage", "guarded", "people", "polygons"]
