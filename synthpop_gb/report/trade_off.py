"""The privacy-utility plot: what several synthetic data sets are worth against what they give away, measure against measure."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

__all__ = ["trade_off"]

_COLOURS = ("#253494", "#e08214", "#1b7837", "#762a83", "#b2182b", "#2c7fb8", "#7f6000", "#111827", "#737373", "#c51b8a")
_SHAPES = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")
_INK, _GREY = "#1f2933", "#5f6b76"


def trade_off(points: pd.DataFrame, *, name: str, disclosure: Mapping[str, str], utility: Mapping[str, str]):
    """Draw one panel for each measure of disclosure and each of utility; one symbol for each data set, the mean over its rows.

    Bars reach from the 5th to the 95th percentile of the rows (seeds). In every panel less is better both ways: lost utility goes
    upwards, disclosure to the right, and what nobody can have is the corner below on the left.

    Parameters
    ----------
    points : pandas.DataFrame
        One row a data set and seed: column `name` and those of the measures. Sets are drawn in the order in which they appear.
    name : str
        Column that says which data set.
    disclosure, utility : mapping of str to str
        Column to axis title; a utility measure is nought where nothing is lost (S_pMSE, a difference). Its axis is logarithmic
        above 1.

    Returns
    -------
    matplotlib.figure.Figure
        Save it with `figure.savefig("plot.svg")`.

    Raises
    ------
    ValueError
        Where there are no rows, or a column is not there.

    >>> made = pd.DataFrame({"set": ["a", "b"], "risk": [0.1, 0.4], "lost": [3.0, 1.0]})
    >>> figure = trade_off(made, name="set", disclosure={"risk": "risk"}, utility={"lost": "lost"})
    >>> [text.get_text() for text in figure.legends[0].get_texts()]
    ['a', 'b']
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    wanted = [name, *disclosure, *utility]
    if lost := [c for c in wanted if c not in points]:
        raise ValueError(f"there is no column {', '.join(map(repr, lost))}")
    if not len(points):
        raise ValueError("there is nothing to draw")
    groups = dict(list(points.groupby(name, sort=False)))
    figure = Figure(figsize=(3.1 * len(disclosure) + 0.4, 2.7 * len(utility) + 0.9), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(utility), len(disclosure), sharex="col", sharey="row", squeeze=False)
    for row, (lost, lost_title) in enumerate(utility.items()):
        for column, (risk, risk_title) in enumerate(disclosure.items()):
            panel = axes[row, column]
            for at, part in enumerate(groups.values()):
                x, y = part[risk].mean(), part[lost].mean()
                panel.errorbar(
                    x, y, xerr=_reach(part[risk], x), yerr=_reach(part[lost], y), color=_COLOURS[at % len(_COLOURS)],
                    fmt=_SHAPES[at % len(_SHAPES)], markersize=6, elinewidth=0.7, markeredgecolor="white", markeredgewidth=0.5,
                )  # fmt: skip
            _dress(panel, risk_title if row == len(utility) - 1 else "", lost_title if column == 0 else "")
    handles = [container[0] for container in axes[0, 0].containers]
    legend = figure.legend(handles, list(map(str, groups)), loc="outside upper center", ncols=3, frameon=False, fontsize=8)
    for text in legend.get_texts():
        text.set(parse_math=False, color=_INK)
    return figure


def _reach(values: pd.Series, centre: float):
    """Distances down and up from the mean to the 5th and the 95th percentile, as matplotlib takes them."""
    low, high = values.quantile(0.05), values.quantile(0.95)
    return [[max(centre - low, 0.0)], [max(high - centre, 0.0)]]


def _dress(panel, below: str, left: str) -> None:
    """Axes: titles outside only, a line at nought, logarithms above 1."""
    panel.set_yscale("symlog", linthresh=1, linscale=0.5)
    panel.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    panel.axvline(0, color="#9aa5b1", linewidth=0.6, zorder=0)
    panel.grid(color="#e4e9ee", linewidth=0.6)
    panel.set_axisbelow(True)
    panel.tick_params(labelsize=8, colors=_GREY, length=2)
    panel.set_xlabel(below, fontsize=8.5, color=_INK, parse_math=False)
    panel.set_ylabel(left, fontsize=8.5, color=_INK, parse_math=False)
    panel.set_ylim(bottom=-0.15)  # whole symbols at nought
    for side in ("top", "right"):
        panel.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        panel.spines[side].set_color("#9aa5b1")
