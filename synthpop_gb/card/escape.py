"""Text of others in Markdown, addresses and identifiers: shown, never run."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote, urlsplit

__all__ = ["identifier", "iri", "markdown", "one_line", "web_address"]

_SPECIAL = re.compile(r"([\\`*_\[\]|~])")
_BLOCK = re.compile(r"^(#+(?=\s|$)|[+-](?=\s|$)|\d+[.)](?=\s|$)|=+$|--+$)")  # headings, lists and rules begin a line so
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def one_line(text: object) -> str:
    """Text without line breaks, control characters and marks that turn the direction of writing."""
    return _CONTROL.sub(" ", str(text)).strip()


def markdown(text: object) -> str:
    r"""Text as Markdown shows it: HTML, tables, emphasis, links and code in it are letters.

    >>> print(markdown("a|b <script>alert(1)</script> [x](javascript:alert(1)) _y_"))
    a\|b &lt;script&gt;alert(1)&lt;/script&gt; \[x\](javascript:alert(1)) \_y\_
    >>> print(markdown("# no heading\n- no list"))
    \# no heading - no list
    """
    said = one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    said = _SPECIAL.sub(r"\\\1", said)
    return _BLOCK.sub(lambda m: m[0][:-1] + "\\" + m[0][-1], said)


def web_address(text: str) -> str:
    """Return an address of the web or of mail that may be a link; '' for anything else.

    >>> web_address("https://www.nomisweb.co.uk/a b"), web_address("javascript:alert(1)"), web_address("ann@example.org")
    ('https://www.nomisweb.co.uk/a%20b', '', 'mailto:ann@example.org')
    """
    text = one_line(text)
    if re.fullmatch(r"[^@\s<>\"()]+@[\w.-]+\.\w+", text):
        return f"mailto:{text}"
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return ""
    return quote(text, safe=":/?#@!$&'*+,;=%~-._")


def identifier(text: str, most: int = 80) -> str:
    """Lower-case name of letters, digits, '.', '_' and '-', for identifiers.

    >>> identifier("Leeds 2011: Bad health"), identifier("…")
    ('leeds-2011-bad-health', 'unnamed')
    """
    plain = unicodedata.normalize("NFKD", one_line(text)).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9._]+", "-", plain).strip("-.")[:most] or "unnamed"


def iri(path: str) -> str:
    """Relative address of a file within the folder, for JSON-LD: percent-encoded, never absolute or upwards.

    >>> iri("maps/age from 65.png"), iri("/etc/passwd"), iri("../a")
    ('maps/age%20from%2065.png', 'etc/passwd', 'a')
    """
    parts = [p for p in path.replace("\\\\", "/").split("/") if p not in ("", ".", "..")]
    return "/".join(quote(p, safe="-._~") for p in parts)
