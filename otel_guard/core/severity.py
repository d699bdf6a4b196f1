"""How bad a failure is: a table of error class by context, and who alerts at once."""

from typing import Final

from otel_guard.core.record import CONTEXTS, SEVERITIES, Context, Severity

_LETTERS: Final[dict[str, Severity]] = {"L": "low", "M": "medium", "H": "high", "C": "critical"}
_COLUMNS: Final[tuple[Context, ...]] = ("database", "payment", "ai", "email", "api", "storage", "cache", "queue")
# instrumentation.md, section 11; "-" falls back to the row `unknown`.
_TABLE: Final = {
    "connection": "HHMMMMLH",
    "timeout": "MHMMMMLM",
    "server": "CHMMMMLM",
    "auth": "CCCHMHHH",
    "quota": "CHHHMCMH",
    "rate_limit": "MMMMLLLM",
    "config": "HHHHMHMH",
    "client": "HMMMLLLM",
    "constraint": "M-------",
    "contention": "MM--LLLL",
    "declined": "-L------",
    "rejected": "---L----",
    "content": "--LM----",
    "signature": "-M------",
    "cancelled": "-L------",
    "unknown": "MHMMMMLM",
}
# A handled one of these is the customer's news, not the operator's.
QUIET_CLASSES: Final = frozenset({"declined", "rejected", "cancelled"})
UNIQUE_VIOLATION: Final = "23505"


def rank(severity: str) -> int:
    """0 for low to 3 for critical."""
    return SEVERITIES.index(severity)


def higher(one: Severity, other: Severity) -> Severity:
    """The worse of the two."""
    return one if rank(one) >= rank(other) else other


def derived(context: Context, error_class: str | None, error_type: str | None = None) -> Severity:
    """Severity of a handled failure; without an error class (a plain exception) it is medium."""
    if error_class is None or context == "other":
        return "medium"
    if error_class == "constraint" and error_type == UNIQUE_VIOLATION:
        return "low"
    if error_class == "client" and error_type == "IdempotencyError":
        return "high"
    column = _COLUMNS.index(context)
    letter = _TABLE.get(error_class, _TABLE["unknown"])[column]
    return _LETTERS[letter if letter != "-" else _TABLE["unknown"][column]]


def alerts_at_once(severity: Severity, context: Context) -> bool:
    """Whether a record may not wait for the monitor: critical, or payment from high up."""
    return severity == "critical" or (context == "payment" and severity == "high")


def valid_severity(value: object) -> Severity | None:
    """*value* if it is one of the four, else None (as not given)."""
    return value if value in SEVERITIES else None


def valid_context(value: object) -> Context | None:
    """*value* if it is one of the nine, else None (as not given)."""
    return value if value in CONTEXTS else None
