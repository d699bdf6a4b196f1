"""`/livez`, `/readyz`, `/health`: from a request to its answer, without looking at anything but what is kept."""

import hmac
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, Literal, Protocol

from msgspec import Struct

from otel_guard.core.web import Answer, Authorize, Request, as_json

OK: Final = 200
NOT_ALLOWED: Final = 405
UNAVAILABLE: Final = 503
METHODS: Final = frozenset({"GET", "HEAD"})
LEAST_TOKEN: Final = 32
BEARER: Final = "bearer "
Scope = Literal["service", "process"]
Group = Literal["critical", "ai"]
READY: Final = "ready"


class Kept(Protocol):
    """What the endpoints may look at."""

    def ready(self) -> str:
        """`ready`, `starting`, `draining` or `not_ready`."""
        ...

    def body(self, *, scope: Scope, group: Group | None) -> dict[str, object]:
        """The body of /health, with details."""
        ...


class Policy(Struct, frozen=True, kw_only=True):
    """Who sees the details; a *token* that is too short counts as none."""

    details: Literal["never", "authorized", "public"] = "authorized"
    token: str | None = None
    version: str | None = None


def problems(policy: Policy) -> tuple[str, ...]:
    """What is wrong with the settings."""
    if policy.token is not None and len(policy.token.encode()) < LEAST_TOKEN:
        return (
            f"health.token is shorter than {LEAST_TOKEN} bytes and is not used: set OTEL_GUARD_HEALTH_TOKEN to a longer one",
        )
    return ()


def paths(prefix: str) -> Mapping[str, str]:
    """The paths below *prefix*, and which endpoint each is."""
    base = "/" + prefix.strip("/")
    return {f"{base.rstrip('/')}/{name}": name for name in ("livez", "readyz", "health")}


def answer(
    name: str, request: Request, kept: Kept, policy: Policy, now_ms: Callable[[], int], authorize: Authorize | None
) -> Answer:
    """Answer *request* to the endpoint *name*."""
    is_head = request.method == "HEAD"
    if request.method not in METHODS:
        refused = as_json(NOT_ALLOWED, {"error": "GET or HEAD"})
        return Answer(refused.status, (*refused.headers, ("Allow", "GET, HEAD")), refused.body)
    if name == "livez":
        return as_json(OK, {"status": "alive"}, is_head=is_head)
    if name == "readyz":
        state = kept.ready()
        return as_json(OK if state == READY else UNAVAILABLE, {"status": state}, is_head=is_head)
    query = request.query
    body = kept.body(scope=_scope(query), group=_group(query))
    status = UNAVAILABLE if body["status"] == "unhealthy" else OK
    head = {"status": body.pop("status"), "version": policy.version or "unknown", "timestamp": _moment(now_ms())}
    shown = head | body if _may_see(request, policy, authorize) else head
    return as_json(status, shown, is_head=is_head)


def _may_see(request: Request, policy: Policy, authorize: Authorize | None) -> bool:
    if policy.details != "authorized":
        return policy.details == "public"
    return _has_token(request, policy) or (authorize is not None and bool(authorize(request)))


def _has_token(request: Request, policy: Policy) -> bool:
    token = (policy.token or "").encode()
    given = request.headers.get("authorization", "")
    if len(token) < LEAST_TOKEN or not given.lower().startswith(BEARER):
        return False
    return hmac.compare_digest(given[len(BEARER) :].strip().encode("utf-8", "surrogateescape"), token)


def _scope(query: Mapping[str, str]) -> Scope:
    return "process" if query.get("scope") == "process" else "service"


def _group(query: Mapping[str, str]) -> Group | None:
    match query.get("group"):
        case "critical":
            return "critical"
        case "ai":
            return "ai"
    return None


def _moment(now_ms: int) -> str:
    return f"{datetime.fromtimestamp(now_ms // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
