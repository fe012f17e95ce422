"""Explain zones and areas of a finished run: open it, find them, say why they fit as they do, write it where asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from synthpop_gb import run_folder
from synthpop_gb.errors import Finding, InputError, finding
from synthpop_gb.validation.explanation import Explanation, explain

__all__ = ["Explained", "explain_run"]


@dataclass(frozen=True, eq=False)
class Explained:
    """Explanations of a run's places, and the files written."""

    run: str
    explanations: tuple[Explanation, ...]
    written: tuple[Path, ...] = ()

    def __repr__(self) -> str:
        """Return words and tables, cut to what a terminal holds."""
        from synthpop_gb.report.explanation import explanation_text

        return explanation_text(self.explanations)


def explain_run(
    folder: str | Path, zones: Sequence[str] = (), areas: Sequence[str] = (), *, output: str | Path | None = None
) -> Explained:
    """Say why zones and areas of a run fit as they do, who stands for them, and what would mend what misses.

    Parameters
    ----------
    folder : path
        A finished run that was made from a study; its files of people are what is judged.
    zones, areas : sequence of str
        Codes or names. The zone that misses most where neither is given.
    output : path, optional
        A file (.md, .html, .json), or a folder for Markdown and CSV.

    Raises
    ------
    InputError
        `unknown-zone`, for every place that is not there; what opening a run raises; `output-locked`.
    """
    from synthpop_gb.pipeline.after import opened

    study, aligned, population = opened(Path(folder))
    asked = [{"zone": z} for z in zones] + [{"area": a} for a in areas]
    if not asked:
        status = population.status
        worst = status.sort_values(["remainder", "residual"], ascending=False, kind="stable").index[:1]
        if not len(worst):
            raise InputError([finding("no-zones", f"{folder} has no zone that could be explained.", place=str(folder))])
        asked = [{"zone": str(worst[0])}]
    made: list[Explanation] = []
    wrong: list[Finding] = []
    for place in asked:
        try:
            counts = run_folder.read_counts(folder, aligned.records)
            made.append(explain(population, aligned, counts=counts, **place))
        except InputError as error:
            wrong += error.findings
    if wrong:
        raise InputError(wrong)
    title = study.title or study.name
    if output is None:
        return Explained(title, tuple(made))
    from synthpop_gb.report.explanation import write_explanations

    return Explained(title, tuple(made), write_explanations(made, output, title=title))
