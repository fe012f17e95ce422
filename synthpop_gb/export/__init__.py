"""Export: a population for other programs, each file read back and compared before it gets its name."""

from synthpop_gb.export._rows import guarded
from synthpop_gb.export.fields import Field, estimate_fields, share_fields
from synthpop_gb.export.geopackage import geopackage
from synthpop_gb.export.households import households
from synthpop_gb.export.page_scripts import script_hashes, script_json, script_text
from synthpop_gb.export.people import people
from synthpop_gb.export.pointers import pointers
from synthpop_gb.export.polygons import polygons
from synthpop_gb.export.release import donor_labels
from synthpop_gb.export.two_column import two_column

__all__ = [
    "Field", "donor_labels", "estimate_fields", "geopackage", "guarded", "households", "people", "pointers", "polygons",
    "script_hashes", "script_json", "script_text", "share_fields", "two_column",
]  # fmt: skip
