"""The `where` of a rule as parameters, and in words."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from otel_guard.core.record import CONTEXTS
from otel_guard.core.rule import Rule

_KEYS: Final = (
    *("context", "system", "operation", "route", "service", "environment"),
    *("severity", "error_type", "error_class", "fingerprint", "table_name"),
)
REQUESTS: Final = ("http.server.request.duration",)


def filters(rule: Rule) -> dict[str, object]:
    """One parameter a key, None: any."""
    return {key: rule.where.get(key) for key in _KEYS}


def whole(rule: Rule) -> dict[str, Any]:
    """Service and environment of a finding over all that *rule* looks at."""
    return {key: rule.where.get(key, "") for key in ("service", "environment")}


def names(rule: Rule) -> list[str] | None:
    """The metrics of `calls`; a route alone means its requests, not the queries below them."""
    if name := rule.where.get("name"):
        return [name]
    is_route_alone = "route" in rule.where and not {"context", "system", "operation"} & set(rule.where)
    return list(REQUESTS) if is_route_alone else None


def types(where: Mapping[str, str]) -> list[str]:
    """The types of `slow_calls`, so that the index is of use."""
    if given := where.get("type"):
        return [given]
    contexts: Sequence[str] = [where["context"]] if "context" in where else CONTEXTS
    return ["database_query" if context == "database" else f"{context}_call" for context in contexts]


def described(rule: Rule) -> str:
    """` (route /checkout)`, or nothing."""
    said = ", ".join(f"{key} {value}" for key, value in rule.where.items() if key not in {"service", "environment"})
    return f" ({said})" if said else ""
