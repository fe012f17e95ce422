"""Audits from files: of a real and a synthetic file, and of a finished run; tables, page and card in a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from synthpop_gb import run_folder
from synthpop_gb.aligned import Aligned
from synthpop_gb.checks import Checks
from synthpop_gb.errors import Finding, InputError, finding
from synthpop_gb.pair import Pair
from synthpop_gb.pipeline.after import opened
from synthpop_gb.pipeline.card import card_of, write_pair_card
from synthpop_gb.pipeline.map_files import slug
from synthpop_gb.provenance import versions
from synthpop_gb.release import ReleaseRule, check_release, release_rule
from synthpop_gb.validation import WORDS, audit, audit_population, refused_release, worst
from synthpop_gb.validation.comparisons import table_names
from synthpop_gb.validation.intersections import survey_codes, withhold_few

__all__ = ["Audit", "audit_files", "audit_run", "from_options"]


@dataclass(frozen=True, eq=False)
class Audit:
    """What an audit gives.

    Attributes
    ----------
    folder, report : Path
        Where it lies, and its page.
    checks : Checks
        Tables, headline and findings; 'verdicts' among the tables.
    pair : Pair or None
        Where two files were audited.
    refused : tuple of Finding
        What breaks the release rule that was asked for.
    """

    folder: Path
    checks: Checks
    report: Path
    pair: Pair | None = None
    refused: tuple[Finding, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether no use that such data are meant for was judged unfit."""
        frame = self.checks["verdicts"]
        return worst(frame.loc[frame["meant"], "verdict"]) != "unfit"

    def __repr__(self) -> str:
        """Verdicts, one a line, each with its figure."""
        words = WORDS | {"unfit": "NOT FIT"}
        rows = self.checks["verdicts"].to_dict("records")
        wide = max((len(r["use"]) for r in rows), default=0)
        said = [words[r["verdict"]] if r["meant"] else "not meant" for r in rows]
        lines = [f"  {r['use']:{wide}}  {word:9}  {r['figure']}" for r, word in zip(rows, said, strict=True)]
        return "\n".join(["What it may be used for", *lines])


def audit_files(
    real: str | Path | pd.DataFrame,
    synthetic: str | Path | pd.DataFrame,
    output: str | Path | None = None,
    *,
    holdout: str | Path | pd.DataFrame | None = None,
    impossible: Iterable[str] = (),
    order: int = 3,
    seed: int = 1,
    models: bool = True,
    licence: str = "restricted",
    card: Mapping[str, object] | None = None,
    release: str | Mapping | ReleaseRule | None = None,
    overwrite: bool = False,
    workers: int | None = None,
    tell: Callable[[str], object] | None = None,
    **pairing,
) -> Audit:
    """Audit a synthetic file against the real one: tables, audit.html and a card in a folder of their own.

    Parameters
    ----------
    real, synthetic : path or pandas.DataFrame
        As `read.pair` takes them.
    output : path, optional
        Folder, new or empty; `outputs/audit-<name of the synthetic file>` where absent.
    holdout : path or pandas.DataFrame, optional
        Real records that were not synthesised from.
    impossible, order, seed, models, workers
        As of `validation.audit`.
    licence : str
        Of the real records; only with 'open' does the card show counts below ten.
    card : mapping, optional
        What the maker states of the synthetic file: the keys of a study's [card].
    release : optional
        A rule, its profile's name or its mapping: what of it is broken is in `Audit.refused`.
    overwrite : bool
        Replace an earlier audit in the folder.
    tell : callable, optional
        Called with a few words as each part begins.
    **pairing
        keys, target, protected, exclude, weight, kinds, missing, cloned, names: as of `read.pair`.

    Raises
    ------
    InputError
        With every finding about the files; `output-exists`. Nothing was written then.
    """
    from synthpop_gb.read import pair as read_pair

    stem = "frame" if isinstance(synthetic, pd.DataFrame) else Path(synthetic).stem
    folder = Path("outputs") / f"audit-{slug(stem)}" if output is None else Path(output)
    _may_write(folder, overwrite)
    rule, impossible = _rule(release), tuple(impossible)
    pair = read_pair(real, synthetic, **pairing)
    kept = None if holdout is None else _kept_apart(real, holdout, pair, pairing)
    checks = audit(pair, seed=seed, order=order, impossible=impossible, holdout=kept, models=models, workers=workers, tell=tell)
    refused = ()
    if rule is not None:
        columns = list(pair.names) + [name for name, _ in pair.left_out]
        refused = tuple(check_release(rule, licence=licence, columns=columns, keys=pair.keys, checks=checks))
        checks = refused_release(checks, rule.name, refused)
    settings = {
        "release rule": "none asked for" if rule is None else rule.name,
        "largest combination": order, "seed": seed, "models trained": "yes" if models and pair.target else "no",
        "impossible": "; ".join(impossible) or "nothing declared",
        "records kept apart": "none" if kept is None else f"{len(kept):,}",
        "keys": ", ".join(pair.keys) or "none named", "target": pair.target or "none named",
        "protected": ", ".join(pair.protected) or "none recognised",
    }  # fmt: skip
    facts = {
        "real": f"{pair.real_name}, {len(pair.real):,} records",
        "synthetic": f"{pair.synthetic_name}, {len(pair.synthetic):,} records",
        "variables compared": len(pair.variables), "date": _today(), "settings": settings,
        "files": {Path(f.path).name: f"SHA-256 {f.sha256}" for f in pair.files}, "versions": versions(),
    }  # fmt: skip
    from synthpop_gb.report.audit import write_audit

    page = write_audit(folder, checks, title=f"Audit of synthetic data: {pair.synthetic_name}", facts=facts)
    write_pair_card(pair, checks, folder, licence=licence, card=card, settings=settings)  # last: it lists the page
    return Audit(folder, checks, page, pair, refused)


