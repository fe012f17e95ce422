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
        ('msoa', 'lad', 'region' ... and '<level>_name' where known). A level that only some zones have is blank in the others.
    boundary_file : str, tuple of str or None
        File of polygons (GeoParquet, GeoPackage, GeoJSON, Shapefile) and `boundary_column` with the zone codes in it; of several
        files a tuple of each.
    sources : tuple of InputFile
        Lookups (and boundaries, once hashed) that were read.
    findings : tuple of Finding
        What was noticed while reading.
    """

    zones: pd.DataFrame
    boundary_file: str | tuple[str, ...] | None = None
    boundary_column: str | tuple[str, ...] | None = None
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

    @property
    def covering(self) -> tuple[str, ...]:
        """Those parent levels that every zone has an area of."""
        return tuple(c for c in self.parents if self.zones[c].notna().all())

    @property
    def boundary_files(self) -> tuple[str, ...]:
        """Files of polygons, none, one or several."""
        return () if self.boundary_file is None else _several(self.boundary_file)

    def boundaries(self) -> geopandas.GeoDataFrame:
        """Read the polygons of these zones: GeoDataFrame indexed by zone code, in the first file's own reference system.

        Raises FileNotFoundError where the study names no boundaries. Zones without a polygon are left out; of a zone that several
        files draw the first file's polygon is taken.
        """
        import geopandas

        if self.boundary_file is None:
            raise FileNotFoundError("the study names no boundary file, so no map can be drawn: add [zones] boundaries")
        frames = []
        for file, column in zip(self.boundary_files, _several(self.boundary_column), strict=True):
            frame = geopandas.read_parquet(file) if file.endswith(".parquet") else geopandas.read_file(file)
            shapes = {"geometry": frame.geometry.to_numpy()}
            frame = geopandas.GeoDataFrame(shapes, index=pd.Index(frame[column], name="zone"), crs=frame.crs)
            if frames:
                frame = frame[~frame.index.isin([z for f in frames for z in f.index])]
                frame = frame.to_crs(frames[0].crs) if frame.crs is not None and frames[0].crs is not None else frame
            frames.append(frame[frame.index.isin(self.codes)])
        together = frames[0] if len(frames) == 1 else geopandas.GeoDataFrame(pd.concat(frames), crs=frames[0].crs)
        return together.loc[self.codes[self.codes.isin(together.index)]]  # a zone in several pieces keeps them all

    def by_zone(self, table: pd.DataFrame) -> pd.DataFrame:
        """Give each zone its row of a table of places: by zone code, or by the codes of the level that its index is named for.

        Returns a frame indexed by zone, columns called by text, blank where the table says nothing of a zone.

        >>> zones = pd.DataFrame({"lad": ["L1", "L1", "L2"]}, index=pd.Index(["a", "b", "c"], name="zone"))
        >>> Geography(zones).by_zone(pd.DataFrame({"band_d": [1800.0]}, pd.Index(["L1"], name="lad")))["band_d"].tolist()
        [1800.0, 1800.0, nan]
        """
        level = table.index.name if table.index.name in self.zones.columns else None
        at = self.zones.index if level is None else self.zones[level]
        return pd.DataFrame({str(c): table[c].reindex(at).to_numpy() for c in table.columns}, index=self.zones.index)

    def subset(self, codes: pd.Index) -> Geography:
        """Return the same geography restricted to `codes`, in their order."""
        return Geography(self.zones.loc[codes], self.boundary_file, self.boundary_column, self.sources, self.findings)

    def __repr__(self) -> str:
        """One line: how many zones, nesting in what."""
        return f"Geography: {len(self.zones):,} zones" + (f" in {', '.join(self.parents)}" if self.parents else "")


def _several(value: str | tuple[str, ...] | None) -> tuple:
    return value if isinstance(value, tuple) else (value,)
