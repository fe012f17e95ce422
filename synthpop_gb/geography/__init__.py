"""Geography: the zones of a study area, what their codes betray, and how figures of them are divided into classes of a map."""

from synthpop_gb.geography.noun import Geography

__all__ = ["Geography"]
