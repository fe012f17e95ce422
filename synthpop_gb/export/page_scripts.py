"""JSON inside a page: whatever labels hold, it stays data."""

from __future__ import annotations

import json

__all__ = ["script_json"]


def script_json(value) -> str:
    r"""Write JSON that can stand in a script element: no text in it can end the element or start another.

    >>> script_json({"name": "</script><b>"})
    '{"name":"\\u003c/script\\u003e\\u003cb\\u003e"}'
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text
