"""Why a connection was refused, where the driver gives no SQLSTATE but only the server's sentence."""

from typing import Final

# libpq keeps no SQLSTATE of a failed connect; in other server languages the class is `connection`.
_SENTENCES: Final = (
    ("password authentication failed", "auth"),
    ("no password supplied", "auth"),
    ("authentication failed", "auth"),
    ("no pg_hba.conf entry", "auth"),
    ("is not permitted to log in", "auth"),
    ("permission denied for database", "auth"),
    ("too many clients", "quota"),
    ("too many connections", "quota"),
    ("remaining connection slots", "quota"),
    ("timeout expired", "timeout"),
    ("timed out", "timeout"),
)
_MISSING: Final = ("database ", "role ")


def error_class(text: str) -> str | None:
    """Row of the severity table for the *text* of a failed connect; None if it says nothing we know."""
    low = text.lower()
    if "does not exist" in low and "fatal:" in low:
        said = low.partition("fatal:")[2].lstrip()
        found = next((word for word in _MISSING if said.startswith(word)), None)
        if found is not None:
            return "config" if found == _MISSING[0] else "auth"
    return next((found for sentence, found in _SENTENCES if sentence in low), None)
