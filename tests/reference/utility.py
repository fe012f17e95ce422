"""Slow twins of the utility measures: record by record and cell by cell, as the papers write them."""

import math


def table(o, s):
    """Measures of two tables, one cell at a time (Raab, Nowok & Dibben 2021, table 6)."""
    cells = [(a, b) for a, b in zip(o, s, strict=True) if a + b > 0]
    n1, n2 = sum(o), sum(s)
    n, k = n1 + n2, len(cells)
    c = n2 / n
    out = dict.fromkeys(("vw", "pmse", "ft", "g", "jsd", "mabsdd", "wmabsdd"), 0.0)
    overlap = 0.0
    for a, b in cells:
        hoped, p, q = a * c / (1 - c), b / n2, a / n1
        out["vw"] += (b - hoped) ** 2 / (c * (a + b))
        out["pmse"] += (a + b) * (b / (a + b) - c) ** 2 / n
        out["ft"] += 4 * (math.sqrt(b) - math.sqrt(hoped)) ** 2
        out["g"] += 2 * b * math.log(p / q) if a and b else 0.0
        out["jsd"] += ((p * math.log2(2 * p / (p + q)) if b else 0) + (q * math.log2(2 * q / (p + q)) if a else 0)) / 2
        out["mabsdd"] += abs(q - p)
        out["wmabsdd"] += abs(b - a * n2 / n1) / math.sqrt(2 * c * (a + b) / math.pi)
        overlap += math.sqrt(p * q)
    out["dbhatt"] = math.sqrt(max(1 - overlap, 0))
    out["cells"], out["df"] = k, k - 1
    return out


def propensity(scores, synthetic):
    """Measures of a score, one record at a time and one pair of records at a time."""
    n = len(scores)
    n2 = sum(synthetic)
    c = n2 / n
    pmse = sum((p - c) ** 2 for p in scores) / n
    away = [(p, t) for p, t in zip(scores, synthetic, strict=True) if abs(p - c) > 1e-9]
    right = sum((p > c) if t else (p < c) for p, t in away)
    one = [p for p, t in zip(scores, synthetic, strict=True) if t]
    other = [p for p, t in zip(scores, synthetic, strict=True) if not t]
    specks = max(abs(sum(p <= x for p in other) / len(other) - sum(p <= x for p in one) / len(one)) for x in scores)
    wins = sum((a > b) + (a == b) / 2 for a in one for b in other)
    return {
        "pmse": pmse, "po50": 100 * right / len(away) - 50 if away else 0.0, "specks": specks,
        "u": wins + n2 * (n2 + 1) / 2, "auc": wins / (n2 * (n - n2)),
    }  # fmt: skip


def ks(x, y):
    """Largest distance of two cumulative distributions, at every value."""
    return max(abs(sum(v <= t for v in x) / len(x) - sum(v <= t for v in y) / len(y)) for t in [*x, *y])


def cramers_v(table):
    """Bergsma (2013), equations 1 to 4, cell by cell."""
    rows = [r for r in table if sum(r)]
    columns = [j for j in range(len(table[0])) if sum(r[j] for r in rows)]
    if len(rows) < 2 or len(columns) < 2:
        return math.nan
    n = sum(map(sum, rows))
    phi2 = 0.0
    for r in rows:
        for j in columns:
            hoped = sum(r) * sum(q[j] for q in rows) / n
            phi2 += (r[j] - hoped) ** 2 / hoped / n
    r, c = len(rows), len(columns)
    phi2 = max(0.0, phi2 - (r - 1) * (c - 1) / (n - 1))
    smaller = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1
    return min(1.0, math.sqrt(phi2 / smaller)) if smaller > 0 else math.nan


def pruned_risk(node, left, right, weights, price):
    """Least misclassified weight + price x leaves of any subtree rooted at a node: all subtrees are tried."""
    alone = min(weights[node]) + price
    if left[node] < 0:
        return alone
    return min(alone, sum(pruned_risk(child, left, right, weights, price) for child in (left[node], right[node])))
