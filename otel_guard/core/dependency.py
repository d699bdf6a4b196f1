"""What an application depends on: its names, and what one finished call says of it."""

from typing import Final, Literal

from otel_guard.core.classify import CONSUMER, SERVER, Call

Status = Literal["healthy", "degraded", "unhealthy", "unknown", "not_configured", "disabled"]
Sign = Literal["ok", "failed", "credentials"]

DATABASE: Final = "database"
PAYMENT: Final = "payment"
AI: Final = "ai_providers"
STORAGE: Final = "storage"
EMAIL: Final = "email"
CACHE: Final = "cache"
MONITOR: Final = "monitor"
JOURNAL: Final = "journal"
# Always shown, in this order.
SERVICES: Final = (DATABASE, STORAGE, AI, PAYMENT, EMAIL, CACHE, MONITOR, JOURNAL)
CRITICAL: Final = frozenset({DATABASE, PAYMENT})
# OTel's name of an AI provider -> its label in /health.
PROVIDERS: Final = {"openai": "openai", "anthropic": "claude", "gcp.gemini": "gemini"}
PROVIDER_PREFIX: Final = "ai."  # a provider's rows: `ai.openai`

_BY_CONTEXT: Final = {context: context for context in (DATABASE, PAYMENT, STORAGE, EMAIL, CACHE)}
_FAILED: Final = frozenset({"connection", "timeout", "server", "rate_limit", "quota"})
_SHORT_MS: Final = 1000.0  # a caller's deadline below it says nothing of the peer
_MAX_PROVIDER: Final = 40
# What a class of failures is called; a database's `quota` is its connections.
_WORDS: Final = {
    "connection": "no connection",
    "timeout": "time-out",
    "server": "server errors",
    "rate_limit": "rate limited",
    "quota": "quota used up",
    "auth": "credentials",
    "config": "configuration",
}


def dependency_of(call: Call) -> str | None:
    """The name whose health *call* tells; None for requests that the application serves, and for the rest."""
    name = _BY_CONTEXT.get(call.context)
    if name is None and call.context == "ai" and call.system:
        name = provider_row(call.system)
    return None if call.kind in {SERVER, CONSUMER} else name


def provider_row(system: str) -> str:
    """The name of an AI provider's row, from OTel's name of it."""
    return f"{PROVIDER_PREFIX}{system[:_MAX_PROVIDER]}"


def label_of(row: str) -> str:
    """The name that /health shows of an AI provider's row."""
    system = row.removeprefix(PROVIDER_PREFIX)
    return PROVIDERS.get(system, system)


def sign_of(call: Call) -> Sign | None:
    """What *call* says of its peer; None: nothing, as when the request was bad, a card declined, the caller gone."""
    if call.outcome in {"ok", "partial"}:
        return "ok"
    error_class = call.error_class
    if call.outcome == "cancelled" or error_class is None:
        return None
    if error_class == "auth":
        return "credentials"
    if error_class == "timeout" and call.duration_ms < _SHORT_MS:
        return None
    if error_class in _FAILED or (error_class == "config" and call.context == DATABASE):
        return "failed"
    return None


def words_of(error_class: str | None, name: str) -> str:
    """How people call a class of failures of the dependency *name*."""
    if error_class == "quota" and name == DATABASE:
        return "pool exhausted"
    return _WORDS.get(error_class or "", "failing")
