"""Geography: zone codes, names and the areas they nest in; boundaries are read only when somebody draws a map."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from synthpop_gb.errors import Finding
from synthpop_gb.provenance import InputFile

if TYPE_CHECKING:
    import geopandas

__all__ = ["Geography"]


@dataclass(frozen=True, eq=False)
class Geography:
    """The zones of a study area.

    Attributes
    ----------
    zones : pandas.DataFrame
        Indexed by zone code (unique, named 'zone'); column 'name' where known, then one column a parent level
        ('msoa', 'lad', 'region' ... and '<level>_name' where known).
    boundary_file : str or None
        File of polygons (GeoParquet, GeoPackage, GeoJSON, Shapefile) and `boundary_column` with the zone codes in it.
    sources : tuple of InputFile
        Lookups (and boundaries, once hashed) that were read.
    findings : tuple of Finding
        What was noticed while reading.
    """

    zones: pd.DataFrame
    boundary_file: str | None = None
    boundary_column: str | None = None
    sources: tuple[InputFile, ...] = field(default=())
    findings: tuple[Finding, ...] = field(default=())

    @property
    def codes(self) -> pd.Index:
        """Zone codes, in order."""
        return self.zones.index

    @property
    def parents(self) -> tuple[str, ...]:
        """Names of the parent levels, finest first as listed."""
        return tuple(c for c in self.zones.columns if c != "name" and not c.endswith("_name"))

    def boundaries(self) -> geopandas.GeoDataFrame:
        """Read the polygons of these zones: GeoDataFrame indexed by zone code, in the file's own reference system.

        Raises FileNotFoundError where the study names no boundaries. Zones without a polygon are left out.
        """
        import geopandas

        if self.boundary_file is None:
            raise FileNotFoundError("the study names no boundary file, so no map can be drawn: add [zones] boundaries")
        is_parquet = self.boundary_file.endswith(".parquet")
        frame = geopandas.read_parquet(self.boundary_file) if is_parquet else geopandas.read_file(self.boundary_file)
        frame = frame.set_index(self.boundary_column).rename_axis("zone")[[frame.geometry.name]]
        return frame.loc[self.codes[self.codes.isin(frame.index)]]  # a zone in several pieces keeps them all

    def subset(self, codes: pd.Index) -> Geography:
        """Return the same geography restricted to `codes`, in their order."""
        return Geography(self.zones.loc[codes], self.boundary_file, self.boundary_column, self.sources, self.findings)

    def __repr__(self) -> str:
        """One line: how many zones, nesting in what."""
        return f"Geography: {len(self.zones):,} zones" + (f" in {', '.join(self.parents)}" if self.parents else "")
