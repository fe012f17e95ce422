"""People for release: record ids dropped or replaced, and rows in an order that tells nothing which the rows do not."""

from __future__ import annotations

import secrets
from hashlib import blake2b

import numpy as np
import pandas as pd

from synthpop_gb.release import ReleaseRule

__all__ = ["donor_labels", "row_rank"]

_DIGITS = 16
"""Hexadecimal digits of a hashed id: 64 bits, so that of a million records two share one with a chance of 3 in 100 million."""


def donor_labels(records: pd.Index, rule: ReleaseRule, *, seed: int | None = None, salt: bytes | None = None) -> pd.Index | None:
    """Return what stands in place of the survey's record ids, one label a record; None where they are dropped.

    Parameters
    ----------
    records : pandas.Index
        The usable records' ids.
    rule : ReleaseRule
        Its `donor_ids`: 'keep' the ids; 'drop' them; 'relabel' with numbers from 1 in random order; 'hash': keyed BLAKE2b of the
        id, which is the same in every file made with the same salt, so that files can be linked by who holds the salt.
    seed : int, optional
        Of the random order. Whoever knows it and the survey can undo the labels, so it is drawn and forgotten where absent.
    salt : bytes, optional
        Secret key of the hash, 16 bytes or more; drawn and forgotten where absent. It is never stored. Without a key ids could
        be found by hashing every id there may be.

    Raises
    ------
    ValueError
        For a salt that is too short to be secret, or two ids with one label.

    >>> ids = pd.Index([31, 7, 12])
    >>> donor_labels(ids, ReleaseRule("mine", donor_ids="drop")) is None
    True
    >>> sorted(donor_labels(ids, ReleaseRule("mine", donor_ids="relabel"), seed=1))
    [1, 2, 3]
    """
    if rule.donor_ids == "keep":
        return records
    if rule.donor_ids == "drop":
        return None
    if rule.donor_ids == "relabel":
        rng = np.random.default_rng(secrets.randbits(128) if seed is None else seed)
        return pd.Index(rng.permutation(len(records)) + 1, name="donor")
    salt = secrets.token_bytes(32) if salt is None else salt
    if len(salt) < 16:
        raise ValueError("a salt has 16 bytes or more")
    labels = pd.Index(
        [blake2b(str(r).encode(), key=salt[:64], digest_size=_DIGITS // 2).hexdigest() for r in records], name="donor"
    )
    if not labels.is_unique:
        raise ValueError("two record ids have one label: choose another salt")
    return labels


def row_rank(labels: pd.Index | None, answers: pd.DataFrame) -> np.ndarray:
    """(n_records,) int64 rank by which a zone's people are put in order: by what is written of them, and nothing else.

    In the order of the survey's ids, people copied from one record would stand together and in their record's place although the
    ids are gone.
    """
    if labels is not None:
        return pd.factorize(labels, sort=True)[0].astype(np.int64)
    rank = np.zeros(len(answers), np.int64)
    for name in answers:
        codes = pd.factorize(answers[name].astype("string").fillna(""), sort=True)[0]
        rank = np.unique(rank * (int(codes.max(initial=0)) + 1) + codes, return_inverse=True)[1].ravel()
    return rank.astype(np.int64)
