"""Files of a picture: a list of paths that a notebook shows as the picture."""

from __future__ import annotations

from pathlib import Path

__all__ = ["Drawing"]


class Drawing(list):
    """The files that a map was written to, as a list of paths; a notebook shows its PNG, or its SVG.

    >>> Drawing([Path("a.svg")])._repr_mimebundle_()
    {}
    """

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        """Give a notebook the picture, as it is on the disk now; nothing where it is gone."""
        for path, kind in ((p, k) for k in (".png", ".svg") for p in self if Path(p).suffix == k):
            if Path(path).is_file():
                if kind == ".png":
                    return {"image/png": Path(path).read_bytes()}
                return {"image/svg+xml": Path(path).read_text(encoding="utf-8")}
        return {}
