"""Slow twins of the disclosure measures: one real record at a time, as an intruder would go about it."""


def percent(part, whole):
    return 100 * part / whole if whole else float("nan")


def identity(real, synthetic):
    real, synthetic = list(real), list(synthetic)
    alone = [q for q in real if real.count(q) == 1]
    return {
        "UiO": percent(len(alone), len(real)),
        "UiS": percent(sum(synthetic.count(q) == 1 for q in synthetic), len(synthetic)),
        "UiOiS": percent(sum(q in synthetic for q in alone), len(real)),
        "repU": percent(sum(synthetic.count(q) == 1 for q in alone), len(real)),
    }


def attribute(real, synthetic):
    """real, synthetic: lists of (q, t)."""
    out = dict.fromkeys(("iS", "DiS", "DiSCO", "DiSDiO", "Dorig"), 0)
    guessed = matched = sure = 0
    for q, t in real:
        found = [s for k, s in synthetic if k == q]
        among = [s for k, s in real if k == q]
        out["Dorig"] += len(set(among)) == 1
        if not found:
            continue
        out["iS"] += 1
        matched += 1
        guessed += found.count(t) / len(found)
        if len(set(found)) == 1:
            sure += 1
            out["DiS"] += 1
            if found[0] == t:
                out["DiSCO"] += 1
                out["DiSDiO"] += len(set(among)) == 1
    n = len(real)
    measured = {k: percent(v, n) for k, v in out.items()}
    measured["Dsyn"] = percent(sum(len({s for k, s in synthetic if k == q}) == 1 for q, _ in synthetic), len(synthetic))
    measured["DCAP"], measured["DCAPd"] = percent(guessed, matched), percent(guessed, n)
    measured["TCAP"] = percent(out["DiSCO"], sure)
    return measured