def audit_run(
    folder: str | Path,
    *,
    names: Sequence[str] | None = None,
    keys: Sequence[str] | None = None,
    impossible: Iterable[str] = (),
    order: int = 3,
    release: str | Mapping | ReleaseRule | None = None,
    workers: int | None = None,
    tell: Callable[[str], object] | None = None,
) -> Audit:
    """Audit a finished run: its folder gets audit/ and audit.html, and its card is written anew.

    Of a survey whose licence is not open no group that fewer than ten of its records are in is named or counted, as for
    indicators; see `withhold_few`.

    Parameters
    ----------
    folder : path
        A run made from a study.
    names : sequence of str, optional
        Variables of the survey to scan; all that its codebook describes where absent.
    keys : sequence of str, optional
        What an intruder knows of somebody; what neighbours may see where absent.
    impossible, order, workers, tell
        As of `validation.audit_population`.
    release : optional
        A rule, its profile's name or its mapping: what of it is broken is in `Audit.refused`.

    Raises
    ------
    InputError
        Where the run or an input is not as it was, or a variable, key or rule is not known.
    """
    folder, rule, impossible = Path(folder), _rule(release), tuple(impossible)
    study, aligned, population = opened(folder, replicates=True)
    counts = list(run_folder.read_counts(folder, aligned.records))
    checks = audit_population(
        population, aligned, run_folder.read_checks(folder), counts=counts, names=names, keys=keys, order=order,
        impossible=impossible, workers=workers, tell=tell,
    )  # fmt: skip
    refused = () if rule is None else tuple(_broken(rule, aligned, checks, keys or ()))
    checks = checks if rule is None else refused_release(checks, rule.name, refused)
    if study.survey.licence != "open":
        published = [f"published {name}" for name in table_names(aligned.held_out)]
        checks = withhold_few(checks, survey_codes(aligned, names), published=published, impossible=impossible)
    run_folder.write_checks(checks, folder, licence=study.survey.licence, under="audit")
    facts = {
        "population": f"{population.people:,} people in {len(aligned.zones):,} zones",
        "survey": f"{aligned.survey.name}, {len(aligned.records):,} records of {aligned.survey.universe.name}",
        "method": population.provenance.method,
        "date": _today(),
        "settings": {
            "largest combination": order, "impossible": "; ".join(impossible) or "nothing declared",
            "keys": checks.headline.get("keys", "none"), "release rule": "none asked for" if rule is None else rule.name,
        },
        "versions": versions(),
    }  # fmt: skip
    from synthpop_gb.report.audit import write_audit

    page = write_audit(folder, checks, title=f"Audit of a synthetic population: {study.heading}", facts=facts, unit="people")
    card_of(folder)
    return Audit(folder, checks, page, refused=refused)


