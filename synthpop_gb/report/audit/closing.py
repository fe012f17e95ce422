"""What ends the page: each measure in a sentence with its source, the settings, the findings in full."""

from __future__ import annotations

from synthpop_gb.checks import Checks

__all__ = ["WORDS", "words_for"]

WORDS = (
    (
        "scan",
        "Invented, missing",
        "Records in combinations that the reference has nobody in; combinations of the reference that the "
        "synthetic data have nobody in. Impossible: declared never to occur.",
        "Voas & Williamson 2001, for the zeros among cells.",
    ),
    (
        "scan",
        "Beyond chance, q",
        "Exact binomial test of every cell; of the cells named, at most the share q is expected to be there by chance alone.",
        "Benjamini & Hochberg 1995.",
    ),
    (
        "scan",
        "Wrong cell, TVD",
        "Total variation distance, ½ Σ |O − E| ÷ N: the least share of records that would have to change cells.",
        "",
    ),
    (
        "scan",
        "Perfect sample, noise floor",
        "The same figure for records drawn at random from the reference itself. Records drawn so are below it by luck alone; "
        "people placed to meet tables scatter less than a draw, and may be.",
        "",
    ),
    (
        "scan",
        "SRMSE",
        "Root of the mean squared error of counts ÷ mean count.",
        "Knudsen & Fotheringham 1986.",
    ),
    (
        "scan",
        "VW ÷ (m − 1)",
        "Σ (O − E c/(1 − c))² ÷ (c (E + O)) over m cells, over m − 1; about 1 for a perfect sample.",
        "Voas & Williamson 2001.",
    ),
    (
        "univariate",
        "KS",
        "Largest distance between the two cumulative distributions of a number, from 0 to 1.",
        "Kolmogorov 1933; Smirnov 1948.",
    ),
    (
        "association",
        "Association",
        "Pearson’s and Spearman’s correlation of numbers; Cramér’s V of categories, corrected for bias; the "
        "correlation ratio of a number by a category.",
        "Bergsma 2013; Pearson 1905.",
    ),
    (
        "utility_tables",
        "pMSE, S_pMSE",
        "How well real and synthetic records can be told apart by a model or a table, and that over what a perfect"
        " synthesis would show. Below 3 is good, below 10 acceptable: a rule of thumb.",
        "Snoke et al. 2018; Raab, Nowok & Dibben 2021.",
    ),
    (
        "propensity",
        "PO50, SPECKS, U",
        "Share told apart beyond half; largest distance of the two distributions of the score; sum of ranks.",
        "Raab, Nowok & Dibben 2021; Bowen, Liu & Su 2021.",
    ),
    (
        "regression",
        "Interval overlap",
        "Mean share of the two 95 % intervals of a coefficient that they have in common; 1 where they are one, "
        "below 0 where they do not touch.",
        "Karr et al. 2006; Snoke et al. 2018.",
    ),
    (
        "prediction",
        "Trained on synthetic, tested on real",
        "A model learnt from synthetic records, judged on real ones it never saw, beside one learnt from real "
        "records and one that always says the most frequent.",
        "Esteban, Hyland & Rätsch 2017.",
    ),
    (
        "importance",
        "Importance",
        "How much worse predictions get when a variable is shuffled (permutation), or how much it moves them (SHAP).",
        "Breiman 2001; Lundberg & Lee 2017.",
    ),
    (
        "fairness",
        "Selection rate, TPR, FPR",
        "Share of a group predicted to have the outcome; of those who have it, who are found; of those who have "
        "not, who are taken for it.",
        "Hardt, Price & Srebro 2016.",
    ),
    (
        "disclosure_identity",
        "UiO, repU",
        "Per cent of real records alone on what an intruder knows; and alone in the synthetic data as well.",
        "Raab, Nowok & Dibben 2024.",
    ),
    (
        "disclosure_attribute",
        "DiSCO, DiSDiO",
        "Per cent of real records whose answer the synthetic data give away for certain and rightly; and the real "
        "data would, too.",
        "Raab, Nowok & Dibben 2024.",
    ),
    (
        "disclosure_attribute",
        "DCAP, TCAP",
        "How often a guess in proportion to the synthetic records with the same keys is right; and a guess where they all agree.",
        "Elliot 2014; Taub et al. 2018.",
    ),
    (
        "disclosure_distance",
        "Closest record",
        "Gower’s distance to the nearest record: 0 alike, 1 different in everything.",
        "Gower 1971; Platzer & Reutterer 2021.",
    ),
    (
        "attacks",
        "Risk of an attack",
        "(Attack − strangers) ÷ (1 − strangers): success beyond what the same attack has on people who were not "
        "synthesised from. Singling out, linkage, inference.",
        "Article 29 Working Party 2014 (WP 216); Giomi et al. 2023.",
    ),
    (
        "attacks",
        "Interval of a share",
        "Wilson’s score interval.",
        "Wilson 1927.",
    ),
)
"""By beginning of a table's name: a measure, what it says in one sentence, its source."""


def words_for(checks: Checks) -> list[dict]:
    """Return the measures that stand on the page."""
    names = [n for n, frame in checks.tables.items() if len(frame)]
    return [{"word": w, "means": m, "source": s} for start, w, m, s in WORDS if any(n.startswith(start) for n in names)]
