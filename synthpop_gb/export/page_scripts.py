"""Scripts and data inside a page that holds everything itself: whatever texts hold, they stay what they are."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable

__all__ = ["script_hashes", "script_json", "script_text"]


def script_json(value) -> str:
    r"""Write JSON that can stand in a script element: no text in it can end the element or start another.

    >>> script_json({"name": "</script><b>"})
    '{"name":"\\u003c/script\\u003e\\u003cb\\u003e"}'
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def script_text(script: str) -> str:
    """Return a script of somebody else's that can stand in a script element: no text in it ends the element."""
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def script_hashes(scripts: Iterable[str]) -> str:
    """Name scripts to the browser by their hashes, as a page's policy lists them (Content Security Policy 3, hash-source)."""
    return " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)