def _broken(rule: ReleaseRule, aligned: Aligned, checks: Checks, keys: Sequence[str]) -> list[Finding]:
    """List what the rows of a run's people, as `expand` would write them by the rule, would break of it."""
    from synthpop_gb.export.people import person_columns

    answers = list(person_columns(aligned))
    return check_release(
        rule, licence=aligned.survey.licence, columns=["person", "zone", *answers], answers=answers, keys=keys, checks=checks
    )


def _rule(release: str | Mapping | ReleaseRule | None) -> ReleaseRule | None:
    """Return the rule that was asked for, before anything is computed. Raises InputError where there is none such."""
    return None if release is None else release_rule(release)


def _kept_apart(real, holdout, pair: Pair, pairing: Mapping) -> pd.DataFrame:
    """Read records that were kept apart as the pair was read, so that labels and types agree."""
    from synthpop_gb.read import pair as read_pair

    known = {k: v for k, v in pairing.items() if k in ("exclude", "weight", "missing")}
    known["kinds"] = {v.name: v.kind for v in pair.variables}  # a target of nought and one is a category there, too
    apart = read_pair(real, holdout, **known, cloned=False).synthetic
    absent = [n for n in pair.names if n not in apart]
    if absent:
        message = f"The records kept apart have no {', '.join(absent)}, or write it with other codes."
        raise InputError([finding("missing-column", message, place="holdout", count=len(absent))])
    return apart[list(pair.names)]


def _may_write(folder: Path, overwrite: bool) -> None:
    """Refuse a folder that holds anything but an earlier audit, and that without `overwrite`."""
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    if not (folder / "pair.json").is_file():
        message = f"{folder} holds other files; an audit has a folder of its own."
        raise InputError([finding("output-exists", message, place=str(folder), remedy="Name a new folder.")])
    if not overwrite:
        raise InputError([finding("output-exists", f"{folder} holds an audit.", place=str(folder))])


def _today() -> str:
    now = datetime.now(UTC)
    return f"{now.day} {now:%B %Y}"


def from_options(first: Path, synthetic: Path | None, given: Mapping) -> Audit:
    """Audit what a command line names: two files, or a run's folder. Raises ValueError for what does not belong together."""
    of_run = ("variables",)
    of_pair = ("target", "protected", "exclude", "holdout", "weight", "cloned", "is_open", "output", "no_models", "overwrite")
    if synthetic is None and not first.is_dir():
        raise ValueError(f"{first} is a file: name the synthetic file after it, or the folder of a run")
    if synthetic is not None and first.is_dir():
        raise ValueError(f"{first} is a folder: two files are audited, or the folder of a run")
    wrong = [n for n in (of_pair if synthetic is None else of_run) if given[n]]
    if wrong:
        names = ", ".join(f"--{'open' if n == 'is_open' else n.replace('_', '-')}" for n in wrong)
        raise ValueError(f"{names}: not for {'a run' if synthetic is None else 'two files'}")
    shared = {name: given[name] for name in ("impossible", "order", "release", "tell")}
    if synthetic is None:
        return audit_run(first, names=given["variables"] or None, keys=given["keys"] or None, **shared)
    return audit_files(
        first, synthetic, given["output"], holdout=given["holdout"], seed=given["seed"], models=not given["no_models"],
        licence="open" if given["is_open"] else "restricted", overwrite=given["overwrite"], keys=given["keys"],
        target=given["target"], protected=given["protected"] or None, exclude=given["exclude"], weight=given["weight"],
        cloned=given["cloned"] or None, **shared,
    )  # fmt: skip
