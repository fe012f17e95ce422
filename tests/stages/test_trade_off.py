"""The privacy-utility plot: every set once, means and spans where they belong, text as text."""

import io

import pandas as pd
import pytest

from synthpop_gb.report.trade_off import trade_off


def points():
    return pd.DataFrame(
        {"set": ["<b>a</b>", "$x^2$"] * 3, "risk": [0.0, 1, 0.2, 1, 0.4, 1], "identical": [1.0] * 6, "lost": [3.0, 0, 4, 0, 5, 0]}
    )


def test_one_symbol_a_set_and_panel():
    figure = trade_off(points(), name="set", disclosure={"risk": "risk", "identical": "identical, %"}, utility={"lost": "S_pMSE"})
    assert len(figure.axes) == 2
    for panel in figure.axes:
        assert len(panel.containers) == 2
    first = figure.axes[0].containers[0][0]
    assert first.get_xdata()[0] == pytest.approx(0.2)
    assert first.get_ydata()[0] == pytest.approx(4)
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["<b>a</b>", "$x^2$"]


def test_names_are_text_in_the_picture():
    figure = trade_off(points(), name="set", disclosure={"risk": "$risk"}, utility={"lost": "<i>lost</i>"})
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg")
    assert "<b>a</b>" not in buffer.getvalue()
    assert "<i>lost</i>" not in buffer.getvalue()


def test_what_cannot_be_drawn_is_said():
    with pytest.raises(ValueError, match="no column 'danger'"):
        trade_off(points(), name="set", disclosure={"danger": "danger"}, utility={"lost": "lost"})
    with pytest.raises(ValueError, match="nothing to draw"):
        trade_off(points().head(0), name="set", disclosure={"risk": "risk"}, utility={"lost": "lost"})
    one = trade_off(points().assign(risk=float("nan")), name="set", disclosure={"risk": "risk"}, utility={"lost": "lost"})
    one.savefig(io.BytesIO(), format="png")
