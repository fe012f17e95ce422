"""Disclosure on the page: whom the data expose, in words, with attacks beside the same attack on strangers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthpop_gb.checks import Checks
from synthpop_gb.report.audit.charts import Mark, Row, dot_chart
from synthpop_gb.report.audit.copied import copies, intruder, zones
from synthpop_gb.report.audit.grids import grid, known, percent, table_of, text_in
from synthpop_gb.report.audit.words import listed, per_hundred
from synthpop_gb.report.words import Column, Grid, counted, fixed, number, said, whole

__all__ = ["exposure"]

_NAMES = (
    "disclosure_identity", "disclosure_attribute", "disclosure_distance", "attacks", "zone_uniqueness", "intruder", "copies",
)  # fmt: skip


def exposure(checks: Checks, unit: str) -> dict | None:
    """Return sentences, pictures and tables of disclosure; None where nothing of it was measured."""
    if not any(n in checks.tables for n in _NAMES):
        return None
    return {
        "sentences": [*_identity(checks, unit), *_attribute(checks, unit), *_distance(checks, unit)],
        "attack_sentences": _attacks(checks),
        "attack_picture": _attack_picture(checks),
        "attacks": _attack_grid(checks),
        "identity": _identity_grid(checks),
        "attribute": _attribute_grid(checks),
        "distance": _distance_grid(checks),
        "copies": copies(checks, unit),
        "zones": zones(checks, unit),
        "intruder": intruder(checks, first=True),
        "intruder_all": intruder(checks, first=False),
    }


def _identity(checks: Checks, unit: str) -> list[str]:
    frame = table_of(checks, "disclosure_identity", ("keys",))
    if frame.empty or "repU" not in frame:
        return []
    row = frame.iloc[0]
    keys = listed([said(k) for k in str(row.get("keys", "")).split(" x ") if k])
    if not known(row["repU"]):
        return [f"Uniqueness on {keys} could not be measured."]
    text = f"Whoever knows {keys or 'the keys'} finds {_hundred(row.get('UiO'), 'real records')} to be the only one of its kind; "
    text += f"{_hundred(row['repU'], 'real records')} {_are(row['repU'])} so in the synthetic data as well (replicated uniques)"
    if known(row.get("repU_holdout")):
        text += f", where {_hundred(row['repU_holdout'], 'records of people who were not synthesised from')} would be by chance"
    return [text + "."]


def _hundred(per_cent, what: str) -> str:
    """Write a measure in per cent as so many of a hundred."""
    return per_hundred(float(per_cent) / 100 if known(per_cent) else np.nan, what)


def _are(per_cent: float) -> str:
    return "is" if _hundred(per_cent, "records").startswith(("1 of", "no ")) else "are"


def _attribute(checks: Checks, unit: str) -> list[str]:
    frame = table_of(checks, "disclosure_attribute", ("target", "DiSCO"))
    if frame.empty:
        return []
    wanted = frame.get("wanted", pd.Series(False, frame.index)).astype(bool)
    measure = "DiSCO_guarded" if "DiSCO_guarded" in frame else "DiSCO"
    row = frame[wanted].iloc[0] if wanted.any() else frame.loc[frame[measure].fillna(-1).idxmax()]
    if not known(row["DiSCO"]):
        return []
    text = f"Of {_hundred(row['DiSCO'], 'real records')} whoever knows the keys learns {said(row['target'])} rightly and for "
    text += "certain (DiSCO)"
    if known(row.get("DiSCO_guarded")):
        text += f"; leaving out what is common knowledge, of {_hundred(row['DiSCO_guarded'], 'real records')}"
    if known(row.get("DiSCO_holdout")):
        text += f". Of people who were not synthesised from it is {_hundred(row['DiSCO_holdout'], 'records')}"
    elif known(row.get("DiSCO_shuffled")):
        text += f". By chance alone, with the answers shuffled, it would be {_hundred(row['DiSCO_shuffled'], 'records')}"
    return [text + "."]


def _distance(checks: Checks, unit: str) -> list[str]:
    frame = table_of(checks, "disclosure_distance", ("comparison",))
    if frame.empty:
        return []
    rows = {r["comparison"]: r for r in frame.to_dict("records")}
    first, out = rows.get("synthetic to real", frame.iloc[0].to_dict()), []
    beside = rows.get("holdout to real") or rows.get("real to other real")
    if known(first.get("identical")):
        text = f"{_hundred(first['identical'], 'synthetic records')} {_are(first['identical'])} identical to a real one"
        if beside and known(beside.get("identical")):
            what = "records of the holdout" if "holdout to real" in rows else "real records"
            text += f"; of {what} {_hundred(beside['identical'], what).removesuffix(' ' + what)} {_are(beside['identical'])}"
            text += "" if "holdout to real" in rows else " identical to another"
        out.append(text[0].upper() + text[1:] + ".")
    if known(first.get("share_closer")):
        text = (
            f"{per_hundred(first['share_closer'], 'synthetic records')} are closer to a record they were made from than to any "
        )
        text += (
            f"kept back ({percent(first['lower'])} to {percent(first['upper'])} %); {percent(first['expected'])} % is expected "
        )
        text += "of data that leak nothing."
        out.append(text[0].upper() + text[1:])
    elif len(rows) and "holdout to real" not in rows:
        out.append("No real records were kept back: whether synthetic ones are closer to those they were made from is not known.")
    return out


def _attacks(checks: Checks) -> list[str]:
    out = []
    for row in table_of(checks, "attacks", ("attack", "success")).to_dict("records"):
        name = str(row["attack"]).replace("inference: ", "inference of ")
        n = int(row.get("n", 0) or 0)
        text = f"{name[0].upper()}{name[1:]}: {round(row['success'] * n):,} of {counted(n, 'attack')} "
        text += "succeeds" if n == 1 else "succeed"
        if known(row.get("control")):
            text += f", and {per_hundred(row['control'], 'attacks')} on people who were not synthesised from (strangers)"
        elif known(row.get("baseline")):
            text += f", where a guess without any data succeeds in {per_hundred(row['baseline'], 'attacks')}"
        if known(row.get("risk")):
            between = ""
            if known(row.get("risk_lower")) and known(row.get("risk_upper")):
                between = f" ({number(row['risk_lower'], 2)} to {number(row['risk_upper'], 2)}, 95 %)"
            text += f"; the risk that is left is {number(row['risk'], 2)}{between}"
        else:
            text += "; without people to compare with, how much of that is a leak is not known"
        out.append(text + ".")
    return out


def _attack_picture(checks: Checks) -> str:
    frame = table_of(checks, "attacks", ("attack", "success", "lower", "upper"))
    if frame.empty:
        return ""
    rows = []
    for r in frame[frame["success"].notna()].head(20).to_dict("records"):
        marks = [Mark("attack", 100 * r["success"], 100 * r["lower"], 100 * r["upper"])]
        if known(r.get("control")):
            marks.append(
                Mark("control", 100 * r["control"], 100 * r.get("control_lower", np.nan), 100 * r.get("control_upper", np.nan))
            )
        if known(r.get("baseline")):
            marks.append(Mark("guess", 100 * r["baseline"]))
        rows.append(
            Row(said(r["attack"]), tuple(marks), counted(int(r.get("n", 0) or 0), "attack"), number(r.get("risk", np.nan), 2))
        )
    names = {"attack": "attack", "control": "same attack on strangers", "guess": "guess without data"}
    shown = {m.series for r in rows for m in r.marks}
    return dot_chart(
        rows, label="Success of attacks, per cent. " + " ".join(_attacks(checks)), axis="successful attacks, %", right="risk",
        names={k: v for k, v in names.items() if k in shown}, ends=(0.0, 100.0),
    )  # fmt: skip


def _attack_grid(checks: Checks) -> Grid | None:
    columns = [
        Column("attack", "Attack", text=True, wrap=True),
        Column("known", "Known to the intruder", text=True, wrap=True, write=said),
        Column("wanted", "Wanted", text=True, wrap=True, write=said),
        Column("n", "Attacks", "", whole),
        Column("success", "Success", "%", percent),
        Column("lower", "Lower", "95 %, Wilson", percent),
        Column("upper", "Upper", "95 %", percent),
        Column("control", "Strangers", "%", percent),
        Column("control_lower", "Lower", "95 %", percent),
        Column("control_upper", "Upper", "95 %", percent),
        Column("baseline", "Guess", "%", percent),
        Column("risk", "Risk", "", fixed(2)),
        Column("risk_lower", "Lower", "95 %", fixed(2)),
        Column("risk_upper", "Upper", "95 %", fixed(2)),
    ]
    return grid(
        table_of(checks, "attacks"), columns, "Attacks, the same attacks on people who were not synthesised from, and guesses"
    )


def _identity_grid(checks: Checks) -> Grid | None:
    frame = table_of(checks, "disclosure_identity")
    if "without" in frame:
        frame = frame.assign(without=text_in(frame, "without").replace("", "none: all keys"))
    columns = [
        Column("without", "Key left out", text=True, write=said),
        Column("combinations", "Combinations", "of the real", whole),
        Column("UiO", "UiO", "% of real records", fixed(1)),
        Column("UiS", "UiS", "% of synthetic", fixed(1)),
        Column("UiOiS", "UiOiS", "% of real", fixed(1)),
        Column("repU", "repU", "% of real", fixed(1)),
        Column("repU_holdout", "repU, strangers", "%", fixed(1)),
    ]
    keys = said(frame["keys"].iloc[0]) if "keys" in frame and len(frame) else "the keys"
    return grid(frame, columns, f"Records that are alone on {keys}, and on all of them but one")


def _attribute_grid(checks: Checks) -> Grid | None:
    columns = [Column("target", "Learnt", text=True, write=said)]
    for key, heading, unit in (
        ("iS", "iS", "keys are found, %"), ("DiS", "DiS", "all agree, %"), ("DiSCO", "DiSCO", "and are right, %"),
        ("DiSCO_guarded", "DiSCO, guarded", "%"), ("DiSDiO", "DiSDiO", "%"), ("DiSCO_shuffled", "By chance", "DiSCO, %"),
        ("DiSCO_holdout", "Strangers", "DiSCO, %"), ("baseCAPd", "baseCAPd", "guess by margin, %"), ("DCAP", "DCAP", "%"),
        ("DCAPd", "DCAPd", "%"), ("TCAP", "TCAP", "%"),
    ):  # fmt: skip
        columns.append(Column(key, heading, unit, fixed(1)))
    caption = "What the keys give away of each variable, in per cent of real records"
    return grid(table_of(checks, "disclosure_attribute"), columns, caption, most=40, what="variable")


def _distance_grid(checks: Checks) -> Grid | None:
    columns = [
        Column("comparison", "Distance", text=True),
        Column("records", "Records", "", whole),
        Column("median", "Median", "Gower", fixed(4)),
        Column("p05", "5 %", "", fixed(4)),
        Column("identical", "Identical", "%", fixed(1)),
        Column("ratio", "To second nearest", "ratio, median", fixed(2)),
        Column("share_closer", "Closer to training", "%", percent),
        Column("lower", "Lower", "95 %", percent),
        Column("upper", "Upper", "95 %", percent),
        Column("expected", "Expected", "%", percent),
    ]
    return grid(table_of(checks, "disclosure_distance"), columns, "Distance to the closest record")
