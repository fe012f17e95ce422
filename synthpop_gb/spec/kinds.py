"""Kinds of values in a study file, and the base of its tables."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

__all__ = ["Codes", "Count", "Files", "Link", "Strict", "Texts"]


def _as_text_codes(value):
    """TOML keys are text, codes in files are often numbers: keep both as text."""
    return [str(v) for v in value] if isinstance(value, list) else value


Codes = Annotated[list[str], BeforeValidator(_as_text_codes)]
Count = Annotated[int, Field(ge=1)]
Link = Annotated[str, Field(pattern=r"^https?://[^\s<>\"]+$")]
"""An address on the web: no other scheme, so that nothing in a card runs when it is clicked."""


def _as_list(value):
    """One text is a list of one."""
    return [value] if isinstance(value, str) else value


Texts = Annotated[list[str], BeforeValidator(_as_list)]

Files = Annotated[list[str], Field(min_length=1)]


class Strict(BaseModel):
    """Base of every table in a study: unknown keys are refused, and TOML's `inf` and `nan`; values never change after reading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, serialize_by_alias=True, allow_inf_nan=False
    )  # fmt: skip
