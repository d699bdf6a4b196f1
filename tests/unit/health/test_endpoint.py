import json
from typing import Any

import pytest

from otel_guard.core.web import Answer, Authorize, Request
from otel_guard.health.endpoint import Policy, answer, paths, problems

NOON_MS = 1_700_000_000_123
TOKEN = "t" * 32
DETAILS = {"age_ms": 5, "services": {"database": {"status": "healthy"}}}


class Kept:
    """What the endpoints look at, and whether they did."""

    def __init__(self, status: str = "healthy", ready: str = "ready") -> None:
        self.asked: list[Any] = []
        self._status = status
        self._ready = ready

    def ready(self) -> str:
        self.asked.append("ready")
        return self._ready

    def body(self, *, scope: str, group: str | None) -> dict[str, object]:
        self.asked.append((scope, group))
        return {"status": self._status, **DETAILS}


def ask(
    name: str,
    kept: Kept | None = None,
    *,
    policy: Policy | None = None,
    authorize: Authorize | None = None,
    method: str = "GET",
    query: str = "",
    **headers: str,
) -> Answer:
    request = Request(method=method, path=f"/{name}", query_string=query, headers=headers)
    return answer(name, request, kept or Kept(), policy or Policy(token=TOKEN), lambda: NOON_MS, authorize)


def body(of: Answer) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(of.body)
    return found


def test_liveness_looks_at_nothing() -> None:
    kept = Kept("unhealthy", "not_ready")

    assert (ask("livez", kept).status, body(ask("livez", kept)), kept.asked) == (200, {"status": "alive"}, [])


@pytest.mark.parametrize(
    ("state", "status"), [("ready", 200), ("starting", 503), ("draining", 503), ("not_ready", 503)]
)
def test_readiness_says_why_not(state: str, status: int) -> None:
    given = ask("readyz", Kept(ready=state))

    assert (given.status, body(given)) == (status, {"status": state})
    assert dict(given.headers).get("Retry-After") == ("30" if status == 503 else None)


@pytest.mark.parametrize(
    ("status", "code"), [("healthy", 200), ("degraded", 200), ("unhealthy", 503), ("unknown", 200)]
)
def test_only_an_outage_is_a_503(status: str, code: int) -> None:
    assert ask("health", Kept(status)).status == code


@pytest.mark.parametrize("name", ["livez", "readyz", "health"])
def test_nobody_keeps_an_answer(name: str) -> None:
    headers = dict(ask(name).headers)

    assert (headers["Cache-Control"], headers["Content-Type"]) == ("no-store", "application/json")


@pytest.mark.parametrize("name", ["livez", "readyz", "health"])
def test_head_is_get_without_the_body(name: str) -> None:
    kept = Kept("unhealthy", "not_ready")
    get, head = ask(name, kept), ask(name, kept, method="HEAD")

    assert (head.status, head.headers, head.body) == (get.status, get.headers, b"")
    assert dict(head.headers)["Content-Length"] == str(len(get.body))


def test_other_methods_are_refused() -> None:
    refused = ask("health", method="POST")

    assert (refused.status, dict(refused.headers)["Allow"]) == (405, "GET, HEAD")


def test_anonymous_sees_status_version_and_time_alone() -> None:
    policy = Policy(token=TOKEN, version="1.4.2")

    assert body(ask("health", policy=policy)) == {
        "status": "healthy",
        "version": "1.4.2",
        "timestamp": "2023-11-14T22:13:20Z",
    }
    assert body(ask("health"))["version"] == "unknown"


@pytest.mark.parametrize(
    ("details", "header", "role", "sees"),
    [
        ("authorized", f"Bearer {TOKEN}", None, True),
        ("authorized", f"bearer  {TOKEN} ", None, True),
        ("authorized", f"Bearer {TOKEN}x", None, False),
        ("authorized", f"Basic {TOKEN}", None, False),
        ("authorized", "Bearer ", None, False),
        ("authorized", "Bearer \udce9", None, False),
        ("authorized", "", "viewer", True),
        ("authorized", "", None, False),
        ("public", "", None, True),
        ("never", f"Bearer {TOKEN}", "operator", False),
    ],
)
def test_details_are_for_those_who_may(details: Any, header: str, role: Any, sees: bool) -> None:
    kept = Kept("unhealthy")
    given = ask(
        "health", kept, policy=Policy(details=details, token=TOKEN), authorize=lambda _: role, authorization=header
    )

    assert ("services" in body(given), given.status) == (sees, 503)


@pytest.mark.parametrize("token", [None, "", "short"])
def test_a_short_token_opens_nothing_and_is_a_problem(token: str | None) -> None:
    policy = Policy(token=token)

    assert "services" not in body(ask("health", policy=policy, authorization=f"Bearer {token or ''}"))
    assert len(problems(policy)) == (token is not None)
    assert all("OTEL_GUARD_HEALTH_TOKEN" in line for line in problems(policy))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ("service", None)),
        ("scope=process", ("process", None)),
        ("scope=galaxy&group=none", ("service", None)),
        ("group=critical", ("service", "critical")),
        ("group=ai&scope=process", ("process", "ai")),
    ],
)
def test_scope_and_group_are_asked_by_query(query: str, expected: tuple[str, str | None]) -> None:
    kept = Kept()
    ask("health", kept, query=query)

    assert kept.asked == [expected]


def test_authorize_sees_the_request() -> None:
    seen: list[Request] = []

    def authorize(request: Request) -> None:
        seen.append(request)

    ask("health", authorize=authorize, query="a=1&a=2&b=", cookie="sid=7; x=y", host="shop")

    assert (seen[0].method, seen[0].path, seen[0].query) == ("GET", "/health", {"a": "2", "b": ""})
    assert (seen[0].cookies, seen[0].headers["host"]) == ({"sid": "7", "x": "y"}, "shop")


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [("/", "/health"), ("", "/health"), ("/internal", "/internal/health"), ("a/b/", "/a/b/health")],
)
def test_the_endpoints_stand_below_a_prefix(prefix: str, expected: str) -> None:
    assert paths(prefix)[expected] == "health"
    assert len(paths(prefix)) == 3
