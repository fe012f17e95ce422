"""Checks: what validation found, as tidy tables that every report, plot and reader shares."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from synthpop_gb.errors import Finding

__all__ = ["Checks", "without_records"]


@dataclass(frozen=True, eq=False)
class Checks:
    """Results of validation.

    Attributes
    ----------
    headline : mapping of str to value
        The few numbers a director reads first, plain values fit for JSON by plain names: 'people', 'zones', 'zones with
        nobody', 'zones converged', 'zones not converged', 'zones exact' (counted total absolute error 0), 'total absolute
        error', 'total absolute error above the floor', 'zones above the floor', 'worst zone' (None where all are exact),
        'total absolute error of the worst zone', 'largest residual before integerising' (people), 'tables', 'non-fitting
        tables' (tables of one zone with RSSZ above 1), 'non-fitting cells'; only where counts are perturbed 'total absolute
        error against the counts as published', 'cells within the publisher's noise' and 'tables within the publisher's noise'
        (text); 'pairs of variables' (text: share of people away from the fractional fit, beside yardsticks), 'held out
        <table>' (text: share of people in the wrong cell beside yardsticks); only of whole households 'households', 'zones exact
        in households', 'zones exact in people', 'total absolute error in households' and 'in people', 'pairs of variables of
        households'; 'records', 'effective records', 'records used', '<level> tables met' and 'held out <level> <table>' (text,
        with levels), 'income <name>' (text), 'true error of <indicator>' and 'indicator <file>' (text).
    tables : mapping of str to pandas.DataFrame
        Tidy tables by name; the file `validation/<name>.parquet` holds each. Columns are listed by the function named in
        brackets, of `synthpop_gb.validation`; people are counted again, from donors. Where a table counts households, so does its
        row: the column `unit` of 'table_fit', 'intersections' and 'held_out' says which.

        - 'cell_fit': zone, table, cell, observed, expected, published, error, z, z_modified (`zone_fit.cell_fit`)
        - 'zone_fit': one row a zone and table: people, observed, tae, tae_published, floor, tae_above_floor, sae, srmse,
          r2, max_z, rssz, nonfitting_cells, fits, and registered metrics (`zone_fit.zone_fit`); where counts are perturbed
          noisy_cells, cells_within_noise, noise_ratio (`noise.noise_measures`)
        - 'parent_fit': the same by level, parent and table (`zone_fit.parent_fit`)
        - 'level_fit': one row a level, area and table that was published for the areas above the zones, fitted or kept back, with
          held_out, worst_cell, exact (`level_fit.level_fit`); only with levels
        - 'table_fit': one row a table, with zones_exact, nonfitting_zones, worst_zone (`zone_fit.table_fit`)
        - 'zones': one row a zone over all tables, with the solver's statuses: what maps are drawn from (`summary.zone_summary`)
        - 'intersections': one row a pair of variables: per cent of people in the wrong cell of the reference (wrong_whole),
          beside wrong_fit, wrong_independence, wrong_survey, wrong_average, rounding, floor, floor_sample, floor_survey;
          zone_mean_* are the same as means of zones (`pairs.intersections`); 'intersection_cells': one row a cell
          (`pairs.comparison_cells`)
        - 'held_out': one row a held-out table with the same yardsticks (`held_out.held_out`); 'held_out_zones' by zone,
          'held_out_cells' by cell
        - 'donor_reuse': zone, people, donors, largest_share, effective_donors, of whole households the same of households
          (`donor_reuse.donor_reuse`); 'record_use': the 100 most copied records (`donor_reuse.most_used_records`), named where
          the survey is open
        - 'left_out_cells' and 'left_out': tables left out in turn, only with replicates (`assessment.LeftOut.tables`)
        - 'true_error' and 'true_error_zones': against a known truth, where there is one (`truth.true_error`)

        - 'incomes': one row a published income and area, before and after, where `[[start.incomes]]` asks for it
          (`assessment.CalibratedIncomes.frame`; `pipeline.incomes`)
        - 'causes': why the zones that miss most do, one row a cause (`explanation.zone_causes`)
        - 'household_mix', 'household_cells', 'household_zones', 'impossible_households': of whole households, who lives with whom
          beside the survey and a known truth (`inside_households.household_checks`)

        Of an audit, in `audit/`:

        - 'verdicts': one row a use (`verdicts.pair_verdicts`, `verdicts.population_verdicts`)
        - 'scan_tables', 'scan_cells', 'scan_points', 'scan_rarity', 'scan_coverage', 'scan_zones', 'scan_zone_cells':
          combinations of up to three variables (`intersections.scan`, `intersections.scan_zones`)
        - 'univariate', 'univariate_bins', 'association', 'association_norms', 'utility_tables', 'propensity', 'regression',
          'regression_fit', 'prediction', 'confusion', 'importance', 'importance_agreement', 'fairness' (`utility.utility`)
        - 'disclosure_identity', 'disclosure_attribute', 'disclosure_guarded', 'disclosure_distance', 'disclosure_near', 'attacks'
          (`disclosure.disclosure`); 'zone_uniqueness', 'intruder', 'copies', 'donor_reuse' (`disclosure.cloned_disclosure`)
    findings : tuple of Finding
        What does not fit, worst first: 'zone-not-fitted' (fits that did not converge, then people that miss targets),
        'recount-differs', 'worse-than-independence', 'level-not-met' (areas above the zones).
    """

    headline: Mapping[str, object]
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    findings: tuple[Finding, ...] = field(default=())

    def __getitem__(self, name: str) -> pd.DataFrame:
        """Return one tidy table by name."""
        return self.tables[name]

    def __repr__(self) -> str:
        """Headline, one number a line."""
        return "\n".join(["Checks", *(f"  {k}: {_said(v)}" for k, v in self.headline.items())])


def _said(value: object) -> str:
    """Write a headline's value: thousands apart, truth values in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def without_records(item: Finding) -> Finding:
    """Return a finding that names no record or household of a survey: without rows that do, and the first's id and values.

    >>> import pandas as pd
    >>> from synthpop_gb.errors import finding
    >>> item = finding("zero-weight", "2 records have none (first: P7).", rows=pd.DataFrame({"record": ["P7"]}))
    >>> without_records(item).message, without_records(item).rows
    ('2 records have none.', None)
    >>> item = finding("uneven-household", "Weights differ (first: 7, 1 to 9); their mean was used.",
    ...                rows=pd.DataFrame({"household": [7], "lowest": [1.0], "highest": [9.0]}))
    >>> without_records(item).message, without_records(item).rows
    ('Weights differ; their mean was used.', None)
    """
    if item.rows is None or not {"record", "household", "id", "donor", "donor_household"} & set(item.rows.columns):
        return item
    return replace(item, rows=None, message=re.sub(r" \(first: .*\)", "", item.message, flags=re.DOTALL))
