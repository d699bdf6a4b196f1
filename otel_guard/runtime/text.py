"""Text of anything, without ever raising."""

import re
from typing import Final

LIMIT: Final = 65536 + 1024
_INVALID: Final = re.compile("[\x00\ud800-\udfff]")


def safe_text(value: object, limit: int = LIMIT) -> str:
    """`str(value)`, cut at *limit*; NUL and lone surrogates made visible; what cannot be shown is named by its type."""
    try:
        text = value if type(value) is str else str(value)
    except KeyboardInterrupt:
        raise
    except BaseException:  # the application's `__str__` may raise anything
        return f"<unprintable {type(value).__name__}>"
    return valid_text(text if len(text) <= limit else text[:limit])


def valid_text(text: str) -> str:
    r"""*text* with NUL as `\x00` and lone surrogates as `\udce9`: what Postgres and JSON cannot hold."""
    if text.isascii() and "\x00" not in text:
        return text
    return _INVALID.sub(_visible, text)


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    return "\\x00" if code == 0 else f"\\u{code:04x}"
