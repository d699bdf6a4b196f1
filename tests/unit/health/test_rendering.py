from typing import Any

from otel_guard.core.passive import Verdict
from otel_guard.health.rendering import merged, services, unknown, verdict_of


def verdict(status: Any, **given: Any) -> Verdict:
    return Verdict(status=status, **({"source": "passive"} | given))


def test_a_fleet_is_the_median_with_the_sums_of_all() -> None:
    own = {"database": verdict("healthy", samples=10, latency_ms=10.0, error_rate=0.0)}
    one = {"database": verdict("healthy", samples=30, latency_ms=20.0, error_rate=0.1)}
    other = {"database": verdict("unhealthy", samples=0, message="down"), "cache": verdict("degraded", message="slow")}
    found = merged({**own, "cache": verdict("not_configured")}, [one, other])

    assert found["database"] == Verdict(
        status="healthy",
        source="passive",
        message="1 of 3 processes: unhealthy",
        latency_ms=17.5,
        error_rate=0.075,
        samples=40,
    )
    assert (found["cache"].status, found["cache"].message) == ("degraded", "slow")


def test_what_only_another_process_uses_is_shown() -> None:
    found = merged({}, [{"ai.mistral_ai": verdict("healthy")}])

    providers = services(found, [], {}, {}, {})["ai_providers"]["providers"]
    assert [one["provider"] for one in providers] == ["openai", "claude", "gemini", "mistral_ai"]


def test_the_application_s_own_checks_come_last() -> None:
    shown = services({"stock": verdict("healthy"), "cache": verdict("healthy")}, ["stock"], {}, {}, {})

    assert list(shown) == ["ai_providers", "cache", "stock"]
    assert shown["stock"]["critical"] is True


def test_an_old_snapshot_keeps_what_needs_no_looking() -> None:
    entries: dict[str, dict[str, Any]] = {
        "payment": {"status": "unhealthy", "critical": True, "switch": "paused", "message": "x"},
        "cache": {"status": "not_configured"},
        "ai_providers": {
            "status": "healthy",
            "critical": False,
            "providers": [{"provider": "openai", "status": "healthy"}, {"provider": "claude", "status": "disabled"}],
        },
    }
    shown = unknown(entries)

    assert shown["payment"] == {"status": "unknown", "critical": True, "switch": "paused"}
    assert shown["cache"] == {"status": "not_configured"}
    assert [one["status"] for one in shown["ai_providers"]["providers"]] == ["unknown", "disabled"]
    assert verdict_of(shown) == "degraded"  # a critical one is unknown
